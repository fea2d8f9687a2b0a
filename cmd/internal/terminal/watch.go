package terminal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/failover"
)

// watchEvery is how often who watches is shown how things are.
const watchEvery = time.Second

func newWatch(g *globals) *cobra.Command {
	output := ""
	cmd := &cobra.Command{
		Use:   "watch [OP]",
		Short: "Follow live what is open, or one operation to its end",
		Long: "Follow live what is open, or one operation to its end: with progress bars on a terminal, as lines in a pipe or a file.\n" +
			"A VM stands for its newest operation. With one operation the exit code is that of --wait: 0 succeeded, 1 failed,\n" +
			"3 denied, expired or cancelled, 4 stopped before its end. Without one it goes on until Ctrl-C.",
		Example:           "  ferry watch\n  ferry watch op-7f3kq2mz -o json",
		ValidArgsFunction: g.completeArgs(bot.Record{Name: "watch", Args: "[OP]"}),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return exit(exitUsage, fmt.Errorf("watch takes one operation or none, and got %q as well", args[1]))
			}
			return g.watch(cmd.Context(), args, output)
		},
	}
	outputFlag(cmd, &output)
	return cmd
}

func outputFlag(cmd *cobra.Command, into *string) {
	cmd.Flags().StringVarP(into, "output", "o", "text", "`FORM` of the answer: text or json")
	completeFlags(cmd, map[string][]string{"output": {"text", "json"}})
}

func (g *globals) watch(ctx context.Context, args []string, output string) error {
	if output != "text" && output != "json" {
		return exit(exitUsage, fmt.Errorf("-o %q: say text or json", output))
	}
	if g.logLevel == "" {
		g.logLevel = silent // it says itself that nobody answers
	}
	ref := slices.Concat(args, []string{""})[0]
	w := &watcher{ref: ref, view: g.view(output), dial: func() (asked, error) { return g.client() }}
	op, err := w.watch(ctx)
	if refusal, ok := errors.AsType[*failover.Refusal](err); ok {
		return g.refused("", refusal, verbFlags{output: output})
	}
	if err != nil || ref == "" {
		return err
	}
	if output == "text" {
		width, height := g.size()
		if err := g.print(verbFlags{output: output}, nil, render.StatusText(op, time.Now(), width, height)); err != nil {
			return err
		}
	}
	return ended(op)
}

// asked answers what is open.
type asked interface {
	Status(ctx context.Context, ref string) (failover.Found, error)
	Close()
}

// watcher follows one operation, or with no ref all that are open. It connects anew whenever nobody answers: a server that
// belongs to a ferry up listens elsewhere after a restart.
type watcher struct {
	ref  string
	view view
	dial func() (asked, error)

	client asked
	open   []failover.Operation // as they were last
}

// watch returns how the operation that was followed has ended. Only at first is it an error that nobody answers.
func (w *watcher) watch(ctx context.Context) (failover.Operation, error) {
	defer w.hangUp()
	for away, first := false, true; ; first = false {
		ops, err := w.look(ctx)
		switch {
		case ctx.Err() != nil:
			return failover.Operation{}, w.stopped()
		case err != nil && first:
			return failover.Operation{}, err
		case err != nil && !away:
			w.view.say(time.Now().UTC().Format("15:04:05 UTC") + " " + err.Error() + "; what is open goes on, and this keeps asking")
		case err == nil && away:
			w.view.say(time.Now().UTC().Format("15:04:05 UTC") + " there are answers again")
		}
		if away = err != nil; !away {
			if err := w.view.show(ops, time.Now()); err != nil {
				return failover.Operation{}, err
			}
			if w.ref != "" && ops[0].Phase.Final() {
				return ops[0], w.view.end()
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(watchEvery):
		}
	}
}

// look gives what is followed, as it is now, and once what was open before and is over.
func (w *watcher) look(ctx context.Context) ([]failover.Operation, error) {
	found, err := w.ask(ctx, w.ref)
	if err != nil {
		return nil, err
	}
	ops := found.Operations
	if w.ref != "" {
		if len(ops) == 0 || !ops[0].Exists() {
			return nil, found.NoOperation(w.ref)
		}
		w.ref, w.open = string(ops[0].ID), ops[:1]
		return w.open, nil
	}
	var over []failover.Operation
	for _, before := range w.open {
		if slices.ContainsFunc(ops, func(o failover.Operation) bool { return o.ID == before.ID }) {
			continue
		}
		ended, err := w.ask(ctx, string(before.ID))
		if err != nil {
			return nil, err
		}
		over = append(over, ended.Operations...)
	}
	slices.SortFunc(ops, func(a, b failover.Operation) int { return a.RequestedAt.Compare(b.RequestedAt) })
	w.open = ops
	return slices.Concat(over, ops), nil
}

func (w *watcher) ask(ctx context.Context, ref string) (failover.Found, error) {
	if w.client == nil {
		client, err := w.dial()
		if err != nil {
			return failover.Found{}, err
		}
		w.client = client
	}
	found, err := w.client.Status(ctx, ref)
	if err != nil {
		w.hangUp()
	}
	return found, err
}

func (w *watcher) hangUp() {
	if w.client != nil {
		w.client.Close()
		w.client = nil
	}
}

// stopped is the end that who watches wanted. Nothing else ends by it.
func (w *watcher) stopped() error {
	if w.ref == "" && len(w.open) > 0 {
		w.view.say(fmt.Sprintf("stopped following; what is open goes on (%d)", len(w.open)))
	}
	if err := w.view.end(); err != nil || w.ref == "" {
		return err
	}
	return exit(exitNotKnown, fmt.Errorf("stopped following %s, which goes on", w.ref))
}
