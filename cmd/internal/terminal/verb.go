package terminal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/cmd/internal/app"
	"ferry/config"
	"ferry/events"
	"ferry/failover"
)

// decisionWithin is how long the terminal waits for an executor's decision.
const decisionWithin = 10 * time.Second

// verbFlags are the terminal's own, beside those of the grammar.
type verbFlags struct {
	output string
	wait   bool
}

// newVerbs makes a command of each record of the grammar, so that help and completion come from the one table.
func newVerbs(g *globals) []*cobra.Command {
	var all []*cobra.Command
	for _, r := range bot.Grammar() {
		if r.Name == "help" { // cobra has its own
			continue
		}
		all = append(all, newVerb(g, r))
	}
	return all
}

func newVerb(g *globals, r bot.Record) *cobra.Command {
	own := &verbFlags{}
	cmd := &cobra.Command{
		Use: use(r), Short: summary(r), Hidden: !r.Available, DisableFlagsInUseLine: true,
		Example: examples(r.Examples), Args: cobra.ArbitraryArgs, ValidArgsFunction: g.completeArgs(r),
	}
	if strings.Contains(r.Args, "POINT") {
		cmd.Long = cmd.Short + "\n\n" + bot.PointForms
	}
	for _, f := range r.Flags {
		if f.Value == "" {
			cmd.Flags().Bool(strings.TrimPrefix(f.Name, "--"), false, f.Summary)
		} else {
			cmd.Flags().Var(&text{kind: f.Value}, strings.TrimPrefix(f.Name, "--"), f.Summary)
		}
		cmd.Flags().Lookup(strings.TrimPrefix(f.Name, "--")).Hidden = !f.Available
		if f.Value != "" {
			completeFlags(cmd, map[string][]string{strings.TrimPrefix(f.Name, "--"): nil})
		}
	}
	outputFlag(cmd, &own.output)
	if !r.ReadOnly {
		cmd.Flags().BoolVar(&own.wait, "wait", false, "follow to the end, or to a gate that waits for you")
	}
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return g.wrongFlag(r, cmd, err) })
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		words := append([]string{r.Name}, args...)
		for _, f := range r.Flags {
			words = append(words, flagWords(cmd, f)...)
		}
		return g.verb(cmd.Context(), words, *own)
	}
	return cmd
}

// wrongFlag says what is wrong with a flag as Slack would, unless it looks like one of the terminal's own.
func (g *globals) wrongFlag(r bot.Record, cmd *cobra.Command, err error) error {
	about, ok := errors.AsType[interface {
		error
		GetSpecifiedName() string
		GetSpecifiedShortnames() string
	}](err)
	general := cmd.Root().FlagErrorFunc()(cmd, err)
	if !ok || about.GetSpecifiedShortnames() != "" { // the grammar has no short ones
		return general
	}
	name := about.GetSpecifiedName()
	if near := failover.Near(name, []string{"wait", "output", "data", "config"}, func(own string) string { return own }, 1); len(near) > 0 && near[0] != name {
		return exit(exitUsage, fmt.Errorf("%w; did you mean --%s?", err, near[0]))
	}
	_, refusal := bot.ParseWords([]string{r.Name, "--" + name}, time.Now())
	if refusal == nil {
		return general
	}
	return g.refused("", refusal, verbFlags{})
}

// text is the value of a flag that the help shows as the grammar does: --reason TEXT.
type text struct{ value, kind string }

// String is what was given.
func (t *text) String() string { return t.value }

// Set takes any text: the grammar judges it.
func (t *text) Set(value string) error { t.value = value; return nil }

// Type is the name of the value in the help.
func (t *text) Type() string { return t.kind }

// summary leaves out what is so in Slack only.
func summary(r bot.Record) string {
	if r.Name == "run" {
		return "Fail a VM over, or several as one operation."
	}
	text, _, _ := strings.Cut(r.Summary, " In Slack, ")
	return text
}

// use is the usage after "ferry"; the slash command's own verb may be left out there, and never here.
func use(r bot.Record) string {
	usage := strings.TrimPrefix(r.Usage, bot.Command+" ")
	if usage != r.Name && !strings.HasPrefix(usage, r.Name+" ") {
		usage = r.Name + " " + usage
	}
	return usage
}

func flagWords(cmd *cobra.Command, f bot.Flag) []string {
	flag := cmd.Flags().Lookup(strings.TrimPrefix(f.Name, "--"))
	switch {
	case !flag.Changed:
		return nil
	case f.Value == "":
		return []string{"--" + flag.Name}
	}
	return []string{"--" + flag.Name, flag.Value.String()}
}

// slashForm is the slash command and its first word, as refusals, examples and hints say it.
var slashForm = regexp.MustCompile(bot.Command + ` ([^\s;,:]+)`)

// unquoted is a flag's text of several words, which Slack takes as it is and a shell does not.
var unquoted = regexp.MustCompile(`(--(?:reason|notes)) ([a-z]+( [a-z]+)+)`)

// inTerminal turns what a text says to type in Slack into what to type here.
func inTerminal(text string) string { return inShell(unquoted.ReplaceAllString(text, `$1 "$2"`)) }

// inShell turns the slash command into this one, where the verb is never left out.
func inShell(text string) string {
	return slashForm.ReplaceAllStringFunc(text, func(form string) string {
		word := strings.TrimPrefix(form, bot.Command+" ")
		isVerb := slices.ContainsFunc(bot.Grammar(), func(r bot.Record) bool { return r.Name == strings.TrimRight(word, ".") })
		if isVerb {
			return "ferry " + word
		}
		return "ferry run " + word
	})
}

func examples(lines []string) string {
	var out []string
	for _, line := range lines {
		out = append(out, "  "+inTerminal(line))
	}
	return strings.Join(out, "\n")
}

// ago is a POINT such as -20m, which a flag parser would take for a flag.
var ago = regexp.MustCompile(`^-[0-9]`)

// guardPoints writes such a point with a minus sign; the grammar knows it, since phones write one too.
func guardPoints(args []string) []string {
	out := slices.Clone(args)
	for i, arg := range out {
		if ago.MatchString(arg) {
			out[i] = "\u2212" + arg[1:]
		}
	}
	return out
}

// unknownCommand is a first word that is no command: in Slack a VM's name, here refused with the full form.
func unknownCommand(words []string) error {
	if near, ok := bot.NearVerb(words[0]); ok {
		return exit(exitUsage, fmt.Errorf("there is no command %q; did you mean: ferry %s", words[0], strings.Join(append([]string{near.Name}, words[1:]...), " ")))
	}
	return exit(exitUsage, fmt.Errorf("there is no command %q; to fail a VM of that name over, type: ferry run %s", words[0], strings.Join(words, " ")))
}

func (g *globals) verb(ctx context.Context, words []string, own verbFlags) error {
	if own.output != "text" && own.output != "json" {
		return exit(exitUsage, fmt.Errorf("-o %q: say text or json", own.output))
	}
	intent, refusal := bot.ParseWords(words, time.Now())
	if refusal != nil {
		return g.refused("", g.meant(ctx, intent, refusal), own)
	}
	client, err := g.client()
	if err != nil {
		return err
	}
	defer client.Close()
	if intent.ReadOnly {
		return g.read(ctx, client, intent, own)
	}
	return g.ask(ctx, client, intent, own)
}

// meant names the operation that holds a VM which was typed in its place.
func (g *globals) meant(ctx context.Context, intent bot.Intent, refusal *failover.Refusal) *failover.Refusal {
	if intent.Ref == "" {
		return refusal
	}
	client, err := g.client()
	if err != nil {
		return refusal
	}
	defer client.Close()
	found, err := client.Status(ctx, intent.Ref)
	if err != nil {
		return refusal
	}
	return bot.Meant(intent, refusal, found.Operations)
}

// client connects to the server that --data, the configuration or the environment names.
func (g *globals) client() (*app.Client, error) { return dial(g, app.NewClient) }

// dial connects with what connect makes, and says whose fault it is when that does not work.
func dial[C any](g *globals, connect func(config.Config, bool, *slog.Logger) (C, error)) (none C, err error) {
	log, err := g.logger(slog.LevelWarn)
	if err != nil {
		return none, err
	}
	cfg, err := g.clientConfig()
	if err != nil {
		return none, exit(exitUsage, err)
	}
	client, err := connect(*cfg, g.data != "", log)
	_, denied := errors.AsType[*app.DeniedError](err)
	if err != nil && !denied && !errors.Is(err, app.ErrUnreachable) {
		return none, exit(exitUsage, err)
	}
	return client, err
}

func (g *globals) clientConfig() (*config.Config, error) {
	path := g.config
	if path == "" {
		path = defaultConfig
	}
	cfg, err := config.LoadClient(path, os.LookupEnv)
	if errors.Is(err, fs.ErrNotExist) && g.config == "" {
		cfg, err = config.FromEnv(os.LookupEnv), nil
	}
	if err == nil && g.data != "" {
		cfg.DataDir = g.data
	}
	return cfg, err
}

// ask stores a command and waits for the decision.
func (g *globals) ask(ctx context.Context, client *app.Client, intent bot.Intent, own verbFlags) error {
	id := failover.MessageID("terminal", uuid.NewString()) // once per call: a retry within it is the same request
	by := failover.Actor{ID: client.ID(), Name: client.ID()}
	cmd := intent.Command(id, failover.OpIDOf(id, 0), by, time.Now())
	err := client.Submit(ctx, cmd)
	if refusal, ok := errors.AsType[*failover.Refusal](err); ok {
		return g.refused(cmd.Op, refusal, own)
	}
	if err != nil {
		return fmt.Errorf("%w; do not repeat it before ferry status shows whether it was taken", err)
	}
	op, err := decided(ctx, client, id)
	if err != nil {
		return exit(exitNotKnown, fmt.Errorf("stored as %s, %w; it is decided when one is back", cmd.Op, err))
	}
	answer := op.Answers[id]
	if answer.Refused != nil {
		return g.refused(op.ID, bot.Explained(cmd, answer.Refused), own)
	}
	text := bot.AnswerTo(cmd, op.Operation, answer)
	if cmd.Verb == failover.VerbReprotect || cmd.Verb == failover.VerbFailback { // what it would use and create, as Slack shows it
		text += "\n\n" + render.CardText(op.Operation, time.Now())
	}
	if !own.wait {
		return g.print(own, events.StatusOf(op.Operation), text)
	}
	if own.output == "text" {
		fmt.Fprintln(g.io.Out, inTerminal(text))
	}
	return g.follow(ctx, client, op, own)
}

func (g *globals) print(own verbFlags, value any, text string) error {
	if own.output == "json" {
		return json.NewEncoder(g.io.Out).Encode(value)
	}
	_, err := fmt.Fprintln(g.io.Out, strings.TrimRight(inTerminal(text), "\n"))
	return err
}

// refused prints the no in the form asked for, and ends with its exit code.
func (g *globals) refused(op failover.OpID, r *failover.Refusal, own verbFlags) error {
	local := &failover.Refusal{Kind: r.Kind, Message: inShell(bot.OneLine(r.Message)), Hint: inTerminal(bot.OneLine(r.Hint))}
	if own.output != "json" {
		return local
	}
	if err := g.print(own, map[string]any{"v": 1, "id": op, "refused": local}, ""); err != nil {
		return err
	}
	return exit(exitCode(local), errors.New(""))
}
