package terminal_test

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// script runs lines in a sandbox of its own, a process: what it sets in its environment meets no other test.
func script(t *testing.T, lines string) (code int, out, errs string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "sandbox", "--script", "-")
	var stdout, stderr bytes.Buffer
	cmd.Env = append(os.Environ(), "FERRY_CHILD=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(lines), &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	lines, err := os.ReadFile("testdata/refusals.txt")
	if err != nil {
		t.Fatal(err)
	}
	if code, out, errs := script(t, string(lines)); code != 0 {
		t.Fatalf("exit %d: %s\n%s", code, errs, out)
	}
}

// The whole journey, twice around, as the document tells it.
func TestScriptOfTheJourney(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for two minutes; go test without -short plays it")
	}
	t.Parallel()
	lines, err := os.ReadFile("../../../docs/journey.txt")
	if err != nil {
		t.Fatal(err)
	}
	if code, out, errs := script(t, string(lines)); code != 0 {
		t.Fatalf("exit %d: %s\n%s", code, errs, out)
	}
}

// The lines about Azure itself.
func TestScriptMakesTrouble(t *testing.T) {
	t.Parallel()
	lines, err := os.ReadFile("testdata/trouble.txt")
	if err != nil {
		t.Fatal(err)
	}
	if code, out, errs := script(t, string(lines)); code != 0 {
		t.Fatalf("exit %d: %s\n%s", code, errs, out)
	}
}

// Groups and rows, held, skipped and tried again; and a region without capacity for a size.
func TestScriptsOfGroups(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a minute; go test without -short plays it")
	}
	t.Parallel()
	for _, file := range []string{"testdata/group.txt", "testdata/sizes.txt"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			lines, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if code, out, errs := script(t, string(lines)); code != 0 {
				t.Fatalf("exit %d: %s\n%s", code, errs, out)
			}
		})
	}
}

// A script that ends with a question shows the answer, to a mention too.
func TestScriptEndsWithAnAnswer(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"ana: /failover points vm-x", "ana: hello\nana: reply to hello: @ferry status\nexpect ana sees No operation is open\nana: @ferry points vm-x"} {
		if code, out, errs := script(t, line); code != 0 || errs != "" || !strings.Contains(out, "newest first") {
			t.Fatalf("%s: exit %d: %s\n%s", line, code, errs, out)
		}
	}
}

// A script that does not go as it says fails, names its line, and says what was there instead.
func TestScriptFails(t *testing.T) {
	t.Parallel()
	rows := map[string]string{
		"within 1s\nexpect ledger unplannedFailover 1":                                                   "line 2: expect ledger unplannedFailover 1: the script did not go as it says after 1s: the ledger has 0 accepted unplannedFailover",
		"ana: /failover vm-x\nexpect card vm-x awaiting approval\nwithin 1s\nexpect card vm-x committed": "awaiting approval",
		"within 1s\nana: click Approve":                                                                  "no button",
		"expect nothing":                                                                                 "say expect card",
		"nobody: /failover vm-x":                                                                         `no person "nobody"`,
		"what is this":                                                                                   "a line is NAME: TEXT",
		"fault earthquake":                                                                               `no fault is of kind "earthquake"`,
		"portal vm-x":                                                                                    "say portal VM OPERATION",
		"portal vm-x update small":                                                                       `"small" is not the name of a size`,
		"portal vm-x failoverCommit":                                                                     "not allowed in the current state",
		"source away":                                                                                    "say source down",
		"role king":                                                                                      "say role operator",
		"speed fast":                                                                                     "say speed N",
		"within soon":                                                                                    "say within DURATION",
		"ana: hello\nana: reply to hello: more\nexpect channel more\nana: reply to hello: /failover vm-x": "line 4: ana: reply to hello: /failover vm-x: ana may not: /failover is not supported in threads",
		"within 1s\nana: reply to nothing: more":                                                          `no message contains "nothing"`,
		"within 1s\nana: fill \"Reason\" with disk errors":                                                "no modal is open",
		"within 1s\nana: submit":                                                                          "no modal is open",
		"within 1s\nana: dismiss":                                                                         "no modal is open",
		"within 1s\nana: choose \"latest\" in \"Recovery point\"":                                         `no menu "Recovery point"`,
		"within 1s\nexpect ana modal none\nexpect ana modal Reason":                                       "line 3: expect ana modal Reason: the script did not go as it says after 1s: ana has no modal open",
		"within 1s\nana: shortcut Wonder":                                                                 `no shortcut "Wonder" that ana is offered`,
		"within 1s\nexpect pinned none\nexpect topic failover":                                            "line 3: expect topic failover: the script did not go as it says after 1s: the topic says instead",
		"slack off":                   "say slack outage DURATION",
		"slack fail chat.update soon": "say slack outage DURATION",
		"slack disconnect bored":      "say slack outage DURATION",
		"within 1s\nana: home\nana: channel\nexpect ana home Waiting":   "ana does not have the Home tab open",
		"within 1s\nana: /failover vm-z\nexpect eve sees No replicated": "what eve sees says instead",
	}
	for lines, says := range rows {
		t.Run(lines, func(t *testing.T) {
			t.Parallel()
			if code, out, errs := script(t, lines); code != 1 || !strings.Contains(errs, says) {
				t.Fatalf("exit %d, want 1 and %q in %s\n%s", code, says, errs, out)
			}
		})
	}
}

// What is for bad days: break-glass, a freeze, names typed once more, a request that nobody decides.
func TestScriptOfAnEmergency(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for a request to expire, 70 s; go test without -short plays it")
	}
	t.Parallel()
	lines, err := os.ReadFile("../../../docs/emergency.txt")
	if err != nil {
		t.Fatal(err)
	}
	if code, out, errs := script(t, string(lines)); code != 0 {
		t.Fatalf("exit %d: %s\n%s", code, errs, out)
	}
}
