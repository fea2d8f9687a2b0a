package azure

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// permissionsVersion is the api-version of Microsoft.Authorization/permissions (documented).
const permissionsVersion = "2022-04-01"

// onVault are the actions that a [Site] calls on a vault; a test compares them with docs/azure-role-vault.json, and with
// docs/azure-role-resize.json for those of a site that resizes. Of each inner list one is enough: the others are other ways to the same.
func onVault(resizes bool) [][]string {
	const vault, container = "Microsoft.RecoveryServices/vaults/", "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/"
	const item = container + "replicationProtectedItems/"
	all := [][]string{
		{item + "read", vault + "replicationProtectedItems/read"},
		{vault + "replicationFabrics/read"},
		{container + "read"},
		{item + "recoveryPoints/read"},
		{vault + "replicationJobs/read"},
		{vault + "replicationRecoveryPlans/read"},
		{container + "replicationProtectionContainerMappings/read"},
		{vault + "replicationNetworkMappings/read", vault + "replicationFabrics/replicationNetworks/replicationNetworkMappings/read"},
		{item + "unplannedFailover/action"},
		{item + "applyRecoveryPoint/action"},
		{item + "failoverCommit/action"},
		{item + "testFailover/action"},
		{item + "testFailoverCleanup/action"},
		{container + "switchprotection/action"},
	}
	if resizes {
		all = append(all, []string{item + "write"})
	}
	return all
}

// permission is one entry of what the caller may do: what actions allow, except what notActions take away.
type permission struct {
	Actions    []string `json:"actions"`
	NotActions []string `json:"notActions"`
}

// Lacks reads what the caller may do on the first vault of the options, and returns the actions that are missing there for
// all that a [Site] does. It needs Microsoft.Authorization/permissions/read. Deny assignments do not show.
func Lacks(ctx context.Context, o Options) ([]string, error) {
	endpoint, err := parseEndpoint(o.Endpoint)
	if err != nil {
		return nil, err
	}
	client, err := arm.NewClient("ferry/permission", "v0.0.0", tokens{o.Credential}, clientOptions(o, endpoint))
	if err != nil {
		return nil, fmt.Errorf("azure: %w", err)
	}
	r, err := runtime.NewRequest(ctx, http.MethodGet, runtime.JoinPaths(client.Endpoint(), o.Vaults[0].id(), "/providers/Microsoft.Authorization/permissions"))
	if err != nil {
		return nil, fmt.Errorf("azure: %w", err)
	}
	r.Raw().URL.RawQuery = "api-version=" + permissionsVersion
	answer, err := client.Pipeline().Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if !runtime.HasStatusCode(answer, http.StatusOK) {
		return nil, fmt.Errorf("azure: reading the caller's permissions: %s", answer.Status)
	}
	var list struct {
		Value []permission `json:"value"`
	}
	if err := runtime.UnmarshalAsJSON(answer, &list); err != nil {
		return nil, fmt.Errorf("azure: reading the caller's permissions: %w", err)
	}
	return lacking(list.Value, onVault(o.Resizes)), nil
}

func lacking(given []permission, needed [][]string) []string {
	var missing []string
	for _, either := range needed {
		allowed := slices.ContainsFunc(either, func(action string) bool {
			return slices.ContainsFunc(given, func(p permission) bool { return covers(p.Actions, action) && !covers(p.NotActions, action) })
		})
		if !allowed {
			missing = append(missing, either[0])
		}
	}
	return missing
}

// covers reports whether one of the patterns matches: a star stands for any characters, slashes too, and case does not count.
func covers(patterns []string, action string) bool {
	flat := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "/", ":") }
	return slices.ContainsFunc(patterns, func(p string) bool {
		ok, err := path.Match(flat(p), flat(action))
		return err == nil && ok
	})
}
