package terminal_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"ferry/sandbox/vault"
)

// Whoever searches a VM among a thousand is offered some within 300 ms, by a process of its own over a real NATS server.
func TestSearchAmongAThousandVMs(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("measures; go test without -short does")
	}
	o := newOutsideWith(t, vault.Options{Speed: 1, VMs: 1000}, both)
	o.up()
	if err := o.workspace.Type("ana", "#incident", "/failover"); err != nil {
		t.Fatal(err)
	}
	o.until("the form is open", func() bool { _, open := o.workspace.Modal("ana"); return open })
	o.until("the VMs are read", func() bool {
		offered, err := o.workspace.Search("ana", "VM", "")
		return err == nil && len(offered) == 100
	})
	var took []time.Duration
	for i := range 20 {
		began := time.Now()
		offered, err := o.workspace.Search("ana", "VM", fmt.Sprint(i))
		if took = append(took, time.Since(began)); err != nil || len(offered) == 0 || len(offered) > 100 {
			t.Fatalf("offered %d, %v", len(offered), err)
		}
	}
	slices.Sort(took)
	t.Logf("a search among 1,000 VMs took %s, at most %s", took[len(took)/2].Round(time.Millisecond), took[len(took)-1].Round(time.Millisecond))
	if median := took[len(took)/2]; median > 300*time.Millisecond {
		t.Errorf("a search took %s", median)
	}
}
