package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// checker collects what is wrong with a tree. It knows paths only; the decoder knows where they stand in the file.
type checker struct{ problems []Problem }

func (k *checker) failf(path, format string, args ...any) {
	k.problems = append(k.problems, Problem{Path: path, Text: fmt.Sprintf(format, args...)})
}

// check finds everything that is wrong with a configuration for a bot or an executor.
func check(c *Config) []Problem {
	k := &checker{}
	k.slack(c.Slack)
	k.nats(c.NATS)
	k.required("data_dir", c.DataDir, "write a folder, as in ./ferry-data")
	k.azure(c.Azure)
	k.access(c.Access, c.Groups)
	k.groups(c.Groups)
	k.checks(c.Checks)
	k.positive("targets.rto", c.Targets.RTO)
	k.positive("targets.rpo", c.Targets.RPO)
	k.digest(c.Digest)
	if c.HTTP.Listen != "" {
		k.address("http.listen", c.HTTP.Listen)
	}
	return k.problems
}

// checkClient finds what is wrong with the part that [LoadClient] returns.
func checkClient(c *Config) []Problem {
	k := &checker{}
	k.nats(c.NATS)
	k.required("data_dir", c.DataDir, "write a folder, as in ./ferry-data")
	return k.problems
}

func (k *checker) slack(s Slack) {
	k.token("slack.bot_token", s.BotToken, "xoxb-", "the bot token")
	switch s.Mode {
	case ModeSocket:
		k.token("slack.app_token", s.AppToken, "xapp-", "the app-level token, which mode socket needs")
	case ModeHTTP:
		k.signingSecrets(s.SigningSecrets)
	default:
		k.failf("slack.mode", "%q is no mode; write socket or http", s.Mode)
	}
	k.address("slack.listen", s.Listen)
	k.apiURL(s.APIURL)
	k.channel(s.Channel)
}

// signingSecrets are what tells Slack from everybody else who can reach the port.
func (k *checker) signingSecrets(secrets Secrets) {
	const write = "write the signing secret, which stands under Basic Information of the Slack app"
	if len(secrets) == 0 {
		k.failf("slack.signing_secret", "empty, and mode http takes nothing that is not signed; %s", write)
	}
	for i, s := range secrets {
		path := fmt.Sprintf("slack.signing_secret[%d]", i)
		switch {
		case s.IsZero():
			k.failf(path, "empty; %s", write)
		case strings.HasPrefix(s.Reveal(), "xoxb-") || strings.HasPrefix(s.Reveal(), "xapp-"):
			k.failf(path, "this is a token; %s", write)
		}
	}
}

// token also catches the two tokens in each other's place, without quoting either.
func (k *checker) token(path string, s Secret, prefix, name string) {
	other := map[string]string{"xoxb-": "xapp-", "xapp-": "xoxb-"}[prefix]
	switch {
	case s.IsZero():
		k.failf(path, "empty; write %s, which begins with %s", name, prefix)
	case strings.HasPrefix(s.Reveal(), other):
		k.failf(path, "this is the other token, it begins with %s; write %s, which begins with %s", other, name, prefix)
	}
}

func (k *checker) apiURL(text string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		k.failf("slack.api_url", "%q is no URL; write https://slack.com/api/", text)
	case !strings.HasSuffix(text, "/"):
		k.failf("slack.api_url", "%q has to end in a slash, since method names are appended; write %s/", text, text)
	}
}

func (k *checker) channel(id string) {
	switch {
	case id == "":
		k.failf("slack.channel", "empty; write the id of the channel where operations are announced, as in C0123456789")
	case strings.ContainsAny(id, "# "):
		k.failf("slack.channel", "%q is a name; write the channel's id, as in C0123456789", id)
	}
}

func (k *checker) nats(n NATS) {
	if !slices.Contains([]int{1, 3, 5}, n.Replicas) {
		k.failf("nats.replicas", "%d is not possible; write 1, or 3 or 5 on a cluster", n.Replicas)
	} else if n.Replicas > 1 && n.URL == "" {
		k.failf("nats.replicas", "the embedded server keeps one copy; write 1, or the url of a cluster")
	}
	if n.Identity == "" || strings.ContainsAny(n.Identity, ".*> \t\r\n") {
		k.failf("nats.identity", "%q is no identity; write the NAME of cli:NAME, with no dot, star, > or space in it", n.Identity)
	}
	if !n.NKey.IsZero() && n.Creds != "" {
		k.failf("nats.nkey", "creds is given too; write one of them")
	}
	if !n.NKey.IsZero() && !strings.HasPrefix(n.NKey.Reveal(), "SU") {
		k.failf("nats.nkey", "this is no seed of a user; write file:PATH of one, which begins with SU")
	}
	if (n.TLS.Cert == "") != (n.TLS.Key == "") {
		k.failf("nats.tls", "a certificate needs its key; write both cert and key, or none")
	}
	if n.URL == "" {
		return
	}
	for address := range strings.SplitSeq(n.URL, ",") {
		u, err := url.Parse(strings.TrimSpace(address))
		if err != nil || u.Host == "" || !slices.Contains([]string{"nats", "tls", "ws", "wss"}, u.Scheme) {
			k.failf("nats.url", "this is no address of a NATS server; write one as in nats://host:4222, several with commas between")
			return // not quoted: it may hold a password
		}
	}
}

func (k *checker) azure(a Azure) {
	credentials := []string{"default", "managed_identity", "workload_identity", "environment", "cli"}
	if !slices.Contains(credentials, a.Credential) {
		k.failf("azure.credential", "%q is no credential; write %s", a.Credential, suggest(a.Credential, credentials))
	}
	k.endpoint(a.Endpoint)
	if len(a.Vaults) == 0 {
		k.failf("azure.vaults", "no vault; write {subscription_id: ..., resource_group: ..., name: ...} for each")
	}
	seen := map[Vault]int{}
	for i, v := range a.Vaults {
		path := fmt.Sprintf("azure.vaults[%d]", i)
		k.vault(path, v)
		key := Vault{strings.ToLower(v.SubscriptionID), strings.ToLower(v.ResourceGroup), strings.ToLower(v.Name)}
		if first, ok := seen[key]; ok && key != (Vault{}) {
			k.failf(path, "the same vault as azure.vaults[%d]; leave one of them out", first)
			continue
		}
		seen[key] = i
	}
	for i, id := range a.IsolatedNetworks {
		k.resource(fmt.Sprintf("azure.isolated_networks[%d]", i), id, "a virtual network", "Microsoft.Network/virtualNetworks")
	}
	for _, region := range sorted(a.CacheStorage) {
		path := join("azure.cache_storage", region)
		if plain := strings.ToLower(strings.ReplaceAll(region, " ", "")); plain != region {
			k.failf(path, "%q is no region; write %s", region, plain)
		}
		k.resource(path, a.CacheStorage[region], "a storage account", "Microsoft.Storage/storageAccounts")
	}
	k.sizes(a.AlternativeSizes)
}

// sizeName is how Compute names a size.
var sizeName = regexp.MustCompile(`^(Standard|Basic)_[A-Za-z0-9_-]+$`)

// sizes refuses what no VM could be made in, and what would be tried twice.
func (k *checker) sizes(alternatives map[string][]string) {
	seen := map[string]string{}
	for _, size := range sorted(alternatives) {
		path := join("azure.alternative_sizes", size)
		k.size(path, size)
		if other, twice := seen[strings.ToLower(size)]; twice {
			k.failf(path, "the same size as %s; write one list for it", other)
		}
		seen[strings.ToLower(size)] = size
		if len(alternatives[size]) == 0 {
			k.failf(path, "no size in its place; write one, as in [Standard_D4as_v5], or leave it out")
		}
		for i, other := range alternatives[size] {
			at := fmt.Sprintf("%s[%d]", path, i)
			k.size(at, other)
			same := func(s string) bool { return strings.EqualFold(s, other) }
			if same(size) || slices.ContainsFunc(alternatives[size][:i], same) {
				k.failf(at, "%s is tried before; leave it out", other)
			}
		}
	}
}

func (k *checker) size(path, size string) {
	if !sizeName.MatchString(size) {
		k.failf(path, "%q is no size of a VM; write it as Azure does, as in Standard_D4s_v5", size)
	}
}

// resource wants the ARM id of a resource of a type.
func (k *checker) resource(path, id, what, kind string) {
	parts := strings.Split(id, "/")
	types := strings.Split(kind, "/")
	shape := []string{"", "subscriptions", "*", "resourceGroups", "*", "providers", types[0], types[1], "*"}
	fits := func(want, got string) bool { return strings.EqualFold(want, got) || want == "*" && got != "" }
	if !slices.EqualFunc(shape, parts, fits) {
		k.failf(path, "%q is no ARM id of %s; write /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/%s/NAME, as its JSON view in the portal shows it", id, what, kind)
	}
}

func (k *checker) vault(path string, v Vault) {
	k.required(path+".subscription_id", v.SubscriptionID, "write the subscription's id")
	k.required(path+".resource_group", v.ResourceGroup, "write the vault's resource group")
	k.required(path+".name", v.Name, "write the vault's name")
}

// endpoint refuses to send Azure's tokens over a network in the clear.
func (k *checker) endpoint(text string) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "https" && u.Scheme != "http":
		k.failf("azure.endpoint", "this is no endpoint; write https://management.azure.com")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		k.failf("azure.endpoint", "%q is plain HTTP, which is accepted on loopback only; write https://%s", text, u.Host)
	}
}

func (k *checker) checks(checks map[string]Check) {
	for _, name := range sorted(checks) {
		c, path := checks[name], join("checks", name)
		kinds := 0
		for _, set := range []bool{c.TCP != "", c.HTTP != "", c.NATS} {
			if set {
				kinds++
			}
		}
		if kinds != 1 {
			k.failf(path, "a check is of one kind; write {tcp: host:port}, {http: url} or {nats: true}")
		}
		if c.TCP != "" {
			k.address(path+".tcp", c.TCP)
		}
		if c.NATS && strings.ContainsAny(name, " \t\r\n*>") {
			k.failf(path, "the name becomes part of the subject ferrysvc.check.NAME, which has no spaces, * and >; write tcp or http instead of nats")
		}
		if u, err := url.Parse(c.HTTP); c.HTTP != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
			k.failf(path+".http", "this is no URL; write one as in https://host/health")
		}
	}
}

func (k *checker) digest(d Digest) {
	if _, err := time.Parse("15:04", d.Hour); err != nil {
		k.failf("digest.hour", "%q is no time of day; write one in quotes, as in \"09:00\"", d.Hour)
	}
	if _, err := time.LoadLocation(d.TimeZone); err != nil || d.TimeZone == "Local" {
		k.failf("digest.time_zone", "%q is no time zone; write one as in UTC or Europe/Paris", d.TimeZone)
	}
}

func (k *checker) required(path, value, instead string) {
	if strings.TrimSpace(value) == "" {
		k.failf(path, "empty; %s", instead)
	}
}

func (k *checker) positive(path string, d time.Duration) {
	if d <= 0 {
		k.failf(path, "%s is not above zero; write a duration, as in 15m or 1h", d)
	}
}

func (k *checker) address(path, text string) {
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		k.failf(path, "%q is no address; write host:port, as in 127.0.0.1:8080", text)
	}
}

func (k *checker) patterns(at string, patterns []string) {
	for i, p := range patterns {
		here := fmt.Sprintf("%s[%d]", at, i)
		switch _, err := path.Match(p, ""); {
		case err != nil:
			k.failf(here, "%q is no pattern; * stands for any characters, ? for one, [ab] for one of these", p)
		case p == "":
			k.failf(here, "an empty pattern matches nothing; write * for everything")
		case strings.Contains(p, "|"):
			k.failf(here, "%q is taken as one pattern; write the alternatives as items of the list", p)
		}
	}
}

// keyed refuses patterns of tags that leave the key out.
func (k *checker) keyed(at string, tags []string) {
	for i, p := range tags {
		if strings.HasPrefix(p, "=") {
			k.failf(fmt.Sprintf("%s[%d]", at, i), "%q has no key; write key=value, or key for any value", p)
		}
	}
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}
