package vault

import (
	"net/http"
	"slices"
	"strings"
)

// SetOperator gives every principal the built-in role Site Recovery Operator, or takes it back: then all is allowed. The role's
// definition lacks the right to poll an operation, to cancel a failover, to change the settings of an item, and to list the items and containers of a whole vault
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
	return slices.Contains(classes, "poll") || slices.Contains(classes, "vault-list") || c.route.operation == "failoverCancel" ||
		c.route.operation == opUpdate
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
	switch c.route.method {
	case http.MethodPatch:
		verb = "/write"
	case http.MethodPost:
		cut := strings.LastIndexByte(scope, '/')
		scope, verb = scope[:cut], scope[cut:]+"/action"
	}
	at := strings.LastIndex(scope, "/providers/")
	if at < 0 {
		return "Microsoft.Resources/subscriptions" + verb, scope
	}
	words := strings.Split(scope[at+len("/providers/"):], "/")
	action = words[0]
	for i := 1; i < len(words); i += 2 {
		action += "/" + words[i]
	}
	return action + verb, scope
}

// listPermissions tells the caller what it may do on the vault, by Microsoft.Authorization/permissions (documented): everything,
// or what the built-in role has as far as its documentation lists it.
func (v *Vault) listPermissions(*call) reply {
	actions := []string{"*"}
	if v.options.Operator {
		const fabrics = "Microsoft.RecoveryServices/Vaults/replicationFabrics/"
		const container = fabrics + "replicationProtectionContainers/"
		const item = container + "replicationProtectedItems/"
		actions = []string{
			"Microsoft.Authorization/*/read", "Microsoft.RecoveryServices/Vaults/replicationJobs/*", "Microsoft.RecoveryServices/Vaults/replicationRecoveryPlans/read",
			fabrics + "read", fabrics + "replicationNetworks/replicationNetworkMappings/read", container + "read",
			container + "replicationProtectionContainerMappings/read", container + "switchprotection/action", item + "read", item + "recoveryPoints/read",
		}
		for _, action := range []string{"applyRecoveryPoint", "failoverCommit", "plannedFailover", "repairReplication", "reProtect", "testFailover", "testFailoverCleanup", "unplannedFailover"} {
			actions = append(actions, item+action+"/action")
		}
	}
	return page([]object{{"actions": actions, "notActions": []string{}, "dataActions": []string{}, "notDataActions": []string{}}})
}
