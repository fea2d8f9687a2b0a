package vault

import (
	"net/http"
	"slices"
	"strings"
)

// SetOperator gives every principal the built-in role Site Recovery Operator, or takes it back: then all is allowed. The role's
// definition lacks the right to poll an operation, to cancel a failover, and to list the items and containers of a whole vault
// (counted in its documentation; that Azure answers 403 then is inferred).
func (v *Vault) SetOperator(operator bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, v := range v.vaults {
		v.options.Operator = operator
	}
}

// beyondOperator reports whether the role lacks the right to the call.
func (c *call) beyondOperator() bool {
	classes := c.route.classes()
	return slices.Contains(classes, "poll") || slices.Contains(classes, "vault-list") || c.route.operation == "failoverCancel"
}

// forbidden is the resource manager's answer to who lacks a right.
func (c *call) forbidden() reply {
	action, scope := c.right()
	return gatewayFailure(http.StatusForbidden, "AuthorizationFailed", "The client '"+c.actor+"' with object id '"+c.actor+
		"' does not have authorization to perform action '"+action+"' over scope '"+scope+
		"' or the scope is invalid. If access was recently granted, please refresh your credentials.")
}

// right names the permission that a call needs and the resource that it concerns: the path without the names in it.
func (c *call) right() (action, scope string) {
	scope, verb := c.path, "/read"
	if c.route.mutates() {
		cut := strings.LastIndexByte(scope, '/')
		scope, verb = scope[:cut], scope[cut:]+"/action"
	}
	_, after, found := strings.Cut(scope, "/providers/")
	if !found {
		return "Microsoft.Resources/subscriptions" + verb, scope
	}
	words := strings.Split(after, "/")
	action = words[0]
	for i := 1; i < len(words); i += 2 {
		action += "/" + words[i]
	}
	return action + verb, scope
}
