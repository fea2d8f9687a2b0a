package bot_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ferry/bot"
	"ferry/failover"
)

const anOp = "op-7f3kq2mz"

func noon() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// run is the intent that most lines mean.
func run(vm string, change ...func(*bot.Intent)) bot.Intent {
	i := bot.Intent{Verb: "run", VM: vm, Shutdown: true, Point: failover.Point{Kind: failover.Latest}}
	for _, c := range change {
		c(&i)
	}
	return i
}

// row is the intent of several VMs.
func row(vms string, change ...func(*bot.Intent)) bot.Intent {
	i := run(vms, change...)
	i.Row = true
	return i
}

func because(reason string) func(*bot.Intent) { return func(i *bot.Intent) { i.Reason = reason } }
func noShutdown(i *bot.Intent)                { i.Shutdown = false }

func at(p failover.Point) func(*bot.Intent) { return func(i *bot.Intent) { i.Point = p } }

func TestParse(t *testing.T) {
	app, processed := failover.Point{Kind: failover.LatestApp}, failover.Point{Kind: failover.LatestProcessed}
	ago := failover.Point{Kind: failover.AtTime, Time: noon().Add(-20 * time.Minute)}
	guid := "6c2f0a52-1111-2222-3333-000000000001"
	help := func(topic string) bot.Intent { return bot.Intent{Verb: "help", Topic: topic, ReadOnly: true} }
	for text, want := range map[string]bot.Intent{
		"":                         help(""),
		"  \t ":                    help(""),
		"help":                     help(""),
		"help COMMIT":              help("commit"),
		"--help":                   help(""),
		"commit --help":            help("commit"),
		"vm-x -h":                  help(""),
		"vm-x":                     run("vm-x"),
		"forecast vm-x":            {Verb: "forecast", Ref: "vm-x", ReadOnly: true},
		"Forecast neu/web-1 web-2": {Verb: "forecast", Ref: "neu/web-1 web-2", ReadOnly: true},
		"forecast Group checkout":  {Verb: "forecast", Ref: "checkout", Group: true, ReadOnly: true},
		"forecast plan shop":       {Verb: "forecast", Ref: "shop", Plan: true, ReadOnly: true},
		"vm-x --break-glass --reason the region is down": run("vm-x", because("the region is down"), func(i *bot.Intent) { i.BreakGlass = true }),
		"vm-x --reason the region is down —break-glass":  run("vm-x", because("the region is down"), func(i *bot.Intent) { i.BreakGlass = true }),
		"commit vm-x --confirm vm-x":                     {Verb: "commit", VM: "vm-x", Confirm: "vm-x"},
		"plan shop --confirm=shop":                       {Verb: "plan", VM: "shop", Shutdown: true, Point: failover.Point{Kind: failover.Latest}, Confirm: "shop"},
		"Freeze --reason x":                              {Verb: "freeze", Reason: "x"},
		"freeze web-* --reason x":                        {Verb: "freeze", VM: "web-*", Reason: "x"},
		"unfreeze":                                       {Verb: "unfreeze"},
		"unfreeze web-*":                                 {Verb: "unfreeze", VM: "web-*"},
		"run vm-x":                                       run("vm-x"),
		"RUN vm-x LATEST":                                run("vm-x"),
		"run status":                                     run("status"),
		"run test latest":                                run("test"),
		"vault-neu/vm-x":                                 run("vault-neu/vm-x"),
		"vm-x latest":                                    run("vm-x"),
		"Vm-X latest-app":                                run("Vm-X", at(app)),
		"comit latest":                                   run("comit"), // a VM may be called so; the answer names the verb when none is
		"vm-x —20m":                                      run("vm-x", at(ago)),
		"vm-x −20m":                                      run("vm-x", at(ago)),
		"vm-x -20m":                                      run("vm-x", at(ago)),
		"vm-x " + guid:                                   run("vm-x", at(failover.Point{Kind: failover.ByID, ID: guid})),
		"vm-x 14:05":                                     run("vm-x", at(failover.Point{Kind: failover.AtTime, Time: noon().Add(125*time.Minute).AddDate(0, 0, -1)})),
		"vm-x latest–app":                                run("vm-x", at(app)),
		"op-7f3kq2m1":                                    run("op-7f3kq2m1"), // 1 is not in the alphabet: a VM
		"vm-x --no-shutdown":                             run("vm-x", noShutdown),
		"vm-x —no-shutdown":                              run("vm-x", noShutdown),
		"vm-x –no‑shutdown":                              run("vm-x", noShutdown),
		"vm-x ——no—shutdown":                             run("vm-x", noShutdown),
		"--NO-SHUTDOWN vm-x":                             run("vm-x", noShutdown),
		"vm-x --reason a  b":                             run("vm-x", because("a b")),
		"vm-x --reason=a":                                run("vm-x", because("a")),
		"vm-x --reason=a=b":                              run("vm-x", because("a=b")),
		`vm-x --reason="a b"`:                            run("vm-x", because("a b")),
		`vm-x --reason "a b" latest-processed`:           run("vm-x", because("a b"), at(processed)),
		`--reason “a — b” vm-x`:                          run("vm-x", because("a — b")),
		`vm-x --reason «a b»`:                            run("vm-x", because("a b")),
		`vm-x --reason 'it''s' `:                         run("vm-x", because("it''s")),
		"vm-x --reason disk doesn’t answer":              run("vm-x", because("disk doesn't answer")),
		`vm-x --reason "--force is not needed"`:          run("vm-x", because("--force is not needed")),
		"vm-x --reason a b --no-shutdown":                run("vm-x", because("a b"), noShutdown),
		"vm-x --reason a -1 b":                           run("vm-x", because("a -1 b")),
		"vm-x —reason a — b":                             run("vm-x", because("a — b")),
		"vm-x --reason a &amp;&amp; &lt;b&gt; &amp;lt;":  run("vm-x", because("a && <b> &lt;")),
		"<http://web.example|web.example> latest":        run("web.example"),
		"<https://web.example>":                          run("https://web.example"),
		"vm-x --reason ask <@U1|ben> in <#C1|ops>":       run("vm-x", because("ask ben in ops")),
		"vm-x --reason see <!here>":                      run("vm-x", because("see here")),
		"v\u200bm-x\u202e latest":                        run("vm-x"),
		"vm-x\u00a0latest":                               run("vm-x"),
		"approve " + anOp:                                {Verb: "approve", Op: anOp},
		"Approve OP-7F3KQ2MZ":                            {Verb: "approve", Op: anOp},
		"deny op-7f3kq2mz --reason wrong VM":             {Verb: "deny", Op: anOp, Reason: "wrong VM"},
		"withdraw " + anOp:                               {Verb: "withdraw", Op: anOp},
		"cancel " + anOp:                                 {Verb: "cancel", Op: anOp},
		"commit " + anOp:                                 {Verb: "commit", Op: anOp},
		"commit op‑7f3kq2mz":                             {Verb: "commit", Op: anOp},
		"commit vm-x":                                    {Verb: "commit", VM: "vm-x"},
		"commit vault/vm-x":                              {Verb: "commit", VM: "vault/vm-x"},
		"status":                                         {Verb: "status", ReadOnly: true},
		"status vm-x":                                    {Verb: "status", ReadOnly: true, Ref: "vm-x"},
		"status OP-7f3kq2mz":                             {Verb: "status", ReadOnly: true, Ref: anOp},
		"list":                                           {Verb: "list", ReadOnly: true},
		"vm-a vm-b vm-c":                                 row("vm-a vm-b vm-c"),
		"vm-a vault/vm-b latest-app":                     row("vm-a vault/vm-b", at(app)),
		"vm-a vm-b -20m --no-shutdown --confirm 2":       row("vm-a vm-b", at(ago), noShutdown, func(i *bot.Intent) { i.Confirm = "2" }),
		"run status vm-b":                                row("status vm-b"),
		"run latest latest":                              run("latest"),
		"vm-x vault/latst":                               row("vm-x vault/latst"),
		"group checkout":                                 {Verb: "group", VM: "checkout", Shutdown: true, Point: failover.Point{Kind: failover.Latest}},
		"Group Checkout -20m --reason region is down":    {Verb: "group", VM: "Checkout", Shutdown: true, Point: ago, Reason: "region is down"},
		"reprotect group checkout":                       {Verb: "reprotect", VM: "checkout", Group: true},
		"reprotect " + anOp:                              {Verb: "reprotect", Op: anOp},
		"failback group checkout latest-app":             {Verb: "failback", VM: "checkout", Group: true, Shutdown: true, Point: app},
		"failback " + anOp:                               {Verb: "failback", Op: anOp, Shutdown: true, Point: failover.Point{Kind: failover.Latest}},
		"failback vault/group":                           {Verb: "failback", VM: "vault/group", Shutdown: true, Point: failover.Point{Kind: failover.Latest}},
		"hold " + anOp + " --reason wait":                {Verb: "hold", Op: anOp, Reason: "wait"},
		"resume " + anOp:                                 {Verb: "resume", Op: anOp},
		"skip " + anOp + " vm-x":                         {Verb: "skip", Op: anOp, VM: "vm-x"},
		"retry " + anOp:                                  {Verb: "retry", Op: anOp},
		"retry " + anOp + " vault/vm-x":                  {Verb: "retry", Op: anOp, VM: "vault/vm-x"},
	} {
		got, refusal := bot.Parse(text, noon())
		if refusal != nil {
			t.Errorf("Parse(%q) refused: %v", text, refusal)
		} else if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("Parse(%q) (-want +got):\n%s", text, diff)
		}
	}
}

// TestParseRefuses holds every refusal to its kind and to the thing to type.
func TestParseRefuses(t *testing.T) {
	for text, want := range map[string]struct {
		kind  failover.RefusalKind
		parts []string
	}{
		"vm-x --reason " + strings.Repeat("x", 8000): {failover.BadUsage, []string{"more than 8000", "Shorten"}},
		"vm-x --reason " + strings.Repeat("x", 8000): {failover.BadUsage, []string{"more than 8000", "Shorten"}},
		"freeze web-1 web-2 --reason x":              {failover.BadUsage, []string{"one word too many"}},
		"forecast":                                   {failover.BadUsage, []string{"needs the name of a VM", "forecast group checkout"}},
		"forecast group":                             {failover.BadUsage, []string{"needs a name"}},
		"forecast group a b":                         {failover.BadUsage, []string{"one word too many"}},
		"forecast op-7f3kq2mz":                       {failover.BadUsage, []string{"is an operation"}},
		"freeze --reason":                            {failover.BadUsage, []string{"--reason needs a text"}},
		"comit vm-x":                                 {failover.BadUsage, []string{"Did you mean /failover commit vm-x?", "/failover run comit vm-x", "Nothing was started"}},
		"comit vm-x latest":                          {failover.BadUsage, []string{"Did you mean /failover commit vm-x?", "/failover run comit vm-x latest"}},
		"vm-x vm-y latst":                            {failover.BadUsage, []string{`"latst" is no recovery point. Nothing was started. Did you mean the recovery point latest? A VM of that name is typed with its vault, as in vault/latst.`}},
		"vm-x latest-ap":                             {failover.BadUsage, []string{"Did you mean the recovery point latest-app?"}},
		"run vm-x lates":                             {failover.BadUsage, []string{"Did you mean the recovery point latest?"}},
		"run vm-x vm-y -20x":                         {failover.BadUsage, []string{`"-20x" is no recovery point`}},
		"vm-x vm-y 1405":                             {failover.BadUsage, []string{`"1405" is no recovery point`, "14:05 (UTC)"}},
		"vm-x vm-y 20m":                              {failover.BadUsage, []string{`"20m" is no recovery point`}},
		"vm-x vm-y 2026-11-23 14:05":                 {failover.BadUsage, []string{`"2026-11-23" is no recovery point`, "2026-11-23T14:05Z"}},
		"vm-x vm-y commit":                           {failover.BadUsage, []string{"The verb comes first: /failover commit vm-x"}},
		"vm-x op-7f3kq2mz":                           {failover.BadUsage, []string{"is an operation, not a VM"}},
		"run vm-x 'my vm'":                           {failover.BadUsage, []string{`"my vm" has a space in it`, "by itself"}},
		"vm-x vm-y --confirm":                        {failover.BadUsage, []string{"--confirm needs a text"}},
		"vm-x --confirm 1":                           {failover.BadUsage, []string{"Only of several VMs", "without --confirm"}},
		"group":                                      {failover.BadUsage, []string{"group needs a name", "/failover group checkout"}},
		"grop checkout":                              {failover.BadUsage, []string{"Did you mean /failover group checkout?"}},
		"group checkout latst":                       {failover.BadUsage, []string{`"latst" is no recovery point`}},
		"group checkout vm-x latest":                 {failover.BadUsage, []string{`"vm-x" is no recovery point`, "leave the word group out: /failover checkout vm-x latest."}},
		"failback group":                             {failover.BadUsage, []string{"failback needs a name", "/failover failback group checkout"}},
		"commit group checkout":                      {failover.BadUsage, []string{"commit takes no group. Nothing was started. Type /failover commit OP, which commits all its VMs that are up; /failover status checkout shows the operation."}},
		"skip op-7f3kq2mz":                           {failover.BadUsage, []string{"skip needs the name of a VM", "/failover skip op-7f3kq2mz vm-x"}},
		"skip vm-x op-7f3kq2mz":                      {failover.BadUsage, []string{"The operation comes first: /failover skip op-7f3kq2mz vm-x."}},
		"skip op-aaaaaaaa":                           {failover.BadUsage, []string{"skip needs the name of a VM. Type /failover skip op-aaaaaaaa vm-x."}},
		"change op-aaaaaaaa":                         {failover.BadUsage, []string{"change op-aaaaaaaa latest-app"}},
		"skip op-7f3kq2mz op-7f3kq2mz":               {failover.BadUsage, []string{"is an operation, not a VM"}},
		"skip op-7f3kq2mz vm-x vm-y":                 {failover.BadUsage, []string{"skip takes one VM at a time. Nothing was started. Type /failover skip op-7f3kq2mz vm-x, then /failover skip op-7f3kq2mz vm-y."}},
		"aprove " + anOp:                             {failover.BadUsage, []string{"/failover approve " + anOp}},
		"aprove vm-x":                                {failover.BadUsage, []string{"/failover approve " + anOp}},
		"reprotct vm-x":                              {failover.BadUsage, []string{"Did you mean /failover reprotect vm-x?"}},
		"change vm-x":                                {failover.BadUsage, []string{"change needs a recovery point", "/failover change vm-x -20m"}},
		"change vm-x soon":                           {failover.BadUsage, []string{`"soon" is no recovery point`}},
		"incident":                                   {failover.BadUsage, []string{"the time at which the incident began", "/failover incident 14:05"}},
		"incident latest":                            {failover.BadUsage, []string{`"latest" is no time`, "/failover incident -20m"}},
		"test vm-x --network":                        {failover.BadUsage, []string{"needs a text"}},
		"cleanup vm-x --note fine":                   {failover.BadUsage, []string{"Did you mean --notes?"}},
		"held " + anOp:                               {failover.BadUsage, []string{"/failover hold " + anOp, "/failover help"}},
		"failover vm-x":                              {failover.BadUsage, []string{"Did you mean /failover run vm-x?", "Nothing was started"}},
		"vm-x commit":                                {failover.BadUsage, []string{"The verb comes first: /failover commit vm-x."}},
		"vm-x yesterday":                             {failover.BadUsage, []string{`"yesterday" is no recovery point`, "-20m", "2026-11-23T14:05Z"}},
		"run vm-x yesterday":                         {failover.BadUsage, []string{`"yesterday" is no recovery point`, "-20m"}},
		"vm-x 25:99":                                 {failover.BadUsage, []string{"is no recovery point"}},
		anOp:                                         {failover.BadUsage, []string{"is an operation, not a VM", "/failover status " + anOp, "/failover approve " + anOp}},
		"run " + anOp:                                {failover.BadUsage, []string{"/failover status " + anOp}},
		anOp + " latest":                             {failover.BadUsage, []string{"/failover status " + anOp}},
		"run":                                        {failover.BadUsage, []string{"needs the name of a VM", "/failover vm-x"}},
		"--no-shutdown":                              {failover.BadUsage, []string{"needs the name of a VM"}},
		"--reason disk vm-x":                         {failover.BadUsage, []string{"needs the name of a VM"}},
		`""`:                                         {failover.BadUsage, []string{"needs the name of a VM"}},
		"sql-01, sql-02 latest":                      {failover.BadUsage, []string{"No VM has a comma in its name. Nothing was started. Type it with blanks alone: /failover sql-01 sql-02 latest."}},
		"forecast sql-01,sql-02":                     {failover.BadUsage, []string{"Type it with blanks alone: /failover forecast sql-01 sql-02."}},
		"stop " + anOp:                               {failover.BadUsage, []string{`"stop" is no verb. Nothing was started. Did you mean /failover hold ` + anOp + ", or /failover cancel " + anOp + "?"}},
		"Abort " + anOp:                              {failover.BadUsage, []string{"Did you mean /failover cancel " + anOp + "?"}},
		"drill vm-x":                                 {failover.BadUsage, []string{"Did you mean /failover test vm-x?", "/failover run drill vm-x"}},
		"vm-x latest vm-y":                           {failover.BadUsage, []string{`"latest" is a recovery point`, "The recovery point comes last: /failover vm-x vm-y latest."}},
		"approve":                                    {failover.BadUsage, []string{"/failover approve " + anOp}},
		"approve vm-x":                               {failover.BadUsage, []string{`"vm-x" is none`, "/failover approve " + anOp}},
		"approve op-123":                             {failover.BadUsage, []string{"no operation id", "eight characters"}},
		"approve op-7f3kq2mz op-aaaaaaaa":            {failover.BadUsage, []string{"one word too many", "/failover approve OP"}},
		"commit":                                     {failover.BadUsage, []string{"/failover commit vm-x"}},
		"commit vm-x latest":                         {failover.BadUsage, []string{"one word too many"}},
		"commit vm-x --reason done":                  {failover.BadUsage, []string{"commit does not take --reason", "/failover commit VM|OP"}},
		"cancel vm-x":                                {failover.BadUsage, []string{"/failover cancel " + anOp, "/failover status"}},
		"list vm-x":                                  {failover.BadUsage, []string{"/failover list"}},
		"help commit vm-x":                           {failover.BadUsage, []string{"one word too many"}},
		"vm-x --reson disk":                          {failover.BadUsage, []string{"Did you mean --reason?"}},
		"vm-x --no-shutdwn":                          {failover.BadUsage, []string{"Did you mean --no-shutdown?"}},
		"vm-x -no-shutdown":                          {failover.BadUsage, []string{"Did you mean --no-shutdown?"}},
		"commit vm-x --no-shutdwn":                   {failover.BadUsage, []string{"--no-shutdown", "commit does not take it"}},
		"vm-x --xyzzy":                               {failover.BadUsage, []string{`no flag "--xyzzy"`, "/failover VM... [POINT]"}},
		"vm-x --no-shutdown=false":                   {failover.BadUsage, []string{"takes no value"}},
		"vm-x --no-shutdown --no-shutdown":           {failover.BadUsage, []string{"twice"}},
		"vm-x --reason":                              {failover.BadUsage, []string{"needs a text"}},
		"vm-x --reason=":                             {failover.BadUsage, []string{"needs a text"}},
		"vm-x --reason --no-shutdown":                {failover.BadUsage, []string{"needs a text"}},
		`vm-x --reason ""`:                           {failover.BadUsage, []string{"needs a text"}},
		"hold vm-x":                                  {failover.BadUsage, []string{"hold needs the id of an operation", "/failover hold op-7f3kq2mz"}},
		"handover":                                   {failover.Unavailable, []string{"/failover handover is not available yet"}},
	} {
		got, refusal := bot.Parse(text, noon())
		if refusal == nil {
			t.Errorf("Parse(%q) = %+v, not refused", text, got)
			continue
		}
		if refusal.Kind != want.kind || refusal.Hint == "" {
			t.Errorf("Parse(%q): kind %s, hint %q", text, refusal.Kind, refusal.Hint)
		}
		for _, part := range want.parts {
			if !strings.Contains(bot.RefusalText(refusal), part) {
				t.Errorf("Parse(%q) says %q, without %q", text, bot.RefusalText(refusal), part)
			}
		}
	}
}

// A group, a recovery plan or VMs in a row, where they cannot stand: one answer says so at once, and what to type instead.
func TestSeveralWhereOneIsMeant(t *testing.T) {
	for text, want := range map[string]string{
		"test group checkout":                 "test takes no group. Nothing was started. A drill is of one VM: type /failover test VM, for each of its VMs that you want to drill.",
		"Test Group checkout latest-app":      "test takes no group. Nothing was started. A drill is of one VM: type /failover test VM",
		"test plan shop --network vnet-drill": "test takes no recovery plan. Nothing was started. A drill is of one VM: type /failover test VM",
		"test vm-a vm-b":                      `"vm-b" is no recovery point, and test takes one VM at a time. Nothing was started. Type /failover test vm-a, then /failover test vm-b.`,
		"test vm-a vm-b vm-c vm-d latest-app": "test takes one VM at a time. Nothing was started. Type /failover test vm-a latest-app, then /failover test vm-b latest-app, then /failover test vm-c latest-app, and so on.",
		"cleanup group checkout":              "cleanup takes no group. Nothing was started. Type /failover cleanup VM, for each VM that was drilled; /failover debt lists them.",
		"cleanup vm-a vm-b":                   "cleanup takes one VM at a time. Nothing was started. Type /failover cleanup vm-a, then /failover cleanup vm-b.",
		"change group checkout -20m":          "change takes no group. Nothing was started. A recovery point is changed of one VM: type /failover change VM POINT. An open operation on several VMs is ended first, with /failover cancel OP, which leaves them as they are.",
		"change vm-a vm-b -20m":               "change takes one VM at a time. Nothing was started. Type /failover change vm-a -20m, then /failover change vm-b -20m. An open operation",
		"change op-7f3kq2mz vm-a latest":      "change takes an operation as a whole, or one VM. Nothing was started. Type /failover change vm-a POINT. An open operation",
		"commit plan shop":                    "commit takes no recovery plan. Nothing was started. Type /failover commit OP, which commits all its VMs that are up; /failover status shop",
		"commit vm-a vm-b":                    "commit takes one VM at a time. Nothing was started. Type /failover commit vm-a, then /failover commit vm-b. For all VMs of an operation type /failover commit OP.",
		"commit op-7f3kq2mz vm-a":             "commit takes an operation as a whole, or one VM. Nothing was started. Type /failover commit op-7f3kq2mz, which commits all its VMs that are up. To leave one out first, type /failover skip op-7f3kq2mz vm-a.",
		"reprotect plan shop":                 "reprotect takes no recovery plan. Nothing was started. Type /failover reprotect OP with the operation that failed its VMs over",
		"reprotect vm-a vm-b":                 "Type /failover reprotect vm-a, then /failover reprotect vm-b. For all VMs of an operation type /failover reprotect OP, for those of a group /failover reprotect group NAME.",
		"failback vm-a vm-b latest":           "Type /failover failback vm-a latest, then /failover failback vm-b latest. For all VMs",
		"failback op-7f3kq2mz vm-a":           "Type /failover failback op-7f3kq2mz for all its VMs, or /failover failback vm-a.",
		"status group checkout":               "Type /failover status checkout.",
		"points group checkout":               "points takes no group. Nothing was started. Type /failover points VM, with one of its VMs.",
		"freeze group checkout --reason x":    "freeze takes no group. Nothing was started. A freeze goes by the names of VMs: type /failover freeze PATTERN, such as web-*, or /failover freeze alone for every VM.",
		"retry op-7f3kq2mz vm-a vm-b":         "Type /failover retry op-7f3kq2mz vm-a, then /failover retry op-7f3kq2mz vm-b. For all that failed type /failover retry op-7f3kq2mz.",
	} {
		got, refusal := bot.Parse(text, noon())
		if refusal == nil {
			t.Errorf("Parse(%q) = %+v, not refused", text, got)
		} else if said := bot.RefusalText(refusal); !strings.HasPrefix(said, want) && !strings.Contains(said, ". "+want) || refusal.Kind != failover.BadUsage || len(said) > 300 {
			t.Errorf("Parse(%q) says %q (%s)", text, said, refusal.Kind)
		}
	}
	for text, want := range map[string]bot.Intent{ // a VM may be called so
		"test group latest": {Verb: "test", VM: "group", Point: failover.Point{Kind: failover.Latest}},
		"status group":      {Verb: "status", ReadOnly: true, Ref: "group"},
		"test plan":         {Verb: "test", VM: "plan", Point: failover.Point{Kind: failover.Latest}},
	} {
		if got, refusal := bot.Parse(text, noon()); refusal != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v", text, got, refusal)
		}
	}
	if i, refusal := bot.Parse("hold group checkout", noon()); refusal == nil || i.Verb != "hold" || i.Ref != "checkout" {
		t.Errorf("the operation of a group is not looked for: %+v %v", i, refusal)
	}
}

func TestParseWords(t *testing.T) {
	for _, row := range []struct {
		words []string
		want  bot.Intent
	}{
		{nil, bot.Intent{Verb: "help", ReadOnly: true}},
		{[]string{"run", "vm-x", "--reason", "a b", "latest"}, run("vm-x", because("a b"))},
		{[]string{"run", "vm-x", "--reason=a  b", "latest"}, run("vm-x", because("a  b"))},
		{[]string{"run", "vm-x", "--reason", "--force is bad", "—no-shutdown"}, run("vm-x", because("--force is bad"), noShutdown)},
		{[]string{"run", "my vm"}, run("my vm")},
		{[]string{"run", "vm-x", "--reason", "a", "b"}, run("vm-x", because("a b"))},
		{[]string{"run", "vm-x", "--reason", "&amp;"}, run("vm-x", because("&amp;"))}, // a shell escapes nothing
	} {
		got, refusal := bot.ParseWords(row.words, noon())
		if refusal != nil {
			t.Errorf("ParseWords(%q) refused: %v", row.words, refusal)
		} else if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("ParseWords(%q) (-want +got):\n%s", row.words, diff)
		}
	}
}

func TestCommand(t *testing.T) {
	by := failover.Actor{ID: "U1", Name: "ana"}
	intent := run("vm-x", because("disk"), noShutdown)
	want := failover.Command{
		MessageID: "m", Op: "op-aaaaaaaa", Verb: failover.VerbFailover, By: by, Target: "vm-x",
		Point: failover.Point{Kind: failover.Latest}, Reason: "disk", At: noon(), ValidUntil: noon().Add(10 * time.Minute),
	}
	if diff := cmp.Diff(want, intent.Command("m", "op-aaaaaaaa", by, noon())); diff != "" {
		t.Errorf("a failover (-want +got):\n%s", diff)
	}
	for _, verb := range []failover.Verb{failover.VerbApprove, failover.VerbDeny, failover.VerbWithdraw, failover.VerbCommit, failover.VerbCancel} {
		intent, refusal := bot.Parse(string(verb)+" "+anOp, noon())
		cmd := intent.Command("m", "op-aaaaaaaa", by, noon())
		if refusal != nil || cmd.Op != anOp || cmd.Verb != verb || cmd.Target != "" {
			t.Errorf("%s of a named operation became %+v, %v", verb, cmd, refusal)
		}
	}
	for text, want := range map[string]failover.Command{
		"vm-x vm-y":           {Verb: failover.VerbGroup, Row: true, Target: "vm-x vm-y", Shutdown: true},
		"group shop":          {Verb: failover.VerbGroup, Target: "shop", Shutdown: true},
		"reprotect group s":   {Verb: failover.VerbReprotect, Group: true, Target: "s"},
		"failback group s":    {Verb: failover.VerbFailback, Group: true, Target: "s", Shutdown: true},
		"skip " + anOp + " s": {Op: anOp, Verb: failover.VerbSkip, Target: "s"},
		"hold " + anOp:        {Op: anOp, Verb: failover.VerbHold},
	} {
		intent, refusal := bot.Parse(text, noon())
		got := intent.Command("m", "op-aaaaaaaa", by, noon())
		if want.Op == "" {
			want.Op = "op-aaaaaaaa"
		}
		want.MessageID, want.By, want.Point, want.At, want.ValidUntil = got.MessageID, by, got.Point, got.At, got.ValidUntil
		if diff := cmp.Diff(want, got); diff != "" || refusal != nil {
			t.Errorf("%s: %v (-want +got):\n%s", text, refusal, diff)
		}
	}
	if cmd := (bot.Intent{Verb: "status", ReadOnly: true}).Command("m", anOp, by, noon()); cmd != (failover.Command{}) {
		t.Errorf("a read became the command %+v", cmd)
	}
}
