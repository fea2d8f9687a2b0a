package terminal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/cmd/internal/app"
	"ferry/events"
	"ferry/failover"
)

// decided waits for the decision about a command; the operation comes as it is then.
func decided(ctx context.Context, client *app.Client, messageID string) (events.Watched, error) {
	ctx, cancel := context.WithTimeout(ctx, decisionWithin)
	defer cancel()
	for ctx.Err() == nil {
		op, ok, err := client.Watch(ctx, events.WatchRequest{Command: messageID})
		if ok || err != nil {
			return op, err
		}
	}
	return events.Watched{}, app.ErrNoAnswer
}

// follow prints what happens until the operation is over, and ends with the code that its end means. Other people's presses
// are waited for, however long they take. What waits for the press of who follows ends it too: nobody else can be expected
// to give it, and a script goes on with it. So does what nobody but a person brings further.
func (g *globals) follow(ctx context.Context, client *app.Client, op events.Watched, own verbFlags) error {
	said := ""
	for {
		if line := progressLine(op.Operation); own.output == "text" && line != said {
			fmt.Fprintln(g.io.Out, line)
			said = line
		}
		if op.Phase.Final() || op.Yours || op.Phase == failover.NeedsAttention || stopped(op.Operation) {
			break
		}
		next, ok, err := client.Watch(ctx, events.WatchRequest{Op: op.ID, After: op.Seq})
		switch {
		case ctx.Err() != nil:
			return exit(exitNotKnown, fmt.Errorf("stopped following %s, which goes on", op.ID))
		case err != nil && !errors.Is(err, app.ErrNoAnswer): // nobody answers for a moment: ask again
			return err
		case ok:
			op = next
		}
	}
	width, height := g.size()
	if err := g.print(own, events.StatusOf(op.Operation), render.StatusText(op.Operation, time.Now(), width, height)); err != nil {
		return err
	}
	if op.Gate() != "" {
		fmt.Fprintln(g.io.Err, "It waits for you: "+pressWith(op.Operation))
		return nil
	}
	return ended(op.Operation)
}

// ended is the exit code of where an operation has got to.
func ended(op failover.Operation) error {
	switch op.Phase {
	case failover.Succeeded:
		return nil
	case failover.Failed:
		return exit(exitFailed, errors.New(string(op.ID)+" failed"))
	case failover.NeedsAttention:
		return exit(exitFailed, fmt.Errorf("%s is in need of attention and does not go on by itself", op.ID))
	case failover.Running:
		if stopped(op) {
			return exit(exitFailed, fmt.Errorf("%s is on hold and does not go on by itself: ferry resume %[1]s, or ferry retry %[1]s", op.ID))
		}
	case failover.Denied, failover.Expired, failover.Cancelled, failover.AwaitingApproval, failover.AwaitingCommit:
	}
	return exit(exitRefused, fmt.Errorf("%s is %s", op.ID, op.Phase.Words()))
}

// stopped reports whether an operation is on hold and has come as far as it goes like that.
func stopped(op failover.Operation) bool {
	underWay, _ := op.Pace()
	return op.Phase == failover.Running && op.OnHold != nil && underWay == 0
}

// pressWith is what to type for the press that an operation waits for.
func pressWith(op failover.Operation) string {
	if op.Gate() == failover.ClassCommit {
		return "ferry commit " + string(op.ID)
	}
	return "ferry approve " + string(op.ID)
}

func progressLine(op failover.Operation) string {
	parts := []string{op.At.UTC().Format("15:04:05 UTC ") + string(op.ID) + " " + op.Phase.Words()}
	if op.Gate() != "" {
		parts[0] += ", waits for " + bot.WaitsFor(op)
	}
	if counts := render.Counts(op, op.At); counts != "" {
		return bot.OneLine(strings.Join(append(parts, counts), " · "))
	}
	for _, t := range op.Targets {
		if t.Progress != "" {
			parts = append(parts, t.Item.Name+": "+t.Progress)
		}
	}
	return bot.OneLine(strings.Join(parts, " · "))
}
