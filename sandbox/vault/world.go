package vault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// World serves the simulated world to the people who play with it, as JSON: what a person at the Azure portal would see and
// could do, the ledger, faults and the clock. It is no part of Azure's wire, so clients under test have no use for it.
//
//	GET  /state    everything, as of now
//	GET  /states   the same as server-sent events called state: at once, and again whenever something changed
//	POST /portal   {"vm", "operation"}: see [Vault.Portal]
//	POST /fault    {"kind", "operation", "times", "retry_after_seconds", "delay_seconds"}: see [Fault]
//	POST /clear    {}: disarms every fault
//	POST /clock    {"speed", "paused"}, each left out stays
//	POST /source   {"down"}: see [Vault.SourceDown]
//
// A post is answered {"ok": true}, or {"ok": false, "error"} with status 200 too, as a refusal is no broken request. The
// handler checks nobody: whoever mounts it says who may reach it.
func (v *Vault) World() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /state", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		writeJSON(w, http.StatusOK, v.worldState())
	})
	mux.HandleFunc("GET /states", v.streamStates)
	mux.HandleFunc("POST /portal", asked(v.worldPortal))
	mux.HandleFunc("POST /fault", asked(v.worldFault))
	mux.HandleFunc("POST /clear", asked(func(struct{}) error { v.ClearFaults(); return nil }))
	mux.HandleFunc("POST /clock", asked(v.worldClock))
	mux.HandleFunc("POST /source", asked(func(s struct {
		Down bool `json:"down"`
	},
	) error {
		v.SourceDown(s.Down)
		return nil
	}))
	return mux
}

// asked decodes what is posted, strictly, and answers whether it was done.
func asked[T any](do func(T) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in T
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&in); err != nil {
			http.Error(w, "the body is not what is asked for: "+err.Error(), http.StatusBadRequest)
			return
		}
		answer := object{"ok": true}
		if err := do(in); err != nil {
			answer = object{"ok": false, "error": err.Error()}
		}
		writeJSON(w, http.StatusOK, answer)
	}
}

type worldOperation struct {
	VM        string `json:"vm"`
	Operation string `json:"operation"`
}

func (v *Vault) worldPortal(o worldOperation) error { return v.Portal(o.VM, o.Operation) }

type worldFault struct {
	Kind       Kind    `json:"kind"`
	Operation  string  `json:"operation,omitempty"`
	Times      int     `json:"times"`
	RetryAfter float64 `json:"retry_after_seconds,omitempty"` // simulated
	Delay      float64 `json:"delay_seconds,omitempty"`       // simulated
}

func (v *Vault) worldFault(f worldFault) error {
	if !slices.Contains([]Kind{Throttle, ServerError, LostAnswer, Slow, Late, JobFails, JobWarns}, f.Kind) {
		return fmt.Errorf("no fault is of kind %q", f.Kind)
	}
	v.Fault(Fault{Kind: f.Kind, Operation: f.Operation, Times: f.Times, RetryAfter: seconds(f.RetryAfter), Delay: seconds(f.Delay)})
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

type worldClock struct {
	Speed  *float64 `json:"speed"`
	Paused *bool    `json:"paused"`
}

func (v *Vault) worldClock(c worldClock) error {
	if c.Speed != nil {
		if *c.Speed <= 0 || *c.Speed > 3600 {
			return fmt.Errorf("a speed of %v is not above 0 and at most 3600", *c.Speed)
		}
		v.SetSpeed(*c.Speed)
	}
	switch {
	case c.Paused == nil:
	case *c.Paused:
		v.Pause()
	default:
		v.Resume()
	}
	return nil
}

// ClearFaults disarms every fault that was not used up. What already went wrong stays.
func (v *Vault) ClearFaults() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.faults = nil
}
