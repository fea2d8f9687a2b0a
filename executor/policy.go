package executor

import (
	"context"
	"log/slog"
	"time"

	"ferry/failover"
)

// membersWithin bounds the reading of who is in Slack's groups.
const membersWithin = 2 * time.Second

// policy is who may do what as of now. That nobody can tell who is in Slack's groups is no reason to keep those waiting who
// are named by themselves: the groups are empty then.
func (e *Executor) policy(ctx context.Context) failover.Policy {
	var members failover.Membership
	if e.Groups != nil {
		ctx, cancel := context.WithTimeout(ctx, membersWithin)
		defer cancel()
		var err error
		if members, err = e.Groups.Members(ctx); err != nil {
			e.Log.WarnContext(ctx, "who is in Slack's groups cannot be read, so that they count as empty", slog.Any("error", err))
			members = failover.Membership{}
		}
	}
	return e.Policy.With(members, e.now())
}
