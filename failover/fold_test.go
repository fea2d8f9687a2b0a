package failover_test

import (
	"fmt"
	"testing"
	"time"

	"ferry/failover"
)

// BenchmarkFold is one operation on many VMs, folded from its first fact to the end of the failover: eight facts a VM.
func BenchmarkFold(b *testing.B) {
	for _, n := range []int{100, 300, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			records := fleetRecords(n)
			b.ReportAllocs()
			for b.Loop() {
				var op failover.Operation
				for _, r := range records {
					op = failover.Evolve(op, r)
				}
				if op.Phase != failover.AwaitingCommit {
					b.Fatal(op.Phase)
				}
			}
		})
	}
}

func fleetRecords(n int) []failover.Record {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	request := failover.Requested{Op: "op-aaaaaaaa", Verb: failover.VerbFailover, Plan: failover.Plan{Fleet: &failover.Fleet{Waves: []failover.Wave{{}}}}}
	for i := range n {
		key := fmt.Sprintf("key-%04d", i)
		request.Targets = append(request.Targets, failover.Target{Item: failover.Item{Key: key, Name: key}, Phase: failover.AwaitingApproval, Wave: 1})
	}
	facts := []failover.Fact{request, failover.GateOpened{Gate: failover.ClassFailover, Step: failover.StepFailover}}
	each := func(of func(key string) failover.Fact) {
		for _, t := range request.Targets {
			facts = append(facts, of(t.Item.Key))
		}
	}
	each(func(key string) failover.Fact {
		return failover.StepStarted{Target: key, Kind: failover.StepFailover, Attempt: 1, ClientRequestID: key}
	})
	each(func(key string) failover.Fact {
		return failover.StepAccepted{Target: key, Kind: failover.StepFailover, JobID: key}
	})
	for i := range 5 {
		each(func(key string) failover.Fact {
			return failover.Observed{Target: key, Kind: failover.StepFailover, Tasks: make([]failover.Task, i+1)}
		})
	}
	each(func(key string) failover.Fact {
		return failover.StepDone{Target: key, Kind: failover.StepFailover, PointUsed: at, EndedAt: at}
	})
	records := make([]failover.Record, 0, len(facts))
	for i, f := range facts {
		records = append(records, failover.Record{Fact: f, At: at, Seq: uint64(i + 1)})
	}
	return records
}
