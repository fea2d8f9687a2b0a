package world

import (
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// InProcessConn connects past Ferry.
func (n *natsServer) InProcessConn() (net.Conn, error) { return n.dial() }

// In an upgrade older and newer processes meet. Where a newer one wrote something that this one cannot read, it calls nothing
// more and says so; everything else goes on.
func TestOlderLeavesAloneWhatItCannotRead(t *testing.T) {
	bubble(t, func(w *world) {
		f := w.newFleet(1, 1)
		f.start()
		defer f.close()
		pass(time.Minute)
		w.types("ana", "/failover vm-x latest", "[ Approve ]")
		id := regexp.MustCompile(`op-[a-z2-7]{8}`).FindString(w.card("vm-x"))
		w.newerWrites(id)
		w.press("ben", "Approve")
		pass(5 * time.Minute)
		w.ledger("unplannedFailover", 0)
		w.typed("ana", "/failover status "+id)
		pass(5 * time.Second)
		for _, want := range []string{"A newer version of Ferry goes on with it", "Upgrade the bots and executors that still run the older version."} {
			if !strings.Contains(w.told("U0ANA"), want) {
				t.Errorf("ana is not told %q:\n%s", want, w.told("U0ANA"))
			}
		}
		w.types("ana", "/failover vm-y latest", "failover of vm-y: awaiting approval")
		if _, err := w.workspace.Click("ben", incident, "Approve"); err != nil {
			t.Fatal(err)
		}
		w.sees("failover of vm-y: awaiting commit")
		w.ledger("unplannedFailover", 1)
		for _, s := range f.seats {
			if _, lives := s.now(); lives != 1 {
				t.Errorf("%s lived %d times", s.name, lives)
			}
		}
	})
}

// newerWrites stores a fact of a later version, and that there is work.
func (w *world) newerWrites(id string) {
	w.t.Helper()
	nc, err := nats.Connect("", nats.InProcessServer(w.nats))
	if err != nil {
		w.t.Fatal(err)
	}
	defer nc.Close()
	for subject, typ := range map[string]string{"ferry.op." + id: "ferry.fact.gate_opened.v2", "ferry.drive." + id: "ferry.drive.v1"} {
		m := &nats.Msg{Subject: subject, Data: []byte("{}"), Header: nats.Header{"ce-type": {typ}, "ce-subject": {id}, "ce-time": {time.Now().UTC().Format(time.RFC3339Nano)}}}
		if _, err := nc.RequestMsg(m, 5*time.Second); err != nil {
			w.t.Fatal(err)
		}
	}
}
