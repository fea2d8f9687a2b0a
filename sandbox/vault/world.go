package vault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// World serves the simulated world to the people who play with it, as JSON: what a person at the Azure portal would see and
// could do, the ledger, faults and the clock. It is no part of Azure's wire, so clients under test have no use for it.
//
//	GET  /state    everything, as of now
//	GET  /states   the same as server-sent events called state: at once, and again whenever something changed
//	POST /portal   {"vm", "operation", "after_seconds"}: see [Vault.Portal]
//	POST /fault    {"kind", "operation", "vm", "size", "times", "for_seconds", "share", "seed", "status", "retry_after_seconds",
//	               "delay_seconds", "portal", "code", "message", "causes", "action"}: see [Fault]
//	POST /jobs     {"at_once", "median_seconds", "p95_seconds", "seed", "own"}: see [Vault.SetJobsAtOnce], [Vault.SetFailovers]
//	POST /role     {"operator"}: see [Vault.SetOperator]
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
	mux.HandleFunc("POST /jobs", asked(v.worldJobs))
	mux.HandleFunc("POST /role", asked(func(r struct {
		Operator bool `json:"operator"`
	},
	) error {
		v.SetOperator(r.Operator)
		return nil
	}))
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
	VM        string  `json:"vm"`
	Operation string  `json:"operation"`
	After     float64 `json:"after_seconds"` // simulated
}

func (v *Vault) worldPortal(o worldOperation) error {
	if o.After > 0 {
		return v.PortalAfter(seconds(o.After), o.VM, o.Operation)
	}
	return v.Portal(o.VM, o.Operation)
}

type worldFault struct {
	Kind       Kind    `json:"kind"`
	Operation  string  `json:"operation,omitempty"`
	VM         string  `json:"vm,omitempty"`
	Size       string  `json:"size,omitempty"`
	Times      int     `json:"times"`                 // -1 until cleared
	For        float64 `json:"for_seconds,omitempty"` // simulated
	Share      float64 `json:"share,omitempty"`
	Seed       uint64  `json:"seed,omitempty"`
	Status     int     `json:"status,omitempty"`
	RetryAfter float64 `json:"retry_after_seconds,omitempty"` // simulated
	Delay      float64 `json:"delay_seconds,omitempty"`       // simulated
	Portal     string  `json:"portal,omitempty"`
	Code       string  `json:"code,omitempty"`
	Message    string  `json:"message,omitempty"`
	Causes     string  `json:"causes,omitempty"`
	Action     string  `json:"action,omitempty"`
}

func shownFault(f Fault) worldFault {
	return worldFault{
		Kind: f.Kind, Operation: f.Operation, VM: f.VM, Size: f.Size, Times: f.Times, For: f.For.Seconds(), Share: f.Share, Seed: f.Seed,
		Status: f.Status, RetryAfter: f.RetryAfter.Seconds(), Delay: f.Delay.Seconds(),
		Portal: f.Portal, Code: f.Code, Message: f.Message, Causes: f.Causes, Action: f.Action,
	}
}

func (v *Vault) worldFault(f worldFault) error {
	armed := Fault{
		Kind: f.Kind, Operation: f.Operation, VM: f.VM, Size: f.Size, Times: f.Times, For: seconds(f.For), Share: f.Share, Seed: f.Seed,
		Status: f.Status, RetryAfter: seconds(f.RetryAfter), Delay: seconds(f.Delay),
		Portal: f.Portal, Code: f.Code, Message: f.Message, Causes: f.Causes, Action: f.Action,
	}
	if err := armed.check(); err != nil {
		return err
	}
	v.Fault(armed)
	return nil
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

type worldJobsSet struct {
	AtOnce int     `json:"at_once"`
	Median float64 `json:"median_seconds"` // simulated
	P95    float64 `json:"p95_seconds"`    // simulated
	Seed   uint64  `json:"seed"`
	Own    float64 `json:"own"`
}

func (v *Vault) worldJobs(s worldJobsSet) error {
	spread := Spread{Median: seconds(s.Median), P95: seconds(s.P95), Seed: s.Seed, Own: s.Own}
	if err := spread.check(); err != nil {
		return err
	}
	v.SetFailovers(spread)
	v.SetJobsAtOnce(s.AtOnce)
	return nil
}

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
