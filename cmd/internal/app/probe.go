package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"ferry/config"
	"ferry/events"
	"ferry/failover"
)

// checks finds how a VM is asked after a failover whether it works: by its own name, else by a group that it is in.
func checks(cfg config.Config) func(failover.Item) *failover.Check {
	groups := fleets(cfg)
	return func(item failover.Item) *failover.Check {
		for name, c := range cfg.Checks {
			if strings.EqualFold(name, item.Name) {
				return checkOf(name, c)
			}
		}
		for _, name := range sortedKeys(groups) {
			c, ok := cfg.Checks[name]
			if in, _ := groups[name].Has(item); ok && in {
				return checkOf(name, c)
			}
		}
		return nil
	}
}

func checkOf(name string, c config.Check) *failover.Check {
	return &failover.Check{Name: name, TCP: c.TCP, HTTP: c.HTTP, NATS: c.NATS}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// probeWithin bounds one question to a VM.
const probeWithin = 5 * time.Second

// prober asks VMs whether they work: over TCP, HTTP, or the NATS service of whoever can tell.
type prober struct {
	http    *http.Client
	dial    func(ctx context.Context, network, address string) (net.Conn, error)
	request func(ctx context.Context, subject string, data []byte) ([]byte, error)
}

// Probe answers in any case. Silence is no data: the VM may be starting, or the way to it may be closed.
func (p prober) Probe(ctx context.Context, check failover.Check) failover.CheckResult {
	ctx, cancel := context.WithTimeout(ctx, probeWithin)
	defer cancel()
	switch {
	case check.TCP != "":
		return p.tcp(ctx, check.TCP)
	case check.HTTP != "":
		return p.web(ctx, check.HTTP)
	}
	return p.nats(ctx, check.Name)
}

func (p prober) tcp(ctx context.Context, address string) failover.CheckResult {
	conn, err := p.dial(ctx, "tcp", address)
	if err != nil {
		return noData(address + " takes no connection: " + err.Error())
	}
	_ = conn.Close() // it was taken, which is all that was asked
	return failover.CheckResult{Outcome: failover.CheckPassed, Detail: address + " takes connections"}
}

func (p prober) web(ctx context.Context, url string) failover.CheckResult {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return noData(err.Error())
	}
	r.Close = true // the next question may go to another machine of that name
	answer, err := p.http.Do(r)
	if err != nil {
		return noData(err.Error())
	}
	defer func() { _ = answer.Body.Close() }()
	result := failover.CheckResult{Outcome: failover.CheckPassed, Detail: fmt.Sprintf("%s answers %d", url, answer.StatusCode)}
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		result.Outcome = failover.CheckFailed
	}
	return result
}

// nats asks the service of the check's name, which answers {"ok": true} or {"ok": false, "detail": "why"}.
func (p prober) nats(ctx context.Context, name string) failover.CheckResult {
	data, err := p.request(ctx, events.CheckSubject(name), []byte("{}"))
	if err != nil {
		return noData("nobody answers on " + events.CheckSubject(name))
	}
	var said struct {
		OK     *bool  `json:"ok"`
		Detail string `json:"detail"`
	}
	if err := json.Unmarshal(data, &said); err != nil || said.OK == nil {
		return noData(`the answer is not {"ok": true} or {"ok": false, "detail": "why"}`)
	}
	result := failover.CheckResult{Outcome: failover.CheckFailed, Detail: said.Detail}
	if *said.OK {
		result.Outcome = failover.CheckPassed
	}
	return result
}

func noData(detail string) failover.CheckResult {
	return failover.CheckResult{Outcome: failover.CheckNoData, Detail: detail}
}
