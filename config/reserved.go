package config

import (
	"fmt"
	"strings"
)

// reserved names, in one line, what the file asks for and no part of Ferry does yet. A key that is left out or set to
// what happens anyway is not worth a line.
func reserved(c *Config, given func(path string) bool) []Warning {
	var r reservation
	r.add("slack.notify_approvers", given("slack.notify_approvers") && c.Slack.NotifyApprovers)
	for i, rule := range c.Access.Rules {
		r.rule(fmt.Sprintf("access.rules[%d]", i), rule)
	}
	r.add("access.confirm_above", given("access.confirm_above"))
	r.add("access.break_glass", c.Access.BreakGlass != nil)
	r.add("groups", len(c.Groups) > 0)
	r.add("drills", len(c.Drills) > 0)
	r.add("digest", given("digest"))
	r.add("http.listen", given("http.listen") && c.HTTP.Listen != "")
	for _, name := range sorted(c.Access.Roles) {
		if len(c.Access.Roles[name].Groups) > 0 {
			r.groups = append(r.groups, join("access.roles", name)+".groups")
		}
	}
	return r.warnings()
}

// reservation collects the paths of one warning.
type reservation struct {
	keys   []string
	groups []string // of roles; they are not unused, they are empty
}

func (r *reservation) add(path string, written bool) {
	if written {
		r.keys = append(r.keys, path)
	}
}

func (r *reservation) rule(path string, rule Rule) {
	r.add(path+".match.group", len(rule.Match.Group) > 0)
	r.add(path+".match.tag", len(rule.Match.Tag) > 0)
	r.add(path+".confirm_name", rule.ConfirmName)
	r.add(path+".terminal_approvals", rule.TerminalApprovals > 0)
}

func (r *reservation) warnings() []Warning {
	var parts []string
	if len(r.keys) > 0 {
		parts = append(parts, "not available yet and left unused: "+strings.Join(r.keys, ", "))
	}
	if len(r.groups) > 0 {
		parts = append(parts, strings.Join(r.groups, ", ")+" cannot be resolved yet: they have no members")
	}
	if len(parts) == 0 {
		return nil
	}
	return []Warning{Warning(strings.Join(parts, "; "))}
}
