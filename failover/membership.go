package failover

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// MembershipLife is how long it counts who is in Slack's user groups. When it is older, nobody is: somebody may have been
// taken out meanwhile.
const MembershipLife = 5 * time.Minute

// Membership is who is in which Slack user group, as the bot read it.
type Membership struct {
	Groups map[string][]string `json:"groups"` // user group id -> user ids
	At     time.Time           `json:"at"`     // of the reading; zero: never read
	// Standings are those of users whom the bot knows to be no members in good standing (any more).
	Standings map[string]Standing `json:"standings,omitempty"`
}

// fresh reports whether it still counts.
func (m Membership) fresh(now time.Time) bool {
	return !m.At.IsZero() && !now.After(m.At.Add(MembershipLife))
}

// With is the policy with the members of its roles' groups, as far as it is known who they are. The bot tells of Slack's
// groups, so that no terminal identity comes in this way.
func (p Policy) With(m Membership, now time.Time) Policy {
	p.groupsAt, p.known = m.At, m.fresh(now)
	if !p.known {
		return p
	}
	p.standings = m.Standings
	roles := map[string][]string{}
	maps.Copy(roles, p.Roles)
	for role, groups := range p.Groups {
		ids := slices.Clone(p.Roles[role])
		for _, group := range groups {
			for _, id := range m.Groups[group] {
				if !slices.Contains(ids, id) && !strings.Contains(id, ":") {
					ids = append(ids, id)
				}
			}
		}
		roles[role] = ids
	}
	p.Roles = roles
	return p
}

// Unread reports whether it is not known who is in the groups of the roles.
func (p Policy) Unread() bool { return !p.known && len(p.Groups) > 0 }

// unread says, for a refusal, that the members of some roles' groups are not known now; empty when that is no reason.
func (p Policy) unread(roles []string) string {
	roles = slices.DeleteFunc(slices.Sorted(slices.Values(roles)), func(role string) bool { return len(p.Groups[role]) == 0 })
	if p.known || len(roles) == 0 {
		return ""
	}
	return p.lastRead() + ", so that those of " + rolesInWords(roles) + " have no members."
}

func (p Policy) lastRead() string {
	if p.groupsAt.IsZero() {
		return "Slack's groups have not been read"
	}
	return "Slack's groups were last read at " + stamp(p.groupsAt)
}

// lacking refuses whoever has none of the roles that it takes, and says so when that may be for want of a fresh membership.
func (p Policy) lacking(roles []string, hint, format string, args ...any) *Refusal {
	refusal := Refuse(NotAllowed, hint, format, args...)
	if why := p.unread(roles); why != "" {
		refusal.Message += " " + why
		refusal.Hint = "Ask again in a minute. " + hint
	}
	return refusal
}
