package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"ferry/bot/slack"
	"ferry/config"
	"ferry/events/jetstream"
	"ferry/executor/azure"
	"ferry/failover"
)

// Finding is the result of one check of [Doctor].
type Finding = slack.Finding

// checkWithin bounds one check of NATS or Azure.
const checkWithin = 30 * time.Second

// Doctor checks what a configuration needs outside: Slack, NATS and Azure. It changes nothing.
func Doctor(ctx context.Context, o Options) []Finding {
	a := New(o)
	defer func() { _ = a.Stop(context.WithoutCancel(ctx)) }() // nothing of it was started but connections
	return append(append(a.examineSlack(ctx), a.examineNATS(ctx)...), a.examineAzure(ctx)...)
}

func (a *App) examineSlack(ctx context.Context) []Finding {
	cfg := a.opts.Config.Slack
	access := slack.Access{Users: map[string][]string{}, Groups: map[string][]string{}}
	for name, role := range a.opts.Config.Access.Roles {
		for _, id := range role.Users {
			if isSlackID(id) {
				access.Users[name] = append(access.Users[name], id)
			}
		}
		if len(role.Groups) > 0 {
			access.Groups[name] = role.Groups
		}
	}
	o := slack.Options{
		BotToken: cfg.BotToken.Reveal(), AppToken: cfg.AppToken.Reveal(), APIURL: cfg.APIURL, TeamID: cfg.TeamID, Channel: cfg.Channel, Topic: cfg.Topic,
		HTTPClient: a.httpClient(),
	}
	if cfg.Mode == config.ModeHTTP {
		for _, s := range cfg.SigningSecrets {
			o.SigningSecrets = append(o.SigningSecrets, s.Reveal())
		}
	}
	found := slack.Examine(ctx, o, access)
	if tokensInTheClear(cfg.APIURL) {
		found = append(found, Finding{
			Level: slack.Caution, Check: "Slack address", Said: "the tokens go to slack.api_url without encryption over a network",
			Fix: "write https; for Slack itself leave slack.api_url out",
		})
	}
	return found
}

// tokensInTheClear reports whether an address is plain HTTP to another host.
func tokensInTheClear(address string) bool {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" {
		return false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	return u.Hostname() != "localhost" && (err != nil || !ip.IsLoopback())
}

// examineNATS asks the server as whoever the credentials are of: an executor, a bot or a terminal.
func (a *App) examineNATS(ctx context.Context) []Finding {
	const check = "NATS"
	cfg := a.opts.Config
	if cfg.NATS.URL == "" {
		return []Finding{a.examineEmbedded(ctx)}
	}
	var denied error
	if cfg.NATS.Identity != jetstream.LocalIdentity { // a person's own configuration
		found, ok := a.examineTerminal(ctx)
		if ok {
			return []Finding{found}
		}
	}
	for _, role := range []Role{Executor, Bot} {
		o, err := a.natsAs(string(role))
		o.Log = slog.New(slog.DiscardHandler) // what it would say is found below
		if err != nil {
			return []Finding{{Level: slack.Broken, Check: check, Said: err.Error(), Fix: "mend nats.tls"}}
		}
		client, err := jetstream.Connect(o)
		if err != nil {
			return []Finding{{Level: slack.Broken, Check: check, Said: err.Error(), Fix: "is nats.url right, the server up, and nats.creds or nats.nkey of an identity that it knows?"}}
		}
		denied = a.within(ctx, client.Present)
		open := client.InTheClear()
		client.Close()
		switch {
		case denied == nil && open:
			return []Finding{inTheClear()}
		case denied == nil:
			return []Finding{{Level: slack.Fine, Check: check, Said: fmt.Sprintf("the stream, its consumers and buckets are there, and this identity may read them as %s", role)}}
		case jetstream.IsMissing(denied):
			return []Finding{{Level: slack.Caution, Check: check, Said: fmt.Sprintf("the server answers an %s, and something is not set up yet: %v", role, denied), Fix: "start an executor once: ferry executor, or ferry up"}}
		}
	}
	return []Finding{{
		Level: slack.Broken, Check: check, Said: "the server is there, and does not let this identity read the stream as an executor or a bot: " + denied.Error(),
		Fix: "give the identity the rights of its role, as deploy/nats has them, and switch JetStream on; a person's key needs nats.identity with their name",
	}}
}

func inTheClear() Finding {
	return Finding{Level: slack.Caution, Check: "NATS", Said: "the server is reached without encryption over a network", Fix: "give the server a certificate and nats.tls its authority; see deploy/nats"}
}

// examineTerminal asks as the person that the configuration names; ok is false when the server does not take the key for theirs.
func (a *App) examineTerminal(ctx context.Context) (f Finding, ok bool) {
	f = Finding{Level: slack.Fine, Check: "NATS"}
	client, err := NewClient(a.opts.Config, false, slog.New(slog.DiscardHandler))
	if err != nil {
		return f, false
	}
	defer client.Close()
	err = a.within(ctx, func(ctx context.Context) error { _, err := client.Status(ctx, ""); return err })
	if _, denied := errors.AsType[*DeniedError](err); denied {
		return f, false
	}
	f.Said = "the key is that of " + client.ID()
	switch {
	case err != nil:
		f.Level, f.Said, f.Fix = slack.Caution, f.Said+", and nobody answers: "+err.Error(), "start an executor: ferry executor"
	case client.nats.InTheClear():
		f = inTheClear()
	default:
		f.Said += ", and it is answered; what it may ask for stands under access"
	}
	return f, true
}

func (a *App) examineEmbedded(ctx context.Context) Finding {
	f := Finding{Level: slack.Fine, Check: "NATS", Said: "an embedded server with its store in " + a.opts.Config.DataDir + "; ferry up starts it"}
	client, err := NewClient(a.opts.Config, true, a.opts.Log)
	if err != nil {
		return f
	}
	defer client.Close()
	err = a.within(ctx, func(ctx context.Context) error { _, err := client.Status(ctx, ""); return err })
	if err != nil {
		return Finding{Level: slack.Broken, Check: "NATS", Said: "the embedded server is up, and nobody answers there: " + err.Error(), Fix: "look at the log of ferry up"}
	}
	f.Said = "ferry up runs on " + a.opts.Config.DataDir + ", and answers"
	return f
}

func (a *App) within(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, checkWithin/3)
	defer cancel()
	return do(ctx)
}

// examineAzure signs in, lists the VMs of each vault, and compares what the identity may do there with what Ferry calls.
func (a *App) examineAzure(ctx context.Context) []Finding {
	cfg := a.opts.Config.Azure
	client := a.httpClient()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	credential, err := azure.NewCredential(cfg.Credential, cfg.Endpoint, client)
	if err != nil {
		return []Finding{{Level: slack.Broken, Check: "Azure sign-in", Said: err.Error(), Fix: "mend azure.credential"}}
	}
	var found []Finding
	for _, v := range cfg.Vaults {
		o := azure.Options{
			Endpoint: cfg.Endpoint, Vaults: []azure.Vault{{SubscriptionID: v.SubscriptionID, ResourceGroup: v.ResourceGroup, Name: v.Name}},
			Caches: cfg.CacheStorage, Resizes: len(cfg.AlternativeSizes) > 0, Tags: byTags(a.opts.Config), Credential: credential, Transport: client, Version: a.opts.Version, Log: a.opts.Log,
		}
		found = append(found, examineVault(ctx, o, v.Name)...)
	}
	return found
}

func examineVault(ctx context.Context, o azure.Options, name string) []Finding {
	ctx, cancel := context.WithTimeout(ctx, checkWithin)
	defer cancel()
	reading, rights := "Azure vault "+name, "Azure rights on "+name
	site, err := azure.New(o)
	if err != nil {
		return []Finding{{Level: slack.Broken, Check: reading, Said: err.Error(), Fix: "mend azure.vaults"}}
	}
	items, err := site.Items(ctx)
	if err != nil {
		return []Finding{{Level: slack.Broken, Check: reading, Said: err.Error(), Fix: "sign in as azure.credential says, and give that identity the role of docs/azure-permissions.md on the vault"}}
	}
	found := []Finding{{Level: slack.Fine, Check: reading, Said: fmt.Sprintf("signed in; %d replicated VMs are read", len(items))}}
	if o.Tags {
		found = append(found, tagsOf(items, name))
	}
	lacks, err := azure.Lacks(ctx, o)
	switch {
	case err != nil:
		return append(found, Finding{Level: slack.Caution, Check: rights, Said: "what the identity may change cannot be told without changing something: " + err.Error(), Fix: "compare its role with docs/azure-permissions.md, and try a drill: /failover test VM"})
	case len(lacks) > 0:
		return append(found, Finding{Level: slack.Broken, Check: rights, Said: "the identity lacks " + strings.Join(lacks, ", "), Fix: "add them to its role; docs/azure-permissions.md says what each is for"})
	}
	return append(found, Finding{Level: slack.Fine, Check: rights, Said: "all actions that Ferry calls there; the right to read the VMs themselves shows with the first reprotect"})
}

// tagsOf says whether the tags are known by which rules of access go: what such a rule may be about is refused without.
func tagsOf(items []failover.Item, vault string) Finding {
	var unknown []string
	for _, i := range items {
		if i.Tags == nil {
			unknown = append(unknown, i.Name)
		}
	}
	f := Finding{Level: slack.Fine, Check: "Azure tags of VMs in " + vault, Said: "read; rules of access go by them"}
	if n := len(unknown); n > 0 {
		f.Level = slack.Caution
		f.Said = fmt.Sprintf("of %d of %d VMs no tags are known, such as %s: what a rule with tags may be about is refused there", n, len(items), unknown[0])
		f.Fix = "give the identity Microsoft.Compute/virtualMachines/read where the VMs are, as docs/azure-permissions.md says; a VM that is away from home is known again when it is back"
	}
	if len(unknown) > 0 && len(unknown) == len(items) {
		f.Level = slack.Broken
	}
	return f
}

// Failed reports whether one of the checks failed.
func Failed(found []Finding) error {
	for _, f := range found {
		if f.Level == slack.Broken {
			return errors.New("something has to be mended before Ferry works as configured")
		}
	}
	return nil
}

// Manifest is the Slack app's; see [slack.NewManifest].
func Manifest(command, url string) slack.Manifest { return slack.NewManifest(command, url) }
