package azure

import "strings"

// resource is an ARM id below a vault, taken apart; absent parts are empty.
type resource struct {
	Vault
	fabric, container, item, job, machine, plan string
}

// parseID reads the parts by the names before them, since Azure varies the case even of the fixed words.
func parseID(id string) resource {
	var r resource
	words := strings.Split(strings.Trim(id, "/"), "/")
	for i := 0; i+1 < len(words); i += 2 {
		name := words[i+1]
		switch strings.ToLower(words[i]) {
		case "subscriptions":
			r.SubscriptionID = name
		case "resourcegroups":
			r.ResourceGroup = name
		case "vaults":
			r.Name = name
		case "replicationfabrics":
			r.fabric = name
		case "replicationprotectioncontainers":
			r.container = name
		case "replicationprotecteditems":
			r.item = name
		case "replicationjobs":
			r.job = name
		case "replicationrecoveryplans":
			r.plan = name
		case "virtualmachines":
			r.machine = name
		}
	}
	return r
}

// names an item completely, so that the SDK can build its path.
func (r resource) namesItem() bool { return r.fabric != "" && r.container != "" && r.item != "" }

// canonicalJob spells a job's id in one way, whatever the case of the answer that named it: callers compare job ids. It is
// empty when the id names no job; Azure writes ".../replicationJobs/None" for an idle item.
func (v Vault) canonicalJob(id string) string {
	name := parseID(id).job
	if name == "" || strings.EqualFold(name, idle) {
		return ""
	}
	return v.jobID(name)
}
