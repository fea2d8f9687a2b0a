package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

func (k *checker) access(a *Access, groups map[string]Group) {
	if a == nil {
		k.failf("access", "ferry refuses to start without an access section; write who may do what under access, with roles and rules")
		return
	}
	for _, name := range sorted(a.Roles) {
		k.role(join("access.roles", name), a.Roles[name])
	}
	k.people(a.People)
	for i, r := range a.Rules {
		k.rule(fmt.Sprintf("access.rules[%d]", i), r, a)
		k.grouped(fmt.Sprintf("access.rules[%d].match.group", i), r.Match.Group, groups)
	}
	if a.ConfirmAbove < 0 {
		k.failf("access.confirm_above", "%d is negative; write 0 to ask always", a.ConfirmAbove)
	}
	if b := a.BreakGlass; b != nil {
		k.known("access.break_glass.role", b.Role, a.Roles)
		if b.Approvals < 0 {
			k.failf("access.break_glass.approvals", "%d is negative; write 0 for none", b.Approvals)
		}
	}
}

func (k *checker) role(path string, r Role) {
	for i, user := range r.Users {
		k.user(fmt.Sprintf("%s.users[%d]", path, i), user)
	}
	for i, group := range r.Groups {
		k.slackID(fmt.Sprintf("%s.groups[%d]", path, i), group, "S", "the user group's id, as in S0123456789")
	}
}

// people refuses an identity that two persons would have: nobody could say whom its approval counts for.
func (k *checker) people(people map[string][]string) {
	whose := map[string]string{}
	for _, name := range sorted(people) {
		for i, id := range people[name] {
			path := fmt.Sprintf("%s[%d]", join("access.people", name), i)
			k.user(path, id)
			if other, taken := whose[id]; taken {
				k.failf(path, "%q is also an identity of %s; leave it with one of them, since a person counts once", id, other)
			}
			whose[id] = name
		}
	}
}

// user checks a member id of Slack or an identity of NATS. The name of the latter becomes a token of a subject.
func (k *checker) user(path, user string) {
	name, terminal := strings.CutPrefix(user, "cli:")
	if !terminal {
		k.slackID(path, user, "UW", "the member id, as in U0123456789, or cli:NAME for somebody at a terminal")
		return
	}
	if name == "" || strings.ContainsAny(name, ".*> \t\r\n") {
		k.failf(path, "%q is no identity of NATS; write cli:NAME, with no dot, star, > or space in the name", user)
	}
}

// slackID catches what is no id of the kind, which begins with one of first: a name, a group in a person's place, letters that
// only look right. Whoever it is meant for would have no rights, and nobody would say why.
func (k *checker) slackID(path, id, first, instead string) {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	if len(id) < 2 || !strings.ContainsRune(first, rune(id[0])) || strings.Trim(id, letters) != "" {
		k.failf(path, "%+q is no id; write %s", id, instead)
	}
}

func (k *checker) rule(path string, r Rule, a *Access) {
	roles := a.Roles
	k.match(path+".match", r.Match)
	k.verbs(path+".verbs", r.Verbs)
	for i, role := range r.May {
		k.known(fmt.Sprintf("%s.may[%d]", path, i), role, roles)
	}
	for i, role := range r.Approvers {
		k.known(fmt.Sprintf("%s.approvers[%d]", path, i), role, roles)
	}
	k.approvals(path, r, a)
	k.positive(path+".expires", r.Expires)
}

// match refuses a rule without patterns: it would match everything, which is too much to say by leaving something out.
func (k *checker) match(path string, m Match) {
	lists := []struct {
		key      string
		patterns []string
	}{{"vm", m.VM}, {"group", m.Group}, {"vault", m.Vault}, {"resource_group", m.ResourceGroup}, {"tag", m.Tag}}
	total := 0
	for _, l := range lists {
		total += len(l.patterns)
		k.patterns(path+"."+l.key, l.patterns)
	}
	k.keyed(path+".tag", m.Tag)
	if total == 0 {
		k.failf(path, `no pattern; write {vm: ["*"]} for every VM`)
	}
}

// grouped refuses a group that there is not: its rule would be skipped, and a laxer one may follow.
func (k *checker) grouped(at string, names []string, groups map[string]Group) {
	for i, name := range names {
		_, known := groups[name]
		if pattern := strings.ContainsAny(name, `*?[\`); !known && !pattern {
			k.failf(fmt.Sprintf("%s[%d]", at, i), "%q is no group; write one under groups, or the names of its VMs as vm", name)
		}
	}
}

func (k *checker) verbs(path string, verbs []string) {
	if len(verbs) == 0 {
		k.failf(path, "no verb class; write a list of %s", strings.Join(VerbClasses(), ", "))
	}
	for i, verb := range verbs {
		here := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case slices.Contains(VerbClasses(), verb):
		case verb == "approve" || verb == "deny":
			k.failf(here, "%q is no verb class; leave it out: who may decide stands in approvers", verb)
		case classOf(verb) != "":
			k.failf(here, "%q is no verb class; write %s, which it belongs to", verb, classOf(verb))
		default:
			k.failf(here, "%q is no verb class; write %s", verb, suggest(verb, VerbClasses()))
		}
	}
}

// approvals refuses a rule that nobody could ever satisfy. Groups may have any number of members, so with one of them
// among the approvers there is nothing to count, but for terminals, of which they have none.
func (k *checker) approvals(path string, r Rule, a *Access) {
	people, terminals, countable := a.count(r.Approvers)
	switch {
	case r.Approvals < 0:
		k.failf(path+".approvals", "%d is negative; write 0 for none", r.Approvals)
	case r.Approvals > 0 && len(r.Approvers) == 0:
		k.failf(path+".approvers", "nobody could approve; write the roles that decide, or approvals: 0")
	case r.Approvals > 0 && countable && people < r.Approvals:
		k.failf(path+".approvals", "%d approvals are asked for and the approvers are %d in all; write at most %d, or add users to their roles", r.Approvals, people, people)
	}
	switch most := max(0, r.Approvals); {
	case r.TerminalApprovals < 0 || r.TerminalApprovals > most:
		k.failf(path+".terminal_approvals", "%d is not possible with %d approvals; write 0 to %d", r.TerminalApprovals, r.Approvals, most)
	case r.TerminalApprovals > terminals:
		k.failf(path+".terminal_approvals", "%d approvals are to come from terminals and %d of the approvers have a terminal identity; write at most %d, or add cli:NAME to their roles", r.TerminalApprovals, terminals, terminals)
	}
}

// count counts the persons of some roles, and those among them with a terminal identity there. It is not countable how many
// persons they are when one of the roles has groups or is not known.
func (a *Access) count(roles []string) (people, terminals int, countable bool) {
	persons, atTerminal := map[string]bool{}, map[string]bool{}
	countable = true
	for _, name := range roles {
		role, ok := a.Roles[name]
		countable = countable && ok && len(role.Groups) == 0
		for _, id := range role.Users {
			person := a.person(id)
			persons[person] = true
			if strings.HasPrefix(id, "cli:") {
				atTerminal[person] = true
			}
		}
	}
	return len(persons), len(atTerminal), countable
}

// person is one name for all identities of a person.
func (a *Access) person(id string) string {
	for name, ids := range a.People {
		if slices.Contains(ids, id) {
			return "person " + name
		}
	}
	return id
}

func (k *checker) known(path, role string, roles map[string]Role) {
	if _, ok := roles[role]; ok {
		return
	}
	if len(roles) == 0 {
		k.failf(path, "%q is no role; write it under access.roles", role)
		return
	}
	k.failf(path, "%q is no role; write %s, or add it under access.roles", role, suggest(role, sorted(roles)))
}

// checkWritten finds keys of a rule whose absence would be read as an answer that nobody gave.
func checkWritten(d *decoder) []Problem {
	k := &checker{}
	for i := 0; ; i++ {
		rule := fmt.Sprintf("access.rules[%d]", i)
		if !d.given(rule) {
			return k.problems
		}
		if !d.given(rule + ".may") {
			k.failf(rule+".may", "missing; write the roles that may ask, or [] to deny")
		}
		if d.given(rule+".approvers") && !d.given(rule+".approvals") {
			k.failf(rule+".approvals", "missing; write how many of the approvers have to agree, or 0")
		}
	}
}

// sorted returns the keys of a map in an order that makes reports repeatable.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
