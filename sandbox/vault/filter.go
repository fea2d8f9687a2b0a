package vault

import (
	"regexp"
	"strings"
	"time"
)

// filter is a $filter of Site Recovery: property eq 'value', joined by "and". Names are kept in lower case.
type filter map[string]string

var filterTerm = regexp.MustCompile(`(?i)^\s*(\w+)\s+eq\s+'([^']*)'\s*$`)

// readFilter takes the properties that are known. What Azure says to others is guessed.
func readFilter(c *call, known ...string) (filter, error) {
	text := c.request.URL.Query().Get("$filter")
	f := filter{}
	if strings.TrimSpace(text) == "" {
		return f, nil
	}
	for _, term := range regexp.MustCompile(`(?i)\s+and\s+`).Split(text, -1) {
		match := filterTerm.FindStringSubmatch(term)
		if match == nil {
			return nil, invalid("$filter: %q is not of the form property eq 'value'", term)
		}
		f[strings.ToLower(match[1])] = match[2]
	}
	for name := range f {
		if !containsFold(known, name) {
			return nil, invalid("$filter: there is no property %q", name)
		}
	}
	return f, nil
}

func containsFold(all []string, one string) bool {
	for _, s := range all {
		if strings.EqualFold(s, one) {
			return true
		}
	}
	return false
}

// is reports whether the filter leaves the property open or wants this value.
func (f filter) is(name, value string) bool {
	want, asked := f[strings.ToLower(name)]
	return !asked || strings.EqualFold(want, value)
}

// moment reads a time in one of the layouts that clients were seen to send.
func (f filter) moment(name string) (at time.Time, asked bool, err error) {
	text, asked := f[strings.ToLower(name)]
	if !asked {
		return time.Time{}, false, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05Z", "2006-01-02T15:04:05", "1/2/2006 3:04:05 PM"} {
		if at, err = time.Parse(layout, text); err == nil {
			return at.UTC(), true, nil
		}
	}
	return time.Time{}, true, invalid("$filter: %s is not a time: %q", name, text)
}

// itemFilter is what a call asks of items.
func (v *Vault) itemFilter(c *call) (func(*item) bool, error) {
	f, err := readFilter(c, "SourceFabricName", "SourceFabricLocation", "FabricObjectId", "InstanceType", "MultiVmGroupCreateOption",
		"RecoveryPlanName", "VCenterName", "ProcessServerId")
	if err != nil {
		return nil, err
	}
	return func(it *item) bool {
		return f.is("SourceFabricName", it.primary.fabric) &&
			(f.is("SourceFabricLocation", it.primary.name) || f.is("SourceFabricLocation", it.primary.location)) &&
			f.is("FabricObjectId", it.source.id()) && f.is("InstanceType", "A2A") &&
			f.is("MultiVmGroupCreateOption", it.groupOption()) && f.is("VCenterName", "") && f.is("ProcessServerId", "") && v.inPlan(f, it)
	}, nil
}

// jobFilter is what a call asks of jobs. StartTime and EndTime bound when a job began (guessed).
func (v *Vault) jobFilter(c *call) (func(*job) bool, error) {
	f, err := readFilter(c, "StartTime", "EndTime", "JobStatus", "JobName", "FabricId", "AffectedObjectTypes", "JobOutputType", "TimezoneOffset")
	if err != nil {
		return nil, err
	}
	from, bounded, err := f.moment("StartTime")
	if err != nil {
		return nil, err
	}
	to, ends, err := f.moment("EndTime")
	if err != nil {
		return nil, err
	}
	return func(j *job) bool {
		state, _ := j.state(c.at)
		began := v.clock.wall(j.start)
		return f.is("JobStatus", state) && f.is("JobName", j.id) && f.is("FabricId", v.fabricID(j.primary)) &&
			(!bounded || !began.Before(from)) && (!ends || !began.After(to))
	}, nil
}
