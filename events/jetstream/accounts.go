package jetstream

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ferry/events"
)

// accountsConf is the part of a NATS server's configuration that says who may do what. key gives the public nkey of an
// identity, as the configuration language writes it; more is put behind the last account.
func accountsConf(identities []rights, key func(rights) string, more string) string {
	var b strings.Builder
	b.WriteString("accounts {\n")
	for _, r := range identities {
		b.WriteString(accountConf(r, key(r), identities))
	}
	b.WriteString(more)
	b.WriteString("}\n")
	return b.String()
}

func accountConf(r rights, key string, all []rights) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s {\n", r.account)
	if r.account == storeAccount {
		b.WriteString("    jetstream: enabled\n")
	}
	b.WriteString("    users: [" + userConf(r, key) + "]\n")
	if r.account == storeAccount {
		b.WriteString(exports(all))
	}
	b.WriteString(imports(r, all))
	b.WriteString(mappings(r))
	if r.answers {
		b.WriteString("    exports: [{service: " + strconv.Quote(events.CheckSubject(">")) + ", accounts: [" + storeAccount + "]}]\n")
	}
	b.WriteString("  }\n")
	return b.String()
}

func userConf(r rights, key string) string {
	var b strings.Builder
	publish, subscribe := r.may()
	fmt.Fprintf(&b, "{nkey: %s, permissions: {\n", key)
	if len(publish) == 0 {
		b.WriteString("      publish: {deny: [\">\"]}\n")
	} else {
		b.WriteString("      publish: {allow: " + list(publish) + denied(r.denied) + "}\n")
	}
	b.WriteString("      subscribe: {allow: " + list(subscribe) + denied(neverHeard(r)) + "}\n")
	if r.answers {
		fmt.Fprintf(&b, "      allow_responses: {max: 1, expires: %q}\n", answerWithin)
	}
	b.WriteString("    }}")
	return b.String()
}

// neverHeard: facts are read from the stream; a core subscription also sees writes that lost their guard.
func neverHeard(r rights) []string {
	if r.account == storeAccount {
		return []string{"ferry.>"}
	}
	return nil
}

// exports are what the account of the stream answers on, each for those who may ask it. Anybody may read by the services, and
// ask as who they are: the third token of a command's subject is the name of the account that it comes from.
func exports(all []rights) string {
	asked := map[string][]string{}
	var order []string
	for _, r := range all {
		for _, subject := range r.asks {
			if isCommand(subject) || slices.Contains(readSubjects(), subject) {
				continue
			}
			if asked[subject] == nil {
				order = append(order, subject)
			}
			asked[subject] = append(asked[subject], r.account)
		}
	}
	var b strings.Builder
	b.WriteString("    exports: [\n")
	fmt.Fprintf(&b, "      {service: %q, account_token_position: 3}\n", events.CommandSubjects)
	for _, subject := range readSubjects() {
		fmt.Fprintf(&b, "      {service: %q}\n", subject)
	}
	for _, subject := range order {
		response := ""
		if strings.Contains(subject, ".MSG.NEXT.") { // a message, or why there is none, and signs of life before
			response = ", response: stream"
		}
		fmt.Fprintf(&b, "      {service: %q, accounts: [%s]%s}\n", subject, strings.Join(asked[subject], ", "), response)
	}
	for _, r := range all {
		for _, subject := range r.told {
			fmt.Fprintf(&b, "      {stream: %q, accounts: [%s]}\n", subject, r.account)
		}
	}
	b.WriteString("    ]\n")
	return b.String()
}

func imports(r rights, all []rights) string {
	var b strings.Builder
	b.WriteString("    imports: [\n")
	for _, subject := range r.asks {
		to := ""
		if aside := setAside(subject); aside != subject {
			to = fmt.Sprintf(", to: %q", aside)
		}
		fmt.Fprintf(&b, "      {service: {account: %s, subject: %q}%s}\n", storeAccount, subject, to)
	}
	for _, subject := range r.told {
		fmt.Fprintf(&b, "      {stream: {account: %s, subject: %q}}\n", storeAccount, subject)
	}
	for _, other := range all {
		if r.account == storeAccount && other.answers {
			fmt.Fprintf(&b, "      {service: {account: %s, subject: %q}}\n", other.account, events.CheckSubject(">"))
		}
	}
	b.WriteString("    ]\n")
	return b.String()
}

// mappings take the requests to JetStream to where they are imported from.
func mappings(r rights) string {
	var b strings.Builder
	for _, subject := range r.asks {
		if aside := setAside(subject); aside != subject {
			fmt.Fprintf(&b, "      %q: %q\n", subject, aside)
		}
	}
	if b.Len() == 0 {
		return ""
	}
	return "    mappings: {\n" + b.String() + "    }\n"
}

// setAside is the name of a request to JetStream in an account that has none of its own: under the usual one the server
// answers by itself that there is none.
func setAside(subject string) string {
	if rest, ok := strings.CutPrefix(subject, "$JS.API."); ok {
		return "ferryapi." + rest
	}
	return subject
}

func list(subjects []string) string {
	quoted := make([]string, len(subjects))
	for i, s := range subjects {
		quoted[i] = strconv.Quote(s)
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}

func denied(subjects []string) string {
	if len(subjects) == 0 {
		return ""
	}
	return ", deny: " + list(subjects)
}
