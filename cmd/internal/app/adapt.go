package app

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"ferry/bot/slack"
	"ferry/config"
	"ferry/events"
	"ferry/events/jetstream"
	"ferry/executor"
	"ferry/failover"
)

// policy turns the access section into the subject's policy. Without the section nothing is allowed.
func policy(cfg config.Config) failover.Policy {
	p := failover.Policy{Roles: map[string][]string{}, Groups: map[string][]string{}, Sets: fleets(cfg)}
	access := cfg.Access
	if access == nil {
		return p
	}
	p.People = access.People
	p.ConfirmAbove = access.ConfirmAbove
	if b := access.BreakGlass; b != nil {
		p.BreakGlass = &failover.BreakGlass{Role: b.Role, ReasonRequired: b.ReasonRequired, Approvals: b.Approvals}
	}
	for name, role := range access.Roles {
		p.Roles[name] = role.Users
		if len(role.Groups) > 0 {
			p.Groups[name] = role.Groups
		}
	}
	for _, r := range access.Rules {
		rule := failover.Rule{
			Match: failover.Match{VM: r.Match.VM, Group: r.Match.Group, Vault: r.Match.Vault, ResourceGroup: r.Match.ResourceGroup, Tag: r.Match.Tag},
			May:   r.May, Approvals: r.Approvals, Approvers: r.Approvers, SelfApproval: r.SelfApproval, Expires: r.Expires,
			TerminalApprovals: r.TerminalApprovals, ConfirmName: r.ConfirmName,
		}
		for _, class := range r.Verbs {
			rule.Classes = append(rule.Classes, failover.Class(class))
		}
		p.Rules = append(p.Rules, rule)
	}
	return p
}

// fleets turns the groups section into the subject's groups.
func fleets(cfg config.Config) map[string]failover.Group {
	all := map[string]failover.Group{}
	for name, group := range cfg.Groups {
		g := failover.Group{
			Name: name, Concurrency: group.Concurrency, Canary: group.Canary, OnFailure: failover.OnFailure(group.OnFailure), Tolerate: group.Tolerate,
		}
		for i, w := range group.Waves {
			after := append([]int{}, group.Before(i+1)...) // never nil: that is the wave before
			g.Waves = append(g.Waves, failover.GroupWave{Name: w.Name, VMs: w.VMs, Tags: w.Tags, After: after})
		}
		all[name] = g
	}
	return all
}

// byTags reports whether anything of the configuration goes by the tags of VMs, which takes a right in Azure.
func byTags(cfg config.Config) bool {
	return policy(cfg).ByTags() || failover.GoesByTags(fleets(cfg))
}

// groupsOf are the Slack user groups that make somebody a member of a role.
func groupsOf(access *config.Access) []string {
	var ids []string
	if access != nil {
		for _, role := range access.Roles {
			ids = append(ids, role.Groups...)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// membersWithin bounds the reading of who is in Slack's groups.
const membersWithin = 2 * time.Second

// mayRead says who may look at what changes nothing.
func mayRead(ctx context.Context, cfg config.Config, groups executor.Groups, now func() time.Time) func(failover.Actor) *failover.Refusal {
	p, anyone := policy(cfg), cfg.Access != nil && cfg.Access.AnyoneMayRead
	current := policyNow(ctx, cfg, groups, now)
	return func(actor failover.Actor) *failover.Refusal {
		if anyone {
			return p.MayRead(actor, anyone)
		}
		return current().MayRead(actor, anyone)
	}
}

// policyNow gives the policy with who is in Slack's groups.
func policyNow(ctx context.Context, cfg config.Config, groups executor.Groups, now func() time.Time) func() failover.Policy {
	p := policy(cfg)
	return func() failover.Policy {
		if len(p.Groups) == 0 {
			return p
		}
		ctx, cancel := context.WithTimeout(ctx, membersWithin)
		defer cancel()
		members, err := groups.Members(ctx)
		if err != nil {
			members = failover.Membership{}
		}
		return p.With(members, now())
	}
}

// isSlackID tells a Slack user from a NATS identity.
func isSlackID(id string) bool { return !strings.Contains(id, ":") }

// semver is the version as NATS services demand it.
func semver(version string) string {
	if v := strings.TrimPrefix(version, "v"); regexp.MustCompile(`^\d+\.\d+\.\d+$`).MatchString(v) {
		return v
	}
	return "0.0.0"
}

// commands is the bot's way to store commands and to hear what was decided.
type commands struct {
	client *jetstream.Client
	board  *jetstream.Board
}

// Store returns nil only when the command is surely on disk; stored again it counts once.
func (c commands) Store(ctx context.Context, cmd failover.Command) error {
	return c.client.Submit(ctx, events.SourceSlack, cmd)
}

// Decision waits on the bot's own board, which is up to date whenever NATS is.
func (c commands) Decision(ctx context.Context, messageID string) (failover.Operation, failover.Answer, error) {
	return c.board.Decision(ctx, messageID)
}

// reads asks the services, like the terminal does.
type reads struct{ client *jetstream.Client }

// Status is about an operation, the newest one of a VM, or with an empty ref all that are open.
func (r reads) Status(ctx context.Context, ref string) (failover.Found, error) {
	return r.client.Status(ctx, ref)
}

// Inventory is what executors have read last, and who holds what.
func (r reads) Inventory(ctx context.Context) (failover.Inventory, error) { return r.client.List(ctx) }

// Points needs an executor, which asks Azure; of vm as typed and key one is given.
func (r reads) Points(ctx context.Context, vm, key string) (failover.PointList, *failover.Refusal, error) {
	return r.client.Points(ctx, events.PointsRequest{VM: vm, Key: key})
}

// Jobs needs an executor, which asks Azure.
func (r reads) Jobs(ctx context.Context) (failover.JobList, *failover.Refusal, error) {
	return r.client.Jobs(ctx)
}

// Forecast needs an executor, which knows what the vaults take.
func (r reads) Forecast(ctx context.Context, of failover.ForecastOf) (failover.Forecast, *failover.Refusal, error) {
	return r.client.Forecast(ctx, of)
}

// Debt is what failovers and drills have left open.
func (r reads) Debt(ctx context.Context) (failover.DebtList, error) { return r.client.Debt(ctx) }

// Readiness is what would not fail over now.
func (r reads) Readiness(ctx context.Context) (failover.ReadinessList, error) {
	return r.client.Readiness(ctx)
}

// Report is false when there is no such operation.
func (r reads) Report(ctx context.Context, op failover.OpID) (failover.Report, bool, error) {
	return r.client.Report(ctx, op)
}

// Newest gives operations in brief, newest first.
func (r reads) Newest(ctx context.Context) ([]failover.Operation, error) { return r.client.Newest(ctx) }

// Review needs an executor, which asks Azure; of vm as typed and op one is given.
func (r reads) Review(ctx context.Context, vm string, op failover.OpID) (failover.Review, *failover.Refusal, error) {
	return r.client.Review(ctx, events.ReviewRequest{VM: vm, Op: op})
}

// feed gives the bot the facts to show.
type feed struct{ *jetstream.Announcements }

// Next waits for the next fact; ctx bounds its acknowledgement, too.
func (f feed) Next(ctx context.Context) (slack.Update, error) {
	a, err := f.Announcements.Next(ctx)
	if err != nil {
		return nil, err
	}
	return update{a, ctx}, nil
}

// update is one delivered fact.
type update struct {
	jetstream.Announcement
	ctx context.Context //nolint:containedctx // of the feed that delivered it: an acknowledgement ends with it
}

// Operation is the fold up to the fact, or further.
func (u update) Operation() failover.Operation { return u.Announcement.Operation }

// Ack says that people can see it.
func (u update) Ack() error { return u.Announcement.Ack(u.ctx) }

// refs keeps the bot's messages in their bucket, as JSON.
type refs struct{ messages *jetstream.Messages }

// Get gives the zero Ref when nothing is stored of an operation.
func (r refs) Get(ctx context.Context, op failover.OpID) (ref slack.Ref, err error) {
	value, rev, err := r.messages.Get(ctx, op)
	if err != nil || value == nil {
		return ref, err
	}
	if err := json.Unmarshal(value, &ref); err != nil {
		return ref, fmt.Errorf("decoding the messages of %s: %w", op, err)
	}
	ref.Rev = rev
	return ref, nil
}

// Put is failover.ErrConflict when another bot has written since ref was read.
func (r refs) Put(ctx context.Context, op failover.OpID, ref slack.Ref) error {
	value, err := json.Marshal(ref)
	if err != nil {
		return fmt.Errorf("encoding the messages of %s: %w", op, err)
	}
	_, err = r.messages.Put(ctx, op, value, ref.Rev)
	return err
}
