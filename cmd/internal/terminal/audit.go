package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"ferry/cmd/internal/app"
	"ferry/events"
	"ferry/failover"
)

func newAudit(g *globals) *cobra.Command {
	audit := &cobra.Command{
		Use: "audit", Short: "Verify the record of all that was asked, decided and done, or export it", Args: noArgs,
		Long: "The record is the stream itself; executors keep a rolling hash of it. These commands read every message, which needs the\n" +
			"auditor's key (nats.nkey), or with --data the data directory.",
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	audit.AddCommand(newVerify(g), newExport(g))
	return audit
}

func newVerify(g *globals) *cobra.Command {
	var file, heads string
	var head []string
	cmd := &cobra.Command{
		Use: "verify", Args: noArgs, Short: "Check that nothing in the record was changed, taken out or cut off",
		Long: "Recomputes the rolling hash over every message and compares it with what executors have kept, and with heads that were kept\n" +
			"elsewhere. Exit code 0: whole; 1: changed, with where; 3: this key may not read it; 4: it could not be read.",
		Example: "  ferry audit verify\n  ferry audit verify --head-file heads.txt\n  ferry audit verify --file record.jsonl",
		RunE: func(cmd *cobra.Command, _ []string) error {
			known, err := knownHeads(head, heads)
			if err != nil {
				return exit(exitUsage, err)
			}
			if file != "" {
				return g.verifyFile(file, known)
			}
			return g.verifyStream(cmd.Context(), known)
		},
	}
	cmd.Flags().StringVar(&file, "file", "", "an export to verify instead, without the stream: `FILE`")
	cmd.Flags().StringArrayVar(&head, "head", nil, "a `HEAD` that was kept elsewhere, as it was posted: number:hash; may be repeated")
	cmd.Flags().StringVar(&heads, "head-file", "", "a `FILE` with such heads, one a line")
	return cmd
}

func newExport(g *globals) *cobra.Command {
	var op string
	cmd := &cobra.Command{
		Use: "export", Args: noArgs, Short: "Write the record as JSON Lines",
		Long: "Writes a line for each message: commands, also the refused ones, facts, holds and work, with the hash up to it, and a last line\n" +
			"that closes the file. ferry audit verify --file checks it without the stream.",
		Example: "  ferry audit export > record.jsonl\n  ferry audit export --operation op-7f3kq2mz",
		RunE: func(cmd *cobra.Command, _ []string) error {
			op = strings.ToLower(op)
			if op != "" && !failover.IsOpID(op) {
				return exit(exitUsage, fmt.Errorf("--operation %q: say an operation's id, as in op-7f3kq2mz", op))
			}
			return g.export(cmd.Context(), failover.OpID(op))
		},
	}
	cmd.Flags().StringVar(&op, "operation", "", "only what is about this operation: `OP`")
	return cmd
}

// knownHeads reads heads as they were posted or written to a file, where the head is the last word of a line.
func knownHeads(given []string, path string) ([]events.Chain, error) {
	if path != "" {
		f, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("--head-file: %w", err)
		}
		defer func() { _ = f.Close() }() // it was only read
		before, lines := len(given), bufio.NewScanner(f)
		for lines.Scan() {
			if words := strings.Fields(lines.Text()); len(words) > 0 {
				given = append(given, words[len(words)-1])
			}
		}
		if err := lines.Err(); err != nil { // heads that were not read are not compared
			return nil, fmt.Errorf("--head-file %s: %w", path, err)
		}
		if len(given) == before {
			return nil, fmt.Errorf("--head-file %s: no head stands in it; a line ends with one, as it was posted", path)
		}
	}
	var known []events.Chain
	for _, text := range given {
		c, err := events.ParseChain(text)
		if err != nil {
			return nil, err
		}
		if c.Seq == 0 {
			return nil, fmt.Errorf("%q is the head of nothing, and no record can be held to it", text)
		}
		known = append(known, c)
	}
	return known, nil
}

// unread is the end of a command that could not read the record.
func unread(err error) error {
	if _, denied := errors.AsType[*app.DeniedError](err); denied {
		return err
	}
	return exit(exitNotKnown, err)
}

func (g *globals) verifyStream(ctx context.Context, known []events.Chain) error {
	auditor, err := dial(g, app.NewAuditor)
	if err != nil {
		return err
	}
	defer auditor.Close()
	v, err := auditor.Verify(ctx, known...)
	if err != nil {
		return unread(err)
	}
	if err := v.Err(); err != nil {
		return exit(exitFailed, err)
	}
	text := fmt.Sprintf("The record is whole: %s.\n", messages(v.Last, v.LastAt))
	if v.Head.Seq > 0 {
		text += fmt.Sprintf("Head: %s\n", v.Head)
	}
	if n := v.Last - v.Head.Seq; n > 0 {
		text += fmt.Sprintf("The last %d of them are not in the head yet; executors take them in within seconds.\n", n)
	}
	if n := len(known); n > 0 {
		text += fmt.Sprintf("It has the heads that were kept elsewhere (%d).\n", n)
	}
	_, err = io.WriteString(g.io.Out, text)
	return err
}

func (g *globals) verifyFile(path string, known []events.Chain) error {
	f, err := os.Open(path)
	if err != nil {
		return exit(exitUsage, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	found, err := events.VerifyExport(f, known...)
	if err != nil {
		return exit(exitFailed, fmt.Errorf("%s: %w", path, err))
	}
	text := fmt.Sprintf("The export is whole: %s.\nHead when it was exported: %s\n", messages(found.Messages, found.At), found.Head)
	if found.Operation != "" {
		text = fmt.Sprintf("The export of %s is as it was written: %d messages.\nA part cannot show that nothing is missing between its messages: verify a whole export, or the stream.\n",
			found.Operation, found.Messages)
	}
	_, err = io.WriteString(g.io.Out, text)
	return err
}

func (g *globals) export(ctx context.Context, op failover.OpID) error {
	auditor, err := dial(g, app.NewAuditor)
	if err != nil {
		return err
	}
	defer auditor.Close()
	out := bufio.NewWriter(g.io.Out)
	err = errors.Join(auditor.Export(ctx, out, op), out.Flush())
	if errors.Is(err, app.ErrNothing) {
		return exit(exitRefused, fmt.Errorf("nothing is recorded about %s; ferry list and the operation's card show the id of an operation", op))
	}
	if err != nil {
		return unread(fmt.Errorf("%w; what is written is not whole", err))
	}
	return nil
}

// messages says how many there are, and of when the last is.
func messages[N int | uint64](n N, last time.Time) string {
	switch n {
	case 0:
		return "nothing has been recorded yet"
	case 1:
		return "1 message, of " + utc(last)
	}
	return fmt.Sprintf("%d messages, the last of %s", n, utc(last))
}

func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }
