package bot_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"ferry/bot"
	"ferry/failover"
)

// FuzzParse: whatever is typed, an answer comes, and what may run names exactly what was typed.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"", "vm-x", "vm-x latest --reason “a b” —no-shutdown", "comit vm-x", "approve op-7f3kq2mz", "<http://a.b|a.b> -20m",
		"<@U1|ben>", "vm-x --reason=\"", "'", "--", "—", "&lt;!channel&gt;", "deny op-7f3kq2mz --reason", "help help",
		"vm-a vm-b latst", "run vm-a “vm b” -20m", "failback group shop latest", "skip op-7f3kq2mz vm-x", "vm-a latest vm-b --confirm 2", "\x00\xff",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		i, refusal := bot.Parse(text, noon())
		if refusal != nil {
			if refusal.Message == "" || refusal.Hint == "" || refusal.Kind == "" {
				t.Errorf("Parse(%q) refused without a word: %+v", text, refusal)
			}
			if i != (bot.Intent{Verb: i.Verb, Ref: i.Ref}) { // what was typed where an operation belongs, to be looked up
				t.Errorf("Parse(%q) refused and means %+v", text, i)
			}
			return
		}
		if !utf8.ValidString(i.VM + i.Reason + i.Ref + i.Topic) {
			t.Errorf("Parse(%q) is not valid text: %+v", text, i)
		}
		if i.Op != "" && !failover.IsOpID(string(i.Op)) {
			t.Errorf("Parse(%q) names the operation %q", text, i.Op)
		}
		if failover.IsOpID(strings.ToLower(i.VM)) {
			t.Errorf("Parse(%q) takes an operation for a VM", text)
		}
		if i.Row && len(strings.Fields(i.VM)) < 2 {
			t.Errorf("Parse(%q) is a row of %q", text, i.VM)
		}
		named := i.VM != "" || i.Op != ""
		if mutating := !i.ReadOnly; mutating != named {
			t.Errorf("Parse(%q) = %+v: what changes something names it, what reads does not", text, i)
		}
	})
}
