package bot_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ferry/bot"
	"ferry/failover"
)

// TestGrammarIsComplete lists the verbs by hand: a verb that is lost from the table is noticed here.
func TestGrammarIsComplete(t *testing.T) {
	available := strings.Fields("run group plan hold resume skip retry approve deny withdraw change commit reprotect failback test cleanup incident cancel freeze unfreeze status list points jobs debt readiness forecast report help")
	reserved := strings.Fields("handover")
	var names []string
	for _, r := range bot.Grammar() {
		names = append(names, r.Name)
		if r.Available != slices.Contains(available, r.Name) {
			t.Errorf("%s: available is %v", r.Name, r.Available)
		}
		if r.Summary == "" || r.Who == "" || r.Group == "" || !strings.HasPrefix(r.Usage, bot.Command+" ") && r.Usage != bot.Command {
			t.Errorf("%s is not complete: %+v", r.Name, r)
		}
		if r.Available && len(r.Examples) == 0 {
			t.Errorf("%s has no example", r.Name)
		}
	}
	want := slices.Concat(available, reserved)
	slices.Sort(want)
	slices.Sort(names)
	if !slices.Equal(names, want) {
		t.Errorf("verbs are\n%v, want\n%v", names, want)
	}
}

// TestExamplesMeanTheirVerb parses each example as it is printed.
func TestExamplesMeanTheirVerb(t *testing.T) {
	for _, r := range bot.Grammar() {
		for _, e := range r.Examples {
			i, refusal := bot.Parse(strings.TrimPrefix(e, bot.Command), noon())
			if refusal != nil || i.Verb != r.Name || i.ReadOnly != r.ReadOnly {
				t.Errorf("example %q of %s means %+v, %v", e, r.Name, i, refusal)
			}
		}
	}
}

func verbNames() []string {
	var names []string
	for _, r := range bot.Grammar() {
		names = append(names, r.Name)
	}
	return names
}

// mutate makes one edit: insert, delete, replace, or swap two neighbours.
func mutate(t *rapid.T, word string) string {
	runes := []rune(word)
	letter := rapid.RuneFrom([]rune("abcdefghijklmnopqrstuvwxyz0123456789-éß")).Draw(t, "letter")
	i := rapid.IntRange(0, len(runes)-1).Draw(t, "at")
	switch rapid.SampledFrom([]string{"insert", "append", "delete", "replace", "swap"}).Draw(t, "edit") {
	case "insert":
		return string(slices.Insert(runes, i, letter))
	case "append":
		return word + string(letter)
	case "delete":
		return string(slices.Delete(runes, i, i+1))
	case "replace":
		runes[i] = letter
	case "swap":
		j := min(i+1, len(runes)-1)
		runes[i], runes[j] = runes[j], runes[i]
	}
	return string(runes)
}

// TestNearVerbFindsTypos: one slip of the finger finds the verb, or another that is just as near.
func TestNearVerbFindsTypos(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		verb := rapid.SampledFrom(verbNames()).Draw(t, "verb")
		typo := mutate(t, verb)
		if typo != verb && slices.Contains(verbNames(), typo) {
			t.Skip("another verb")
		}
		if rapid.Bool().Draw(t, "loud") {
			typo = strings.ToUpper(typo)
		}
		got, ok := bot.NearVerb(typo)
		if !ok || got.Name != verb && failover.Distance(strings.ToLower(typo), got.Name) > failover.Distance(strings.ToLower(typo), verb) {
			t.Fatalf("NearVerb(%q) = %q, %v; meant was %q", typo, got.Name, ok, verb)
		}
	})
}

// TestNearVerbPrefersWhatWorks: "held" is as near to hold as to help, and only help is available.
func TestNearVerbPrefersWhatWorks(t *testing.T) {
	if r, ok := bot.NearVerb("held"); !ok || r.Name != "help" {
		t.Errorf("NearVerb(held) = %s, %v", r.Name, ok)
	}
}

// TestNearVerbOfTheCommandItself: who types its name twice, well or badly, is shown the verb that is left out.
func TestNearVerbOfTheCommandItself(t *testing.T) {
	for _, word := range []string{"failover", "Failover", "faliover", "failovr"} {
		if r, ok := bot.NearVerb(word); !ok || r.Name != "run" {
			t.Errorf("NearVerb(%s) = %s, %v", word, r.Name, ok)
		}
	}
	if r, ok := bot.NearVerb("failbck"); !ok || r.Name != "failback" {
		t.Errorf("NearVerb(failbck) = %s, %v", r.Name, ok)
	}
}

func TestNearVerbOfVMNames(t *testing.T) {
	for _, name := range []string{"vm-x", "sql-01", "web-prod-01", "op-7f3kq2mz", "x", ""} {
		if r, ok := bot.NearVerb(name); ok {
			t.Errorf("NearVerb(%q) = %s", name, r.Name)
		}
	}
}

// TestTypoNeverRuns: a mistyped verb with an argument is refused, and the answer has a line that works.
func TestTypoNeverRuns(t *testing.T) {
	line := regexp.MustCompile(`/failover [^?,.]+`)
	rapid.Check(t, func(t *rapid.T) {
		verb := rapid.SampledFrom(verbNames()).Draw(t, "verb")
		typo := mutate(t, verb)
		if slices.Contains(verbNames(), strings.ToLower(typo)) || strings.HasPrefix(typo, "-") {
			t.Skip("a verb")
		}
		arg := rapid.SampledFrom([]string{"vm-x", anOp, "commit"}).Draw(t, "argument")
		intent, refusal := bot.Parse(typo+" "+arg, noon())
		if refusal == nil {
			t.Fatalf("%q %q was taken for %+v", typo, arg, intent)
		}
		offered := line.FindString(refusal.Hint)
		if _, no := bot.Parse(strings.TrimPrefix(offered, bot.Command), noon()); offered == "" || no != nil && no.Kind != failover.Unavailable {
			t.Fatalf("%q %q is answered %q, which does not work", typo, arg, bot.RefusalText(refusal))
		}
	})
}

// TestReasonSurvives: what stands in quotes arrives as it was typed.
func TestReasonSurvives(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		reason := strings.TrimSpace(rapid.StringMatching(`[a-zA-Z0-9 =&<>'/.,;:#|—–-]{1,60}`).Draw(t, "reason"))
		if reason == "" {
			t.Skip("nothing")
		}
		typed := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(reason)
		got, refusal := bot.Parse(`vm-x --reason "`+typed+`" latest-app`, noon())
		if refusal != nil || got.Reason != reason || got.Point.Kind != failover.LatestApp {
			t.Fatalf("reason %q became %+v, %v", reason, got, refusal)
		}
	})
}
