package world

import (
	"ferry/sandbox/replicas"
)

// What goes wrong in a cluster that one server alone does not show.
const (
	loseAcks     = "acknowledgements are lost"
	breakBatches = "the leader changes within batches"
	staleReads   = "reads are old"
	noLeader     = "nobody leads"
	cutOffLeader = "the leader is cut off"
	badLuck      = "one answer in ten is lost"
)

// troubleCluster begins what a step says; without a number or a time it ends it.
func troubleCluster(p *replicas.Proxy, s step) {
	switch s.Text {
	case loseAcks:
		p.LoseAcks(s.N)
	case breakBatches:
		p.BreakBatches(s.N)
	case staleReads:
		p.StaleReads(s.For.duration())
	case noLeader:
		p.NoLeader(s.For.duration())
	case cutOffLeader:
		p.CutOff(s.For.duration())
	case badLuck:
		odds := replicas.Odds{}
		if s.N > 0 {
			odds = replicas.Odds{LostAck: 0.1, BrokenBatch: 0.1}
		}
		p.Draw(odds)
	}
}
