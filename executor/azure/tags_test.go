package azure_test

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/executor/azure"
	"ferry/failover"
	"ferry/sandbox/vault"
)

// counted counts the requests to Compute.
type counted struct {
	*http.Client
	compute *int
}

func (c counted) Do(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "Microsoft.Compute") {
		*c.compute++
	}
	return c.Client.Do(r)
}

// tagging is a vault, with sites over it whose requests to Compute are counted.
type tagging struct {
	*testing.T
	world   *vault.Vault
	client  counted
	compute int
}

func withTags(t *testing.T, vms int, test func(*tagging)) {
	t.Helper()
	setIdentity(t)
	synctest.Test(t, func(t *testing.T) {
		b := &tagging{T: t, world: vault.New(vault.Options{BaseURL: host, VMs: vms, Tags: map[string]map[string]string{"vm-x": {"env": "prod"}, "vm-y": nil}})}
		b.client = counted{serve(t, b.world), &b.compute}
		test(b)
	})
}

func (b *tagging) site(tags bool) *azure.Site {
	b.Helper()
	o := optionsOf(b.T, b.client)
	o.Tags = tags
	site, err := azure.New(o)
	if err != nil {
		b.Fatal(err)
	}
	return site
}

// of reads all items, and the one with the name by itself, too, and returns its tags; nil are not known.
func (b *tagging) of(site *azure.Site, vm string) map[string]string {
	b.Helper()
	items, err := site.Items(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	for _, i := range items {
		if i.Name != vm {
			continue
		}
		one, err := site.Item(b.Context(), failover.Item{ID: i.ID, VaultID: i.VaultID})
		if err != nil || !maps.Equal(one.Tags, i.Tags) || (one.Tags == nil) != (i.Tags == nil) {
			b.Errorf("%s by itself has %v, and in the list %v: %v", vm, one.Tags, i.Tags, err)
		}
		return i.Tags
	}
	b.Fatalf("no %s", vm)
	return nil
}

// requests fails the test unless Compute was asked so often since the last time.
func (b *tagging) requests(want int) {
	b.Helper()
	if b.compute != want {
		b.Errorf("%d requests to Compute, want %d", b.compute, want)
	}
	b.compute = 0
}

// Many VMs in one resource group cost one list in two minutes, and what somebody changes counts after that.
func TestTagsOfManyVMs(t *testing.T) {
	withTags(t, 200, func(b *tagging) {
		site := b.site(true)
		if got := b.of(site, "vm-x"); got["env"] != "prod" || len(got) != 1 {
			b.Errorf("vm-x has %v", got)
		}
		if got := b.of(site, "vm-y"); got == nil || len(got) > 0 {
			b.Errorf("vm-y has %#v, want none", got)
		}
		if err := b.world.SetTags("vm-y", map[string]string{"env": "prod"}); err != nil {
			b.Fatal(err)
		}
		b.of(site, "vm-y")
		b.requests(1)
		<-time.After(2 * time.Minute)
		if got := b.of(site, "vm-y"); got["env"] != "prod" {
			b.Errorf("two minutes later vm-y has %v", got)
		}
		b.requests(1)
	})
}

// Nobody asks for tags that no rule goes by.
func TestTagsThatNobodyNeeds(t *testing.T) {
	withTags(t, 2, func(b *tagging) {
		if got := b.of(b.site(false), "vm-x"); got != nil {
			b.Errorf("vm-x has %v", got)
		}
		b.requests(0)
	})
}

// While Compute does not answer, or refuses, it is left alone for most of the time, and the tags that were read last count.
func TestTagsDuringAnOutage(t *testing.T) {
	for _, fault := range []vault.Fault{{Kind: vault.ServerError}, {Kind: vault.Forbid}, {Kind: vault.Slow, Delay: time.Minute}} {
		withTags(t, 2, func(b *tagging) {
			site := b.site(true)
			b.of(site, "vm-x")
			fault.Operation, fault.Times = "machines", vault.Always
			b.world.Fault(fault)
			begun := time.Now()
			<-time.After(10 * time.Minute)
			b.compute = 0
			for range 10 {
				if got := b.of(site, "vm-x"); got["env"] != "prod" {
					b.Errorf("%s: vm-x has %v", fault.Kind, got)
				}
			}
			if took := time.Since(begun) - 10*time.Minute; took > 6*time.Second || b.compute > 3 {
				b.Errorf("%s: twenty readings cost %d requests and %s", fault.Kind, b.compute, took)
			}
			if got := b.of(b.site(true), "vm-x"); got != nil {
				b.Errorf("%s: a new site knows %v", fault.Kind, got)
			}
			b.world.ClearFaults()
			<-time.After(time.Minute)
			if got := b.of(site, "vm-y"); got == nil {
				b.Errorf("%s: nothing is known after the outage", fault.Kind)
			}
		})
	}
}

// What a failover made of a VM, and replicates back, does not tell its tags.
func TestTagsOfAVMThatIsAway(t *testing.T) {
	withTags(t, 1, func(b *tagging) {
		for _, operation := range []string{"unplannedFailover", "failoverCommit", "switchprotection"} {
			if err := b.world.Portal("vm-x", operation); err != nil {
				b.Fatal(err)
			}
			<-time.After(20 * time.Minute)
			want := map[string]string{"env": "prod"}
			if operation == "switchprotection" {
				want = nil
			}
			if got := b.of(b.site(true), "vm-x"); !maps.Equal(got, want) || (got == nil) != (want == nil) {
				b.Errorf("after %s vm-x has %v", operation, got)
			}
		}
	})
}
