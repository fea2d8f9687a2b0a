package azure

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v6"

	"ferry/failover"
)

const (
	// tagsFor is how long tags count as just read, and tagsAgain how long a resource group rests whose tags could not be read.
	tagsFor, tagsAgain = 2 * time.Minute, time.Minute
	// tagsWithin bounds the reading of all tags: those of before do, so that nobody waits for them long.
	tagsWithin = 5 * time.Second
	// tagReaders bounds how many resource groups are read at the same time.
	tagReaders = 8
)

// tagCache has the tags of VMs by the lower-case ARM id of their resource group.
type tagCache struct {
	mu     sync.Mutex
	groups map[string]*groupTags
}

// groupTags are the tags of the VMs of a resource group, by lower-case name, as last read.
type groupTags struct {
	reading chan struct{} // full while somebody reads
	again   time.Time     // when they are to be read anew
	failing bool          // the last reading did, which was told
	of      map[string]map[string]string
}

func (c *tagCache) group(id string) *groupTags {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.groups[id] == nil {
		c.groups[id] = &groupTags{reading: make(chan struct{}, 1)}
	}
	return c.groups[id]
}

// tag fills in the tags of items, by one list for each resource group: a thousand VMs do not cost a thousand reads. Only a
// VM at home tells: what a failover made elsewhere may lack the tags (inferred). Where they cannot be read, those that were
// read last count, or none are known.
func (s *Site) tag(ctx context.Context, items []failover.Item) {
	if s.tags == nil {
		return
	}
	groups := map[string][]*failover.Item{}
	for i := range items {
		it := &items[i]
		at := parseID(it.VM)
		home := it.Home == "" || sameRegion(it.From, it.Home)
		if home && at.SubscriptionID != "" && at.ResourceGroup != "" && at.machine != "" {
			id := strings.ToLower(groupOf(it.VM))
			groups[id] = append(groups[id], it)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, tagsWithin)
	defer cancel()
	slots := make(chan struct{}, tagReaders)
	var reading sync.WaitGroup
	for id, of := range groups {
		slots <- struct{}{}
		reading.Go(func() {
			defer func() { <-slots }()
			tags := s.tagsIn(ctx, id)
			for _, it := range of {
				it.Tags = tags[strings.ToLower(parseID(it.VM).machine)]
			}
		})
	}
	reading.Wait()
}

// tagsIn has the tags of the VMs in a resource group by its lower-case ARM id. What it returns is never changed.
func (s *Site) tagsIn(ctx context.Context, id string) map[string]map[string]string {
	g := s.tags.group(id)
	select {
	case g.reading <- struct{}{}:
	case <-ctx.Done():
		return nil
	}
	defer func() { <-g.reading }()
	if time.Now().Before(g.again) {
		return g.of
	}
	of, err := s.listTags(ctx, parseID(id))
	switch {
	case errors.Is(ctx.Err(), context.Canceled): // the caller went, which says nothing of Azure
	case err != nil:
		g.again = time.Now().Add(tagsAgain)
		if !g.failing {
			s.log.WarnContext(ctx, "the tags of VMs cannot be read, so that those read last count", slog.String("resource_group", id), slog.Any("error", err))
		}
		g.failing = true
	default:
		g.of, g.again, g.failing = of, time.Now().Add(tagsFor), false
	}
	return g.of
}

func (s *Site) listTags(ctx context.Context, group resource) (map[string]map[string]string, error) {
	client, err := armcompute.NewVirtualMachinesClient(group.SubscriptionID, s.credential, s.options)
	if err != nil {
		return nil, err
	}
	machines, err := read(ctx, getMachine(), func(ctx context.Context) ([]*armcompute.VirtualMachine, error) {
		return collect(ctx, client.NewListPager(group.ResourceGroup, nil),
			func(p armcompute.VirtualMachinesClientListResponse) []*armcompute.VirtualMachine { return p.Value })
	})
	if err != nil {
		return nil, err
	}
	of := map[string]map[string]string{}
	for _, vm := range machines {
		tags := map[string]string{} // none is something else than not known
		for key, value := range or(vm).Tags {
			tags[key] = or(value)
		}
		of[strings.ToLower(or(or(vm).Name))] = tags
	}
	return of, nil
}
