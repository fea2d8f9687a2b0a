package slack

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	slackapi "github.com/slack-go/slack"

	"ferry/failover"
)

const (
	// rosterEvery is between two readings of the groups, so that a change that no event told of counts within two minutes, with
	// up to forty groups; rosterRetry after one that failed. A reading younger than rosterFresh by another bot is as good.
	rosterEvery = time.Minute
	rosterRetry = 10 * time.Second
	rosterFresh = 45 * time.Second
	// groupPatience is how long one group that Slack does not tell of holds up the others.
	groupPatience = time.Minute
)

// roster reads who is in the user groups of the roles and tells the executors, and who of those that asked for something lately
// is no member in good standing any more. Nothing that counts is added up from events:
// each reading is whole. A group that is not there, or may not be read, has no members. While Slack does not answer, nothing
// is stored: what was read last grows old, and does not count any more after [failover.MembershipLife].
type roster struct {
	bot  *Bot
	good map[string]time.Time // when a group was read last
	told string               // the newest trouble, so that each is logged once
	due  bool                 // a change was told of, so that only a reading of its own will do
}

func newRoster(b *Bot) *roster {
	return &roster{bot: b, good: map[string]time.Time{}}
}

// regroup has the groups read at once.
func (b *Bot) regroup() {
	select {
	case b.changed <- struct{}{}:
	default:
	}
}

// run reads until ctx ends.
func (r *roster) run(ctx context.Context) {
	if r.bot.opts.Members == nil {
		return
	}
	start := time.Now()
	for _, group := range r.bot.opts.Groups {
		r.good[group] = start
	}
	if len(r.bot.opts.Groups) > 0 {
		r.inspect(ctx)
	}
	for !over(ctx) {
		wait := rosterRetry
		begun := time.Now()
		err := guarded(func() error { return r.keep(ctx) })
		if err == nil {
			wait = rosterEvery - time.Since(begun)
		} else if !over(ctx) {
			r.trouble(ctx, err)
		}
		select {
		case <-time.After(wait):
		case <-r.bot.changed:
			r.due = true
		case <-ctx.Done():
		}
	}
}

// keep makes a reading unless another bot has just made one, or there is nothing to tell.
func (r *roster) keep(ctx context.Context) error {
	begun := r.bot.opts.Now()
	found := r.bot.people.all(ctx)
	if len(r.bot.opts.Groups) == 0 && len(found) == 0 {
		return nil
	}
	stored, err := r.stored(ctx)
	standings := merged(stored, found, r.bot.opts.Now())
	switch same := maps.Equal(stored.Standings, standings); {
	case len(r.bot.opts.Groups) == 0 && same && !slices.ContainsFunc(slices.Collect(maps.Values(found)), finding.bad):
		return nil
	case !r.due && err == nil && same && r.current(stored):
		return nil
	}
	if err := r.read(ctx, begun, standings); err != nil {
		return err
	}
	r.due = false
	return nil
}

func (r *roster) stored(ctx context.Context) (failover.Membership, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	return r.bot.opts.Members.Members(ctx)
}

// current reports whether a reading is young and of all groups.
func (r *roster) current(stored failover.Membership) bool {
	lacks := func(group string) bool { _, ok := stored.Groups[group]; return !ok }
	return r.bot.opts.Now().Sub(stored.At) < rosterFresh && !slices.ContainsFunc(r.bot.opts.Groups, lacks)
}

// merged are the standings that another bot has told, and those that this one has found out itself. It takes back only what was
// told before it asked Slack: another bot may have heard of a change since.
func merged(told failover.Membership, found map[string]finding, now time.Time) map[string]failover.Standing {
	all := map[string]failover.Standing{}
	maps.Copy(all, told.Standings)
	for id, f := range found {
		switch {
		case f.standing != "":
			all[id] = f.standing
		case !now.Add(-f.age).Before(told.At):
			delete(all, id)
		}
	}
	return all
}

// read makes one reading. It is as old as its first question.
func (r *roster) read(ctx context.Context, begun time.Time, standings map[string]failover.Standing) error {
	m := failover.Membership{Groups: map[string][]string{}, At: begun, Standings: standings}
	var missing []error
	for _, group := range r.bot.opts.Groups {
		users, err := r.members(ctx, group)
		switch {
		case over(ctx):
			return ctx.Err()
		case err == nil:
			m.Groups[group] = users
			r.good[group] = time.Now()
		default:
			missing = append(missing, &groupError{group, err})
		}
	}
	if r.waits(missing) {
		return errors.Join(missing...)
	}
	if err := r.bot.opts.Members.PutMembers(ctx, m); err != nil {
		return err
	}
	if len(missing) == 0 && r.told != "" {
		r.told = ""
		r.bot.opts.Log.InfoContext(ctx, "all user groups of the roles are read again")
	}
	r.trouble(ctx, errors.Join(missing...))
	return nil
}

// waits reports whether a reading is not stored for what it lacks: when Slack said nothing for sure, or may still tell of a
// group. Then one more is made soon.
func (r *roster) waits(missing []error) bool {
	sure := len(missing) == 0 || len(r.bot.opts.Groups) > len(missing)
	waiting := false
	for _, err := range missing {
		g, ok := errors.AsType[*groupError](err)
		if !ok || g.forGood() {
			sure = true
			continue
		}
		waiting = waiting || time.Since(r.good[g.group]) < groupPatience
	}
	return waiting || !sure
}

// members asks Slack for one group, when it may be asked; when Slack says that it was too soon, once more.
func (r *roster) members(ctx context.Context, group string) ([]string, error) {
	users, err := r.ask(ctx, group)
	if wait := retryAfter(err); wait > 0 {
		pause(ctx, wait)
		return r.ask(ctx, group)
	}
	return users, err
}

func (r *roster) ask(ctx context.Context, group string) ([]string, error) {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var options []slackapi.GetUserGroupMembersOption
	if r.bot.orgToken {
		options = append(options, slackapi.GetUserGroupMembersOptionTeamID(r.bot.team))
	}
	return r.bot.api.GetUserGroupMembersContext(call, group, options...)
}

// trouble logs what is new about it.
func (r *roster) trouble(ctx context.Context, err error) {
	if err == nil || err.Error() == r.told {
		return
	}
	r.told = err.Error()
	r.bot.opts.Log.WarnContext(ctx, "user groups of the roles cannot be read; who holds a role by them alone is refused, at once or when the last reading is too old",
		slog.String("cause", strings.ReplaceAll(r.told, "\n", "; ")), slog.Duration("counts_for", failover.MembershipLife))
}

// groupError is a group that was not read.
type groupError struct {
	group string
	err   error
}

// Error says what to mend, where that is known; it holds no secret.
func (e *groupError) Error() string {
	switch slackCode(e.err) {
	case "no_such_subteam", "subteam_not_found":
		return e.group + ": there is no such user group, or it is disabled; mend access.roles"
	case "plan_upgrade_required":
		return e.group + ": this Slack plan has no user groups; name users under access.roles"
	}
	if fix := setupFix(e.err); fix != "" {
		return e.group + ": " + slackCode(e.err) + ": " + fix
	}
	return e.group + ": " + cause(e.err).Error()
}

// Unwrap gives what Slack answered.
func (e *groupError) Unwrap() error { return e.err }

// forGood reports whether Slack has told that the group cannot be read as things are.
func (e *groupError) forGood() bool {
	switch slackCode(e.err) {
	case "no_such_subteam", "subteam_not_found", "plan_upgrade_required", "missing_scope", "no_permission", "permission_denied":
		return true
	}
	return false
}

// inspect warns once of groups that anybody may join.
func (r *roster) inspect(ctx context.Context) {
	call, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	open, err := r.bot.openGroups(call, r.bot.opts.Groups)
	if err != nil {
		return // the reading meets the same trouble, and says so
	}
	for _, group := range slices.Sorted(maps.Keys(open)) {
		r.bot.opts.Log.WarnContext(ctx, "a user group of a role may be open to anybody", slog.String("group", group), slog.String("handle", open[group]),
			slog.String("fix", openFix))
	}
}

const openFix = "unless Slack lets only administrators edit user groups, anybody can join: lock the group, take it from the identity provider, or name users under access.roles"

// isOpen reports whether a group neither comes from an identity provider nor is locked: by the workspace's settings ordinary
// members may be able to add themselves.
func isOpen(g slackapi.UserGroup) bool {
	return !g.IsIDPGroup && !g.IsMembershipLocked && !g.IsEditingRestricted
}

// userGroups lists the groups of the workspace.
func (b *Bot) userGroups(ctx context.Context, options ...slackapi.GetUserGroupsOption) ([]slackapi.UserGroup, error) {
	if b.orgToken {
		options = append(options, slackapi.GetUserGroupsOptionTeamID(b.team))
	}
	return b.api.GetUserGroupsContext(ctx, options...)
}

// openGroups are those of some groups that are open, with their handles.
func (b *Bot) openGroups(ctx context.Context, ids []string) (map[string]string, error) {
	all, err := b.userGroups(ctx)
	if err != nil {
		return nil, err
	}
	open := map[string]string{}
	for _, g := range all {
		if slices.Contains(ids, g.ID) && isOpen(g) {
			open[g.ID] = "@" + g.Handle
		}
	}
	return open, nil
}
