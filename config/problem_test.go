package config_test

import (
	"strings"
	"testing"

	"ferry/config"
)

// Each case changes the minimal file in one place and states the one problem that follows, as a person reads it.
func TestProblems(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ old, new, want string }{
		"unknown key": {
			"bot_token", "bot_tokn",
			"ferry.yaml:2:22: slack.bot_tokn: unknown key; the nearest known key is bot_token\n" +
				"ferry.yaml:2:1: slack.bot_token: empty; write the bot token, which begins with xoxb-",
		},
		"unknown key, far from all": {
			"subscription_id: s", "subscription_id: s, zzzzzzzzzzzz: 1",
			"ferry.yaml:4:33: azure.vaults[0].zzzzzzzzzzzz: unknown key; the nearest known key is name (one of subscription_id, resource_group, name)",
		},
		"verb": {
			"verbs: [failover]", "verbs: [failover, commit, chang]",
			`ferry.yaml:8:54: access.rules[0].verbs[2]: "chang" is no verb class; write change`,
		},
		"verb of a class":         {"verbs: [failover]", "verbs: [skip]", `access.rules[0].verbs[0]: "skip" is no verb class; write cancel, which it belongs to`},
		"deny is no class":        {"verbs: [failover]", "verbs: [deny]", `who may decide stands in approvers`},
		"no verbs":                {"verbs: [failover]", "verbs: []", `access.rules[0].verbs: no verb class`},
		"role":                    {"may: [operator]", "may: [operater]", `access.rules[0].may[0]: "operater" is no role; write operator, or add it`},
		"no may":                  {"may: [operator], ", "", `access.rules[0].may: missing`},
		"null counts as missing":  {"may: [operator]", "may: ~", `access.rules[0].may: missing`},
		"first of the nearest":    {"users: [U1]", "users: [U1], xxxxxx: 1", `the nearest known key is users (one of users, groups)`},
		"no approvals":            {"approvals: 1, ", "", `access.rules[0].approvals: missing`},
		"no approvers":            {", approvers: [approver]", "", `access.rules[0].approvers: nobody could approve`},
		"too many approvals":      {"approvals: 1", "approvals: 3", `access.rules[0].approvals: 3 approvals are asked for and the approvers are 2 in all`},
		"negative approvals":      {"approvals: 1", "approvals: -1", `access.rules[0].approvals: -1 is negative`},
		"terminal approvals":      {"approvals: 1", "approvals: 1, terminal_approvals: 2", `access.rules[0].terminal_approvals: 2 is not possible with 1 approvals`},
		"no terminal to approve":  {"approvals: 1", "approvals: 1, terminal_approvals: 1", `access.rules[0].terminal_approvals: 1 approvals are to come from terminals and 0 of the approvers have a terminal identity`},
		"one person, two ids":     {"U3]}}\n  rules:\n    - {match: {vm: [\"*\"]}, verbs: [failover], may: [operator], approvals: 1", "U3]}}\n  people: {ben: [U2, U3]}\n  rules:\n    - {match: {vm: [\"*\"]}, verbs: [failover], may: [operator], approvals: 2", `access.rules[0].approvals: 2 approvals are asked for and the approvers are 1 in all`},
		"one id, two people":      {"  rules:", "  people: {ben: [U2, cli:ben], dan: [U3, U2]}\n  rules:", `access.people.dan[1]: "U2" is also an identity of ben; leave it with one of them`},
		"no id of a person":       {"  rules:", "  people: {ben: [ben@example.com]}\n  rules:", `access.people.ben[0]: "ben@example.com" is no id`},
		"no match":                {`match: {vm: ["*"]}, `, "", `access.rules[0].match: no pattern; write {vm: ["*"]} for every VM`},
		"no such group":           {`vm: ["*"]`, `group: [shop, "s*"]`, `access.rules[0].match.group[0]: "shop" is no group; write one under groups`},
		"tag without a key":       {`vm: ["*"]`, `tag: ["=prod"]`, `access.rules[0].match.tag[0]: "=prod" has no key; write key=value, or key for any value`},
		"pattern":                 {`vm: ["*"]`, `vm: ["[a"]`, `access.rules[0].match.vm[0]: "[a" is no pattern`},
		"empty pattern":           {`vm: ["*"]`, `vm: [""]`, `access.rules[0].match.vm[0]: an empty pattern`},
		"alternatives":            {`vm: ["*"]`, `vm: ["a|b"]`, `write the alternatives as items of the list`},
		"pattern, not a list":     {`vm: ["*"]`, `vm: "*"`, `access.rules[0].match.vm: write a list`},
		"expires":                 {"approvals: 1", "approvals: 1, expires: 0s", `access.rules[0].expires: 0s is not above zero`},
		"duration":                {"approvals: 1", "approvals: 1, expires: 15", `access.rules[0].expires: "15" is no duration; write one with its unit`},
		"switch":                  {"approvals: 1", "approvals: 1, self_approval: yes", `access.rules[0].self_approval: "yes" is no switch; write true or false`},
		"number":                  {"approvals: 1", "approvals: one", `access.rules[0].approvals: "one" is no whole number`},
		"user":                    {"users: [U1]", "users: ['@ann']", `access.roles.operator.users[0]: "@ann" is no id`},
		"small letters":           {"users: [U1]", "users: [u1]", `access.roles.operator.users[0]: "u1" is no id`},
		"letters that look alike": {"users: [U1]", "users: [U1А]", `access.roles.operator.users[0]: "U1\u0410" is no id`},
		"CLI":                     {"users: [U1]", "users: ['CLI:ana']", `access.roles.operator.users[0]: "CLI:ana" is no id; write the member id, as in U0123456789, or cli:NAME`},
		"a group as a user":       {"users: [U1]", "users: [S1]", `access.roles.operator.users[0]: "S1" is no id`},
		"a user as a group":       {"users: [U1]", "groups: [U1]", `access.roles.operator.groups[0]: "U1" is no id; write the user group's id`},
		"identity":                {"users: [U1]", "users: ['cli:a.b']", `access.roles.operator.users[0]: "cli:a.b" is no identity of NATS`},
		"break glass":             {"access:\n", "access:\n  break_glass: {role: nobody}\n", `access.break_glass.role: "nobody" is no role`},
		"confirm above":           {"access:\n", "access:\n  confirm_above: -1\n", `access.confirm_above: -1 is negative`},
		"mode":                    {"slack: {", "slack: {mode: web, ", `slack.mode: "web" is no mode; write socket`},
		"no channel":              {"channel: C1, ", "", `slack.channel: empty; write the id of the channel`},
		"channel by name":         {"channel: C1", "channel: '#ops'", `slack.channel: "#ops" is a name`},
		"api_url":                 {"slack: {", "slack: {api_url: 'http://127.0.0.1:1/api', ", `slack.api_url: "http://127.0.0.1:1/api" has to end in a slash`},
		"listen":                  {"slack: {", "slack: {listen: '8080', ", `slack.listen: "8080" is no address; write host:port`},
		"tokens swapped":          {"bot_token: xoxb-1", "bot_token: xapp-1", `slack.bot_token: this is the other token, it begins with xapp-`},
		"tag":                     {"channel: C1", "channel: !!str C1", `slack.channel: tags such as !!str are not read`},
		"replicas":                {"azure:\n", "nats: {url: 'nats://n', replicas: 2}\nazure:\n", `nats.replicas: 2 is not possible`},
		"replicas, embedded":      {"azure:\n", "nats: {replicas: 3}\nazure:\n", `nats.replicas: the embedded server keeps one copy`},
		"nats identity":           {"azure:\n", "nats: {identity: a.b}\nazure:\n", `nats.identity: "a.b" is no identity`},
		"nats nkey":               {"azure:\n", "nats: {nkey: UABC}\nazure:\n", `nats.nkey: this is no seed of a user`},
		"nats nkey and creds":     {"azure:\n", "nats: {nkey: SUABC, creds: x}\nazure:\n", `nats.nkey: creds is given too`},
		"nats certificate alone":  {"azure:\n", "nats: {tls: {cert: x}}\nazure:\n", `nats.tls: a certificate needs its key`},
		"nats url":                {"azure:\n", "nats: {url: 'http://n'}\nazure:\n", `nats.url: this is no address of a NATS server`},
		"data_dir":                {"azure:\n", "data_dir: ''\nazure:\n", `data_dir: empty`},
		"credential":              {"azure:\n", "azure:\n  credential: clii\n", `azure.credential: "clii" is no credential; write cli`},
		"endpoint":                {"azure:\n", "azure:\n  endpoint: http://arm.example.com\n", `accepted on loopback only; write https://arm.example.com`},
		"no vaults":               {"vaults: [{subscription_id: s, resource_group: rg, name: v}]", "vaults: []", `azure.vaults: no vault`},
		"vault twice":             {"name: v}]", "name: v}, {subscription_id: S, resource_group: RG, name: V}]", `azure.vaults[1]: the same vault as azure.vaults[0]`},
		"vault field":             {"name: v}]", "name: ' '}]", `azure.vaults[0].name: empty`},
		"no waves":                {"azure:\n", "groups: {g: {}}\nazure:\n", `groups.g.waves: no wave`},
		"empty wave":              {"azure:\n", "groups: {g: {waves: [[a], []]}}\nazure:\n", `groups.g.waves[1]: an empty wave`},
		"on_failure":              {"azure:\n", "groups: {g: {waves: [[a]], on_failure: stop}}\nazure:\n", `groups.g.on_failure: "stop" is not possible`},
		"concurrency":             {"azure:\n", "groups: {g: {waves: [[a]], concurrency: -1}}\nazure:\n", `groups.g.concurrency: -1 is negative; write 0 for as many as the vaults take`},
		"canary":                  {"azure:\n", "groups: {g: {waves: [[a]], canary: -1}}\nazure:\n", `groups.g.canary: -1 is negative`},
		"canary without waves":    {"azure:\n", "groups:\n  g:\n    canary: 1\nazure:\n", "ferry.yaml:4:3: groups.g.waves: no wave\nferry.yaml:5:5: groups.g.canary: there is no wave that it could go ahead of; write the waves, or 0"},
		"tolerate":                {"azure:\n", "groups:\n  g:\n    waves: [[a]]\n    tolerate: 101\nazure:\n", `ferry.yaml:6:5: groups.g.tolerate: 101 is no share; write the percent of a wave's VMs that may fail, from 0 to 100`},
		"tolerate and continue":   {"azure:\n", "groups: {g: {waves: [[a]], on_failure: continue, tolerate: 5}}\nazure:\n", `groups.g.tolerate: continue stops for no failed VM`},
		"group, in another case":  {"azure:\n", "groups: {G: {waves: [[a]]}, g: {waves: [[a]]}}\nazure:\n", `groups.g: people type names in any case, so this is the same as G`},
		"key of a wave":           {"azure:\n", "groups: {g: {waves: [{vm: [a]}]}}\nazure:\n", "groups.g.waves[0].vm: unknown key; the nearest known key is vms"},
		"wave as a value":         {"azure:\n", "groups: {g: {waves: [a]}}\nazure:\n", "groups.g.waves[0]: write the list of its VMs, as in [sql-01, web-*], or {vms: [...], tags: [...]}"},
		"pattern in a wave":       {"azure:\n", "groups:\n  g:\n    waves:\n    - [a, 'b|c']\nazure:\n", `ferry.yaml:6:11: groups.g.waves[0][1]: "b|c" is taken as one pattern`},
		"pattern among others":    {"azure:\n", "groups:\n  g:\n    waves:\n    - name: x\n      vms: ['[a']\nazure:\n", `ferry.yaml:7:13: groups.g.waves[0].vms[0]: "[a" is no pattern`},
		"tag of a wave":           {"azure:\n", "groups: {g: {waves: [{tags: ['=shop']}]}}\nazure:\n", `groups.g.waves[0].tags[0]: "=shop" has no key; write key=value`},
		"wave called twice":       {"azure:\n", "groups: {g: {waves: [{name: db, vms: [a]}, {name: DB, vms: [b]}]}}\nazure:\n", `groups.g.waves[1].name: wave 1 is called "DB" too; give one of them another name`},
		"wave called a number":    {"azure:\n", "groups: {g: {waves: [{name: 2, vms: [a]}]}}\nazure:\n", `groups.g.waves[0].name: "2" reads as the number of a wave; write a word`},
		"after no wave":           {"azure:\n", "groups:\n  g:\n    waves:\n    - {name: database, vms: [a]}\n    - vms: [b]\n      after: [databse]\nazure:\n", `ferry.yaml:8:15: groups.g.waves[1].after[0]: "databse" is no wave of the group; write database, or a number from 1 to 2`},
		"after no number":         {"azure:\n", "groups: {g: {waves: [[a], {vms: [b], after: [3]}]}}\nazure:\n", `groups.g.waves[1].after[0]: "3" is no wave of the group; write a number from 1 to 2`},
		"after itself":            {"azure:\n", "groups: {g: {waves: [[a], {vms: [b], after: [2]}]}}\nazure:\n", `groups.g.waves[1].after[0]: a wave cannot wait for itself`},
		"waves in a circle":       {"azure:\n", "groups:\n  g:\n    waves:\n    - {name: db, vms: [a], after: [web]}\n    - [b]\n    - {name: web, vms: [c]}\nazure:\n", `ferry.yaml:6:7: groups.g.waves[0]: waits for itself, by way of the waves db, web, 2, db; a wave without after waits for the one before it, so write another after, or after: []`},
		"check":                   {"azure:\n", "checks: {c: {tcp: 'h:1', nats: true}}\nazure:\n", `checks.c: a check is of one kind`},
		"network by name":         {"azure:\n", "azure:\n  isolated_networks: [vnet-drill]\n", `azure.isolated_networks[0]: "vnet-drill" is no ARM id of a virtual network; write /subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.Network/virtualNetworks/NAME`},
		"subnet for a network":    {"azure:\n", "azure:\n  isolated_networks: ['" + network + "/subnets/default']\n", `azure.isolated_networks[0]: `},
		"network for an account":  {"azure:\n", "azure:\n  cache_storage: {northeurope: '" + network + "'}\n", `azure.cache_storage.northeurope: "` + network + `" is no ARM id of a storage account; write `},
		"size without others":     {"azure:\n", "azure:\n  alternative_sizes: {Standard_D4s_v5: []}\n", `azure.alternative_sizes.Standard_D4s_v5: no size in its place; write one, as in [Standard_D4as_v5]`},
		"no size":                 {"azure:\n", "azure:\n  alternative_sizes: {D4s_v5: [Standard_D4as_v5]}\n", `azure.alternative_sizes.D4s_v5: "D4s_v5" is no size of a VM; write it as Azure does, as in Standard_D4s_v5`},
		"size in its own place":   {"azure:\n", "azure:\n  alternative_sizes: {Standard_D4s_v5: [Standard_D8s_v5, Standard_D4S_v5]}\n", `azure.alternative_sizes.Standard_D4s_v5[1]: Standard_D4S_v5 is tried before; leave it out`},
		"size twice":              {"azure:\n", "azure:\n  alternative_sizes: {Standard_D4s_v5: [Standard_D8s_v5, Standard_D8s_v5]}\n", `azure.alternative_sizes.Standard_D4s_v5[1]: Standard_D8s_v5 is tried before; leave it out`},
		"size with two lists":     {"azure:\n", "azure:\n  alternative_sizes: {Standard_D4s_v5: [Standard_D8s_v5], Standard_d4s_v5: [Standard_E4s_v5]}\n", `azure.alternative_sizes.Standard_d4s_v5: the same size as Standard_D4s_v5; write one list for it`},
		"region by its title":     {"azure:\n", "azure:\n  cache_storage: {North Europe: /subscriptions/s/resourceGroups/g/providers/microsoft.storage/storageaccounts/a}\n", `"North Europe" is no region; write northeurope`},
		"check over FTP":          {"azure:\n", "checks: {c: {http: 'ftp://h/'}}\nazure:\n", `checks.c.http: this is no URL`},
		"check of odd name":       {"azure:\n", "checks: {'a *': {nats: true}}\nazure:\n", `the subject ferrysvc.check.NAME`},
		"check's address":         {"azure:\n", "checks: {c: {tcp: h}}\nazure:\n", `checks.c.tcp: "h" is no address`},
		"targets":                 {"azure:\n", "targets: {rto: 0s}\nazure:\n", `targets.rto: 0s is not above zero`},
		"digest":                  {"azure:\n", "digest: {hour: '25:00'}\nazure:\n", `digest.hour: "25:00" is no time of day`},
		"time zone":               {"azure:\n", "digest: {time_zone: Mars}\nazure:\n", `digest.time_zone: "Mars" is no time zone`},
		"http.listen":             {"azure:\n", "http: {listen: a}\nazure:\n", `http.listen: "a" is no address`},
		"section as a value":      {"slack: {channel: C1, bot_token: xoxb-1, app_token: xapp-1}", "slack: here", `slack: write keys and values here`},
		"value as a list":         {"channel: C1", "channel: [C1]", `slack.channel: write a single value`},
		"unset variable":          {"channel: C1", `channel: "${CHANNEL}"`, `slack.channel: the environment variable CHANNEL is not set`},
		"malformed variable":      {"channel: C1", `channel: "${CHAN NEL}"`, `slack.channel: a ${ begins here that is no ${NAME}`},
		"no such file":            {"channel: C1", "channel: file:absent", `slack.channel: cannot take the value from its file`},
		"file is a folder":        {"channel: C1", "channel: file:.", `is no regular file`},
		"merge key":               {"azure:\n", "nats:\n  <<: {url: x}\nazure:\n", `merge keys are not read; write the keys out`},
		"unknown anchor":          {"channel: C1", "channel: *c", `no anchor &c stands before this`},
		"key twice":               {"azure:\n", "data_dir: a\ndata_dir: b\nazure:\n", `ferry.yaml:4:1: not valid YAML: mapping key "data_dir" already defined`},
		"two documents":           {"access:\n", "---\naccess:\n", `more than one document`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if strings.Count(minimal, test.old) == 0 {
				t.Fatalf("%q is not in the minimal file", test.old)
			}
			text := strings.Replace(minimal, test.old, test.new, 1)
			_, _, err := config.Parse([]byte(text), "ferry.yaml", env())
			if err == nil {
				t.Fatal("accepted")
			}
			for want := range strings.SplitSeq(test.want, "\n") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got:\n%v\nwant in it:\n%s", err, want)
				}
			}
			if got, want := strings.Count(err.Error(), "\n"), strings.Count(test.want, "\n"); got != want {
				t.Errorf("got %d problems, want %d:\n%v", got+1, want+1, err)
			}
		})
	}
}

func TestProblemsComeTogetherInTheOrderOfTheFile(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer("channel: C1", "chanel: C1", "name: v", "name: ''", "may: [operator]", "may: [x]").Replace(minimal)
	_, _, err := config.Parse([]byte(text), "f", env())
	want := []string{"f:2:1: slack.channel", "f:2:9: slack.chanel", "f:4:53: azure.vaults[0].name", "f:8:53: access.rules[0].may[0]"}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Fatalf("got:\n%v", err)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("line %d is %q, want it to begin with %q", i, line, want[i])
		}
	}
}

func TestSyntaxErrorQuotesNoSecret(t *testing.T) {
	t.Parallel()
	_, _, err := config.Parse([]byte("slack:\n  bot_token: xoxb-hush\n  channel: [\n"), "ferry.yaml", env())
	if err == nil || strings.Contains(err.Error(), "xoxb-hush") {
		t.Errorf("got %v", err)
	}
	if !strings.HasPrefix(err.Error(), "ferry.yaml:3:12: not valid YAML: ") {
		t.Errorf("got %v", err)
	}
}

func TestGroupsOfApproversCannotBeCounted(t *testing.T) {
	t.Parallel()
	text := strings.NewReplacer("{users: [U2, U3]}", "{groups: [S1]}", "approvals: 1", "approvals: 5").Replace(minimal)
	_, warnings := mustParse(t, text, env())
	if len(warnings) != 0 {
		t.Errorf("warnings = %q", warnings)
	}
}

func TestReservedKeysShareOneLine(t *testing.T) {
	t.Parallel()
	text := strings.Replace(minimal, `{vm: ["*"]}`, "{vm: ['*'], group: [g], tag: [t, env=prod]}", 1)
	text = strings.Replace(text, "approvals: 1", "approvals: 1, confirm_name: true", 1)
	text += "groups: {g: {waves: [[sql]]}}\ndrills: [{name: d, every: 24h}]\n"
	c, warnings := mustParse(t, text, env())
	want := "not available yet and left unused: drills"
	if len(warnings) != 1 || string(warnings[0]) != want {
		t.Errorf("got  %q\nwant %q", warnings, want)
	}
	if m := c.Access.Rules[0].Match; len(m.Group) != 1 || len(m.Tag) != 2 {
		t.Errorf("matches %+v", m)
	}
}
