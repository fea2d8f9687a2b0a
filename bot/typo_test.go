package bot_test

import (
	"slices"
	"strings"
	"testing"

	"ferry/bot"
	"ferry/failover"
)

// typos are all that one slip of the finger makes of a word: a letter too many, too few, another one, or two swapped.
func typos(word string) []string {
	var all []string
	for i := 0; i <= len(word); i++ {
		for _, letter := range "abcdefghijklmnopqrstuvwxyz0123456789-" {
			all = append(all, word[:i]+string(letter)+word[i:])
			if i < len(word) {
				all = append(all, word[:i]+string(letter)+word[i+1:])
			}
		}
		if i < len(word) {
			all = append(all, word[:i]+word[i+1:])
		}
		if i+1 < len(word) {
			all = append(all, word[:i]+word[i+1:i+2]+word[i:i+1]+word[i+2:])
		}
	}
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(typo string) bool { return typo == word })
}

// answered is what somebody is told who typed a line about a VM that nobody knows: the parser's refusal, or the executor's.
func answered(t *testing.T, typed string, vms []failover.Item) (text string, ran bool) {
	t.Helper()
	intent, refusal := bot.Parse(typed, noon())
	switch {
	case refusal != nil:
		return bot.RefusalText(refusal), false
	case intent.ReadOnly && intent.Ref != "":
		if _, refusal = (failover.Inventory{Items: vms, At: noon()}).Lookup(intent.Ref); refusal != nil {
			return bot.RefusalText(refusal), false
		}
		return "", true
	case intent.ReadOnly, intent.Op != "":
		return "", true
	}
	cmd := intent.Command("m", "op-aaaaaaaa", failover.Actor{ID: "U0ANA"}, noon())
	if cmd.Row {
		_, refusal = failover.GatherRow(vms, cmd.Target)
	} else {
		_, refusal = failover.Resolve(vms, cmd.Target)
	}
	if refusal == nil {
		return "", true
	}
	return bot.AnswerTo(cmd, failover.Operation{}, failover.Answer{Refused: refusal}), false
}

func estate() []failover.Item {
	var vms []failover.Item
	for name := range strings.FieldsSeq("vm-x vm-y sql-01 sql-02 app-01 app-02 web-01 web-02 cache-01 queue-01 batch-01 files-01") {
		vms = append(vms, failover.Item{Key: name, Name: name, Vault: "vault-dr", ResourceGroup: "rg-shop"})
	}
	return vms
}

// Every verb with every slip of the finger, alone and before a VM: nothing runs, and the answer has a line for the verb.
func TestEveryTypoOfEveryVerb(t *testing.T) {
	tried := 0
	for _, r := range bot.Grammar() {
		for i, typo := range typos(r.Name) {
			if slices.Contains(verbNames(), typo) || typo == "-help" || testing.Short() && i%10 > 0 {
				continue
			}
			lines := []string{typo, typo + " vm-x"}
			if i%5 == 0 {
				lines = append(lines, typo+" vm-x vm-y latest")
			}
			for _, line := range lines {
				tried++
				text, ran := answered(t, line, estate())
				line := "/failover " + r.Name
				if r.Name == "run" { // which is left out in its examples
					line = "/failover "
				}
				if ran || !strings.HasPrefix(typo, "-") && !strings.Contains(text, line) {
					t.Errorf("%q for %s: %q", typo, r.Name, text)
				}
			}
		}
	}
	t.Logf("%d lines", tried)
}

// Every VM with every slip of the finger, behind every verb that takes one: nothing runs, and the nearest name stands in the
// answer; where several are as near, one of them.
func TestEveryTypoOfEveryVM(t *testing.T) {
	var before []string
	for _, r := range bot.Grammar() {
		if r.Available && strings.HasPrefix(strings.Trim(r.Args, "["), "VM") {
			before = append(before, r.Name+" ")
		}
	}
	tried := 0
	for _, vm := range estate() {
		for i, typo := range typos(vm.Name) {
			if strings.HasPrefix(typo, "-") || testing.Short() && i%10 > 0 || slices.ContainsFunc(estate(), func(other failover.Item) bool { return other.Name == typo }) {
				continue
			}
			tried++
			line := before[i%len(before)] + typo
			if strings.HasPrefix(line, "change ") {
				line += " latest"
			}
			if strings.HasPrefix(line, "run ") {
				line = typo
			}
			text, ran := answered(t, line, estate())
			near := slices.DeleteFunc(estate(), func(other failover.Item) bool { return failover.Distance(typo, other.Name) > 1 })
			named := slices.ContainsFunc(near, func(other failover.Item) bool { return strings.Contains(text, other.Name+" (vault") })
			if ran || !named {
				t.Errorf("%q: %q", line, text)
			}
		}
	}
	t.Logf("%d lines, behind %s", tried, strings.Join(before, ""))
}

// Every VM of a row with every slip of the finger: nothing runs, and the nearest name stands in the answer.
func TestEveryTypoInARow(t *testing.T) {
	tried := 0
	for _, vm := range estate() {
		for i, typo := range typos(vm.Name) {
			known := slices.ContainsFunc(estate(), func(other failover.Item) bool { return other.Name == typo })
			if known || strings.HasPrefix(typo, "-") || i%5 > 0 || testing.Short() && i%50 > 0 {
				continue
			}
			for _, line := range []string{typo + " cache-01 queue-01", "cache-01 " + typo + " queue-01 latest", "run cache-01 " + typo} {
				tried++
				text, ran := answered(t, line, estate())
				named := slices.ContainsFunc(estate(), func(other failover.Item) bool {
					return failover.Distance(typo, other.Name) <= 1 && strings.Contains(text, other.Name+" (vault")
				})
				if ran || !named {
					t.Errorf("%q: %q", line, text)
				}
			}
		}
	}
	t.Logf("%d lines", tried)
}

// Every POINT with every slip of the finger behind a VM: it becomes no second VM, and the answer says what a POINT is.
func TestEveryTypoOfAPoint(t *testing.T) {
	tried := 0
	for point := range strings.FieldsSeq("latest latest-app latest-processed 14:05 -20m 2026-11-23T14:05Z 6c2f0a52-1111-2222-3333-000000000001") {
		for i, typo := range typos(point) {
			if _, right := failover.ParsePoint(typo, noon()); right || i%4 > 0 || testing.Short() && i%40 > 0 {
				continue
			}
			for _, line := range []string{"vm-x " + typo, "run vm-x vm-y " + typo} {
				tried++
				text, ran := answered(t, line, estate())
				if flag := strings.HasPrefix(typo, "-"); ran || !flag && !strings.Contains(text, bot.PointForms) {
					t.Errorf("%q: %q", line, text)
				}
			}
		}
	}
	t.Logf("%d lines", tried)
}
