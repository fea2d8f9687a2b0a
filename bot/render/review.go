package render

import (
	"fmt"
	"slices"
	"strings"

	"ferry/failover"
)

// reversal is what a reprotect would use, with what it would create marked as new.
func (d detail) reversal(r *failover.Reversal) []line {
	if r == nil {
		return nil
	}
	network := d.name(lastSegment(r.Network))
	if r.Network == "" {
		network = "not mapped: Azure decides"
	}
	lines := []line{
		labelled("Replicates", plain(orNot(d.name(r.From))+" to "+orNot(d.name(r.To)))),
		labelled("Resource group", plain(orNot(d.name(lastSegment(r.ResourceGroup))))),
		labelled("Network", plain(network)),
		labelled("Availability", plain(d.availability(r))),
		labelled("Cache storage", plain(d.caches(r)+", in "+orNot(d.name(r.From)))),
	}
	for _, disk := range r.Disks[:min(len(r.Disks), d.items)] {
		size := "size not known"
		if disk.Bytes > 0 {
			size = fmt.Sprintf("%d GiB", disk.Bytes>>30)
		}
		lines = append(lines, labelled("Disk", plain(orNot(d.name(disk.Name))+", "+size+", "+orElse(d.name(disk.Type), "type not known"))))
	}
	lines = append(lines, d.more(len(r.Disks))...)
	for _, what := range r.Creates[:min(len(r.Creates), d.items)] {
		lines = append(lines, labelled("+ New", plain(d.name(what))))
	}
	lines = append(lines, d.more(len(r.Creates))...)
	if r.FullCopy {
		lines = append(lines, words("! The old VM is gone from %s, so all data are copied, not only what has changed.", orNot(d.name(r.To))))
	}
	return append(lines, labelled("Takes about", plain(duration(r.Estimate())+", an estimate; Azure promises no figure")))
}

// more says how many things of a list are left out.
func (d detail) more(n int) []line {
	if n <= d.items {
		return nil
	}
	return []line{words("and %d more", n-d.items)}
}

func (d detail) availability(r *failover.Reversal) string {
	var all []string
	if r.AvailabilitySet != "" {
		all = append(all, "set "+d.name(lastSegment(r.AvailabilitySet)))
	}
	if r.Zone != "" {
		all = append(all, "zone "+d.name(r.Zone))
	}
	return orElse(strings.Join(all, ", "), "no set, no zone")
}

func (d detail) caches(r *failover.Reversal) string {
	var all []string
	for _, disk := range r.Disks {
		if name := orNot(d.name(lastSegment(disk.Cache))); !slices.Contains(all, name) && len(all) < d.items {
			all = append(all, name)
		}
	}
	return orNot(strings.Join(all, ", "))
}

func orElse(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
