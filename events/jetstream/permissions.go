package jetstream

import (
	"slices"
	"strings"

	"ferry/events"
)

// The identities. Each lives in an account of its own, and only the executor's has the stream: a NATS server publishes its
// answers, empty ones too, wherever a request names, without asking whether who requested may publish there. So within the
// account of the stream whoever may ask anything can have facts stored and the stream deleted. From another account an
// answer comes back there, where nothing else listens.
const (
	RoleBot      = "bot"
	RoleExecutor = "executor"
	RoleCLI      = "cli"     // a terminal; "local" is whoever may read the data directory of an embedded server
	RoleViewer   = "viewer"  // a terminal that only looks
	RoleCheck    = "check"   // whoever answers for the checks of VMs, a program that is not Ferry
	RoleAuditor  = "auditor" // reads every message, to verify and export them
)

// LocalIdentity is the name of the terminal identity of an embedded server.
const LocalIdentity = "local"

// storeAccount has the stream. An account beside it that asks as somebody is named after the source of its commands:
// "slack" or "cli-NAME"; the server holds the two together.
const storeAccount = "FERRY"

// rights are what an identity may do. What it asks for leaves its account; all else stays there.
type rights struct {
	role, account string
	asks          []string // subjects that the account of the stream answers on
	told          []string // what the account of the stream tells it unasked
	publishes     []string // within its account
	denied        []string // of these
	hears         []string // subscriptions within its account, beside its inbox
	inbox         string
	answers       bool // whoever asks it, once
}

// Inbox is the prefix of the subjects on which an identity gets its answers.
func Inbox(role, identity string) string {
	if identity != "" {
		return "_INBOX_" + RoleCLI + "." + identity
	}
	return "_INBOX_" + role
}

// readSubjects are the services that anybody may ask who may ask anything.
func readSubjects() []string {
	return append(offline(), events.ServicePoints, events.ServiceJobs, events.ServiceReview, events.ServiceForecast, events.ServiceHealth)
}

// offline are the reads that a bot answers too: without Azure.
func offline() []string {
	return []string{events.ServiceStatus, events.ServiceList, events.ServiceWatch, events.ServiceDebt, events.ServiceReadiness, events.ServiceReport}
}

// shared are the identities of which every server has one, the keeper of the stream first.
func shared() []rights {
	return []rights{
		executorRights(), botRights(),
		{role: RoleViewer, account: "viewer", asks: readSubjects(), inbox: Inbox("", RoleViewer)},
		{role: RoleAuditor, account: "auditor", asks: auditorAsks(), inbox: Inbox(RoleAuditor, "")},
		{role: RoleCheck, account: "check", hears: []string{events.CheckSubject(">")}, answers: true},
	}
}

// terminalRights are of the person with a name: it asks as nobody else.
func terminalRights(name string) rights {
	return rights{
		role: RoleCLI, account: "cli-" + name, inbox: Inbox(RoleCLI, name),
		asks: append([]string{"ferry.command.cli-" + name + ".*"}, readSubjects()...),
	}
}

// executorRights are those of the stream's keeper: it makes the stream, its consumers and buckets, and writes facts. It may not
// delete, which keeps it from accidents; from an attack it does not, since it shares the stream's account. Its key is worth
// as much as the store, and a head of the audit kept elsewhere shows what was done to that.
func executorRights() rights {
	stream := "." + events.Stream
	r := rights{
		role: RoleExecutor, account: storeAccount, inbox: Inbox(RoleExecutor, ""),
		hears: append(readSubjects(), "$SRV.>"),
		publishes: []string{
			events.OpSubjects, events.TargetSubjects, events.DriveSubjects, events.Stored, events.CheckSubject(">"),
			"_R_.>", // where the server takes the answers to other accounts
			"$JS.API.INFO", "$JS.API.STREAM.MSG.GET" + stream,
			"$JS.API.CONSUMER.CREATE" + stream + ".>", "$JS.API.CONSUMER.INFO" + stream + ".*",
			"$JS.API.CONSUMER.MSG.NEXT" + stream + ".*", "$JS.API.CONSUMER.DELETE" + stream + ".*",
			"$JS.ACK" + stream + ".>", "$JS.ACK.*.*" + stream + ".>",
			"$KV." + bucketInventory + ".>", "$KV." + bucketAudit + ".>",
		},
	}
	for name := range durables() {
		r.denied = append(r.denied, "$JS.API.CONSUMER.DELETE"+stream+"."+name)
	}
	r.denied = append(r.denied, "$JS.API.CONSUMER.MSG.NEXT"+stream+"."+consumerAnnounce)
	slices.Sort(r.denied)
	for _, s := range append([]string{events.Stream}, buckets()...) {
		for _, verb := range []string{"INFO", "CREATE", "UPDATE"} {
			r.publishes = append(r.publishes, "$JS.API.STREAM."+verb+"."+s)
		}
	}
	for _, s := range buckets() {
		r.publishes = append(r.publishes, "$JS.API.DIRECT.GET."+s+".>")
	}
	return r
}

// buckets are the names of the streams under the buckets.
func buckets() []string {
	return []string{"KV_" + bucketMessages, "KV_" + bucketInventory, "KV_" + bucketAudit, "KV_" + bucketMembers}
}

// botRights: it asks for Slack users, reads the stream, its own queue and the buckets, and keeps two of these. It may make no
// consumer: the server publishes for whoever makes one.
func botRights() rights {
	announce := events.Stream + "." + consumerAnnounce
	r := rights{
		role: RoleBot, account: events.SourceSlack, inbox: Inbox(RoleBot, ""),
		told: []string{events.Stored}, publishes: []string{Inbox(RoleBot, "") + ".>"}, hears: append(offline(), "$SRV.>"),
		asks: append([]string{
			"ferry.command." + events.SourceSlack + ".*",
			"$JS.API.STREAM.INFO." + events.Stream, "$JS.API.STREAM.MSG.GET." + events.Stream,
			"$JS.API.CONSUMER.INFO." + announce, "$JS.API.CONSUMER.MSG.NEXT." + announce, "$JS.API.CONSUMER.UNPIN." + announce,
			"$JS.ACK." + announce + ".>", "$JS.ACK.*.*." + announce + ".>",
			"$KV." + bucketMessages + ".>", "$KV." + bucketMembers + "." + membersKey,
		}, readSubjects()...),
	}
	for _, s := range buckets() {
		r.asks = append(r.asks, "$JS.API.STREAM.INFO."+s, "$JS.API.DIRECT.GET."+s+".>")
	}
	return r
}

func auditorAsks() []string {
	bucket := "KV_" + bucketAudit
	return []string{
		"$JS.API.STREAM.INFO." + events.Stream, "$JS.API.STREAM.MSG.GET." + events.Stream,
		"$JS.API.STREAM.INFO." + bucket, "$JS.API.DIRECT.GET." + bucket + ".>",
	}
}

// may is what the identity publishes and subscribes to, for the server's configuration.
func (r rights) may() (publish, subscribe []string) {
	for _, subject := range r.asks {
		publish = append(publish, setAside(subject)) // the server checks where a mapping leads
	}
	publish = append(publish, r.publishes...)
	subscribe = slices.Concat(r.hears, r.told)
	if r.inbox != "" {
		subscribe = append([]string{r.inbox + ".>"}, subscribe...)
	}
	return publish, subscribe
}

// isCommand tells the subjects on which an account speaks as somebody.
func isCommand(subject string) bool { return strings.HasPrefix(subject, "ferry.command.") }
