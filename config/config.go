// Package config owns the format of ferry.yaml: its keys, their defaults, how values reach the environment and other
// files, and every check that needs nothing but the file. [Load] returns a tree of plain values; a file that is wrong
// anywhere is refused as a whole, with all its problems and where each of them stands.
//
// It refuses to know what the settings are for: it imports no other package of Ferry, opens no connection and turns
// nothing into a policy or a client. Package app does that.
//
// Concurrency: functions may be called at the same time; a Config is plain data and is not to be changed once shared.
package config

import "time"

// Config is one ferry.yaml with its defaults filled in. Fields are named after their keys.
type Config struct {
	Slack   Slack            `yaml:"slack"`
	NATS    NATS             `yaml:"nats"`
	DataDir string           `yaml:"data_dir"` // of the embedded server and its key; relative to the working directory
	Azure   Azure            `yaml:"azure"`
	Access  *Access          `yaml:"access"` // nil only when the file has none, which [Config.Validate] refuses
	Groups  map[string]Group `yaml:"groups"` // by the name that people type
	Checks  map[string]Check `yaml:"checks"` // by VM or group
	Targets Targets          `yaml:"targets"`
	Drills  []any            `yaml:"drills"` // reserved: kept as written
	Digest  Digest           `yaml:"digest"`
	Audit   Audit            `yaml:"audit"`
	HTTP    HTTP             `yaml:"http"`
}

// Slack says how the workspace is reached and which one it is.
type Slack struct {
	Mode            string  `yaml:"mode"`    // one of [ModeSocket], [ModeHTTP]
	Listen          string  `yaml:"listen"`  // host:port of http mode
	APIURL          string  `yaml:"api_url"` // ends in "/": method names are appended
	BotToken        Secret  `yaml:"bot_token"`
	AppToken        Secret  `yaml:"app_token"`      // socket mode
	SigningSecrets  Secrets `yaml:"signing_secret"` // http mode; more than one during a rotation
	TeamID          string  `yaml:"team_id"`        // empty: the token's own team
	Channel         string  `yaml:"channel"`        // id of the channel where operations are announced
	NotifyApprovers bool    `yaml:"notify_approvers"`
	Topic           bool    `yaml:"topic"` // of the channel: it says what is under way
}

// The values of [Slack].Mode.
const (
	ModeSocket = "socket"
	ModeHTTP   = "http"
)

// NATS says which server keeps the truth.
type NATS struct {
	URL      string `yaml:"url"`      // one or more, separated by commas; empty: embedded under Config.DataDir
	Creds    string `yaml:"creds"`    // path of a credentials file; empty: none
	NKey     Secret `yaml:"nkey"`     // seed of the identity's key; empty: none
	Identity string `yaml:"identity"` // of a terminal: the NAME of cli:NAME, which its key has to prove
	TLS      TLS    `yaml:"tls"`
	Replicas int    `yaml:"replicas"` // 1, 3 or 5
}

// TLS says how a server is known, and by which certificate this process is. A server that demands TLS gets it in any case.
type TLS struct {
	CA         string `yaml:"ca"`          // path of the certificates that vouch for the server; empty: those of the system
	Cert       string `yaml:"cert"`        // path of the certificate of this process; empty: none
	Key        string `yaml:"key"`         // path of its key
	ServerName string `yaml:"server_name"` // in the server's certificate; empty: the host of the URL
}

// IsZero reports whether nothing is said.
func (t TLS) IsZero() bool { return t == TLS{} }

// Azure says which vaults are driven and with whose identity.
type Azure struct {
	Endpoint         string   `yaml:"endpoint"`   // base URL of Resource Manager; plain http on loopback only
	Credential       string   `yaml:"credential"` // default, managed_identity, workload_identity, environment or cli
	Vaults           []Vault  `yaml:"vaults"`
	IsolatedNetworks []string `yaml:"isolated_networks"` // ARM ids of virtual networks, the only ones that drills may use
	// CacheStorage maps regions ("northeurope") to ARM ids of storage accounts there, through which a reprotect of VMs that run there replicates.
	// A region that is not named uses the account of another replicated VM of the vault.
	CacheStorage map[string]string `yaml:"cache_storage"`
	// AlternativeSizes are those in which a VM may be made, by its own size, where the region has no capacity for that; the first is
	// tried first.
	AlternativeSizes map[string][]string `yaml:"alternative_sizes"`
}

// Vault names one Recovery Services vault. The three fields are compared without case, as Azure does.
type Vault struct {
	SubscriptionID string `yaml:"subscription_id"`
	ResourceGroup  string `yaml:"resource_group"`
	Name           string `yaml:"name"`
}

// Targets are the promises that reports measure against.
type Targets struct {
	RTO time.Duration `yaml:"rto"`
	RPO time.Duration `yaml:"rpo"`
}

// Audit says where the head of the record is kept beside NATS, once a day at the hour of [Digest].
type Audit struct {
	Post bool   `yaml:"post"` // to the channel
	File string `yaml:"file"` // path of a file to append to, on each executor; empty: none
}

// HTTP is where Ferry serves its own health and metrics.
type HTTP struct {
	Listen string `yaml:"listen"` // host:port; empty: off
}
