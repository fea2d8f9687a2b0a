// Package events is Ferry's wire contract on NATS: subjects, the CloudEvents envelope, the codec of commands and facts,
// and the messages of the request-reply services.
//
// It owns what other programs rely on when they follow operations. It refuses to know connections, streams or retries
// (events/jetstream) and to decide anything (failover). Everything is a pure function of its arguments, safe for
// concurrent use.
package events

import (
	"strings"

	"ferry/failover"
)

// The stream and the subjects that it binds, exactly: a stream answers requests on every subject it binds.
const (
	Stream          = "FERRY"
	CommandSubjects = "ferry.command.*.*"
	OpSubjects      = "ferry.op.*"
	TargetSubjects  = "ferry.target.*"
	DriveSubjects   = "ferry.drive.*"
)

// SourceSlack is the source token of commands that came from Slack; a terminal's is "cli-" and its NATS identity's name.
const SourceSlack = "slack"

// CommandSubject is where a command from a source about an operation is published. NATS permissions restrict who may
// publish on which source.
func CommandSubject(source string, op failover.OpID) string {
	return "ferry.command." + source + "." + string(op)
}

// OpSubject carries the facts of one operation, in order.
func OpSubject(op failover.OpID) string { return "ferry.op." + string(op) }

// TargetSubject carries who holds a replicated item; its last message counts.
func TargetSubject(key string) string { return "ferry.target." + key }

// DriveSubject says that an operation has work for an executor.
func DriveSubject(op failover.OpID) string { return "ferry.drive." + string(op) }

// LastToken is the operation id, or the key, at the end of a subject.
func LastToken(subject string) string { return subject[strings.LastIndexByte(subject, '.')+1:] }

// sourceOf is the source token of a command's subject.
func sourceOf(subject string) string {
	parts := strings.Split(subject, ".")
	if len(parts) != 4 {
		return ""
	}
	return parts[2]
}

// actorOf is the identity that a source vouches for: NATS permissions let nobody else publish there.
func actorOf(source string, claimed failover.Actor) (failover.Actor, bool) {
	if name, ok := strings.CutPrefix(source, "cli-"); ok {
		return failover.Actor{ID: "cli:" + name, Name: "cli:" + name}, name != ""
	}
	// A bot vouches for Slack users only, and for no person: whose identity it is says the configuration.
	claimed.Person = ""
	return claimed, source == SourceSlack && claimed.ID != "" && !strings.Contains(claimed.ID, ":")
}
