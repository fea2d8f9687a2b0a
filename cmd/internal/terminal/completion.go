package terminal

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/cmd/internal/app"
	"ferry/failover"
)

// completeWithin is how long a shell waits for names: who presses TAB is not kept waiting, and not told why there are none.
const completeWithin = time.Second

// anyOperation is a place for an operation that may be over, which the grammar calls OP like any other.
const anyOperation = "any OP"

// groupName is the place for a group of the configuration, which the grammar calls NAME like that of a plan.
const groupName = "group NAME"

// completeArgs proposes what may stand at each place of a verb, as its record says. What is typed already is not proposed again.
func (g *globals) completeArgs(r bot.Record) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		var all []cobra.Completion
		for kind := range strings.SplitSeq(r.Place(args), "|") {
			switch {
			case kind == "OP" && slices.Contains([]string{"report", "reprotect", "failback"}, r.Name): // of what is over
				kind = anyOperation
			case kind == "NAME" && r.Name != "plan" && !slices.Contains(args, "plan"):
				kind = groupName
			}
			all = append(all, g.proposals(cmd.Context(), kind)...)
		}
		typed = strings.ToLower(typed)
		all = slices.DeleteFunc(all, func(c cobra.Completion) bool {
			word, _, _ := strings.Cut(c, "\t")
			return !strings.HasPrefix(strings.ToLower(word), typed) || slices.Contains(args, word)
		})
		return all, cobra.ShellCompDirectiveNoFileComp
	}
}

// proposals are all that a kind of argument may be. What cannot be listed, such as a time, has none.
func (g *globals) proposals(ctx context.Context, kind string) []cobra.Completion {
	switch kind {
	case "VM", "PATTERN":
		return g.soon(ctx, vmNames)
	case "OP":
		return g.soon(ctx, openOperations)
	case anyOperation:
		return g.soon(ctx, newestOperations)
	case "POINT":
		return []cobra.Completion{
			cobra.CompletionWithDesc(string(failover.Latest), "the newest data, processed first"),
			cobra.CompletionWithDesc(string(failover.LatestProcessed), "the newest point that is processed already: faster"),
			cobra.CompletionWithDesc(string(failover.LatestApp), "the newest application-consistent point"),
		}
	case groupName:
		return g.soon(ctx, groupNames)
	case "over":
		return []cobra.Completion{cobra.CompletionWithDesc("over", "the incident has ended")}
	case "group":
		return []cobra.Completion{cobra.CompletionWithDesc("group", "a group of the configuration")}
	case "plan":
		return []cobra.Completion{cobra.CompletionWithDesc("plan", "a recovery plan of the vault")}
	case "VERB":
		var verbs []cobra.Completion
		for _, r := range bot.Grammar() {
			verbs = append(verbs, cobra.CompletionWithDesc(r.Name, summary(r)))
		}
		return verbs
	}
	return nil
}

// soon asks a running Ferry, and gives nothing when there is no answer in time.
func (g *globals) soon(ctx context.Context, ask func(context.Context, *app.Client) []cobra.Completion) []cobra.Completion {
	ctx, cancel := context.WithTimeout(ctx, completeWithin)
	defer cancel()
	answer := make(chan []cobra.Completion, 1)
	quiet := *g
	quiet.logLevel = silent
	go func() { // it ends with the process
		client, err := quiet.client()
		if err != nil {
			answer <- nil
			return
		}
		defer client.Close()
		answer <- ask(ctx, client)
	}()
	select {
	case names := <-answer:
		return names
	case <-ctx.Done():
		return nil
	}
}

func vmNames(ctx context.Context, client *app.Client) []cobra.Completion {
	inv, err := client.List(ctx)
	if err != nil {
		return nil
	}
	var names []cobra.Completion
	for _, i := range inv.Items {
		names = append(names, proposal(failover.Typed(i, inv.Items), render.ItemState(i)+" in "+i.Active)...)
	}
	slices.Sort(names)
	return names
}

func groupNames(ctx context.Context, client *app.Client) []cobra.Completion {
	inv, err := client.List(ctx)
	if err != nil {
		return nil
	}
	var names []cobra.Completion
	for _, g := range inv.Groups {
		names = append(names, proposal(g.Name, g.Words())...)
	}
	return names
}

func openOperations(ctx context.Context, client *app.Client) []cobra.Completion {
	found, err := client.Status(ctx, "")
	if err != nil {
		return nil
	}
	return ids(found.Operations)
}

func newestOperations(ctx context.Context, client *app.Client) []cobra.Completion {
	newest, err := client.Newest(ctx)
	if err != nil {
		return nil
	}
	return ids(newest)
}

func ids(ops []failover.Operation) []cobra.Completion {
	var ids []cobra.Completion
	for _, op := range ops {
		ids = append(ids, proposal(string(op.ID), bot.Noun(op.Verb)+" of "+bot.Targets(op)+": "+render.State(op))...)
	}
	slices.Sort(ids)
	return ids
}

// proposal is what can be typed, and what it is. Names come from outside, and what is proposed stands in a shell's line: one that
// is more than a name there is not proposed.
func proposal(word, about string) []cobra.Completion {
	if strings.ContainsFunc(word, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-/", r)
	}) || strings.HasPrefix(word, "-") {
		return nil
	}
	return []cobra.Completion{cobra.CompletionWithDesc(word, bot.OneLine(about))}
}

// completeFlags says what the values of a command's flags may be; a shell would propose files otherwise.
func completeFlags(cmd *cobra.Command, values map[string][]string) {
	for flag, of := range values {
		if err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(of, cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic(err) // only a flag that is not there
		}
	}
}
