package config

import (
	"slices"
	"strconv"
	"strings"
)

// Group is what one command may fail over together.
type Group struct {
	Waves       []Wave `yaml:"waves"`
	Concurrency int    `yaml:"concurrency"` // VMs under way at the same time; 0: as many as the vaults take
	Canary      int    `yaml:"canary"`      // VMs of the first wave that go alone before all others
	OnFailure   string `yaml:"on_failure"`  // stop-wave or continue
	Tolerate    int    `yaml:"tolerate"`    // percent of a wave's VMs that may fail before stop-wave stops
}

// Wave is a part of a group whose VMs begin together. In the file it may be just the list of its VMs.
type Wave struct {
	Name string   `yaml:"name"`
	VMs  []string `yaml:"vms"`  // names, vault/name, or patterns
	Tags []string `yaml:"tags"` // key=value or key, each part a pattern: a VM with one of them belongs to the wave
	// After are the waves that have to be over before this one begins, by name or by number from 1; absent: the one before it,
	// an empty list: none.
	After []string `yaml:"after"`
}

// list reports whether a wave is written as the list of its VMs.
func (w Wave) list() bool { return w.Name == "" && w.Tags == nil && w.After == nil && w.VMs != nil }

// Before are the numbers, from 1, of the waves that have to be over before the wave of number n begins, in the order of After.
// A wave that is not known is left out: [Config.Validate] refuses it.
func (g Group) Before(n int) []int {
	after := g.Waves[n-1].After
	if after == nil && n > 1 {
		return []int{n - 1}
	}
	var before []int
	for _, wave := range after {
		if m := g.number(wave); m > 0 {
			before = append(before, m)
		}
	}
	return before
}

// number finds a wave by its name, compared without case, or by its number; 0 is none.
func (g Group) number(wave string) int {
	if i := slices.IndexFunc(g.Waves, func(w Wave) bool { return w.Name != "" && strings.EqualFold(w.Name, wave) }); i >= 0 {
		return i + 1
	}
	if n, err := strconv.Atoi(wave); err == nil && n >= 1 && n <= len(g.Waves) {
		return n
	}
	return 0
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
