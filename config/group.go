package config

// Group is what one command may fail over together. Not used yet, but for the checks of its VMs.
type Group struct {
	Waves       [][]string `yaml:"waves"`       // VM names or patterns; a wave starts when the one before it is done
	Concurrency int        `yaml:"concurrency"` // targets under way at the same time, within a wave
	Canary      int        `yaml:"canary"`      // targets that go alone before the first wave
	OnFailure   string     `yaml:"on_failure"`  // stop-wave or continue
}

// Check is one way to find out whether a VM serves, asked after a failover and before its commit. Exactly one field is set.
type Check struct {
	TCP  string `yaml:"tcp"`  // host:port that accepts a connection
	HTTP string `yaml:"http"` // URL that answers 2xx; a redirect is none
	NATS bool   `yaml:"nats"` // the service ferrysvc.check.NAME says so
}

// Digest is the daily summary.
type Digest struct {
	Hour     string `yaml:"hour"`      // HH:MM
	TimeZone string `yaml:"time_zone"` // of the IANA database
}
