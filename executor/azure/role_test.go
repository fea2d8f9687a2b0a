package azure_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ferry/executor/azure"
	"ferry/failover"
	"ferry/sandbox/vault"
)

// actionOf names the right that a request needs: its path without the names in it, as Azure's resource providers do.
func actionOf(r *http.Request) string {
	path, verb := r.URL.Path, "/read"
	switch r.Method {
	case http.MethodPatch:
		verb = "/write"
	case http.MethodPost:
		cut := strings.LastIndexByte(path, '/')
		path, verb = path[:cut], path[cut:]+"/action"
	}
	words := strings.Split(path[strings.LastIndex(path, "/providers/")+len("/providers/"):], "/")
	action := words[0]
	for i := 1; i < len(words); i += 2 {
		action += "/" + words[i]
	}
	return action + verb
}

// watched notes the right that each request needs.
type watched struct {
	*http.Client
	actions map[string]bool
}

func (w watched) Do(r *http.Request) (*http.Response, error) {
	if strings.Contains(r.URL.Path, "/providers/") {
		w.actions[actionOf(r)] = true
	}
	return w.Client.Do(r)
}

// called has a site do all that a site can, with all rights and with those of the built-in role, and returns the rights that
// it used.
func called(t *testing.T) map[string]bool {
	t.Helper()
	actions := map[string]bool{}
	for _, operator := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			world := vault.New(vault.Options{BaseURL: host, VMs: 1, Operator: operator, Plans: []vault.Plan{{Name: "nights"}}})
			w := watched{serve(t, world), actions}
			site := newSite(t, w, map[string]string{"northeurope": world.CacheAccounts()["northeurope"]})
			if !operator { // who has no right to it
				resize(t, site)
			}
			useAll(t, site, world)
			o := optionsOf(t, w)
			if lacks, err := azure.Lacks(t.Context(), o); err != nil || len(lacks) > 0 {
				t.Errorf("operator %v lacks %v, %v", operator, lacks, err)
			}
			o.Resizes = true
			if lacks, err := azure.Lacks(t.Context(), o); err != nil || operator != slices.Equal(lacks, actionsOf(t, "azure-role-resize.json")) {
				t.Errorf("operator %v, who resizes, lacks %v, %v", operator, lacks, err)
			}
		})
	}
	// The built-in role's lack of this list is not confirmed, so the stand-in serves it; the fallback needs the right.
	w := watched{serveFallback(), actions}
	if _, err := cachedSite(t, &transport{answer: w.Do}).Reversal(t.Context(), anItem()); err != nil {
		t.Fatal(err)
	}
	return actions
}

func resize(t *testing.T, site *azure.Site) {
	t.Helper()
	items, err := site.Items(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := site.Begin(t.Context(), failover.Call{Kind: failover.StepResize, Item: items[0], ClientRequestID: requestID, Size: "Standard_E4s_v5"}); err != nil {
		t.Fatal(err)
	}
	<-time.After(time.Minute)
}

// serveFallback answers a way back whose network mappings only the fabric shows.
func serveFallback() *http.Client {
	all := aWayBack()
	all["/replicationNetworkMappings"], all[byFabric] = http.StatusForbidden, list()
	return &http.Client{Transport: roundTripper{pages(all)}}
}

type roundTripper struct{ *transport }

func (r roundTripper) RoundTrip(q *http.Request) (*http.Response, error) { return r.Do(q) }

// useAll calls every method of a site, and Begin with every step.
func useAll(t *testing.T, site *azure.Site, world *vault.Vault) {
	t.Helper()
	plan := strings.Split(world.Items()[0].ID, "/replicationFabrics/")[0] + "/replicationRecoveryPlans/nights"
	methods := map[string]func(failover.Item) error{
		"Plans":     func(failover.Item) error { _, err := site.Plans(t.Context()); return err },
		"Plan":      func(failover.Item) error { _, err := site.Plan(t.Context(), plan); return err },
		"Items":     func(failover.Item) error { _, err := site.Items(t.Context()); return err },
		"Item":      func(it failover.Item) error { _, err := site.Item(t.Context(), it); return err },
		"Points":    func(it failover.Item) error { _, err := site.Points(t.Context(), it); return err },
		"Jobs":      func(failover.Item) error { _, err := site.Jobs(t.Context(), time.Time{}); return err },
		"JobsSince": func(it failover.Item) error { _, err := site.JobsSince(t.Context(), it, time.Time{}); return err },
		"Job":       func(it failover.Item) error { _, err := site.Job(t.Context(), it.JobID); return err },
		"Reversal":  func(it failover.Item) error { _, err := site.Reversal(t.Context(), it); return err },
		"Leftovers": func(it failover.Item) error { _, err := site.Leftovers(t.Context(), it); return err },
	}
	for m := range reflect.TypeFor[*azure.Site]().Methods() {
		if m.Name != "Begin" && m.Name != "Budgets" && methods[m.Name] == nil {
			t.Errorf("%s is not called here: what right does it need?", m.Name)
		}
	}
	for _, kind := range []failover.StepKind{failover.StepTest, failover.StepCleanup, failover.StepFailover, failover.StepChange, failover.StepCommit, failover.StepReprotect} {
		items, err := site.Items(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		call := failover.Call{Kind: kind, Item: items[0], ClientRequestID: requestID, Network: world.DrillNetwork()}
		if kind == failover.StepChange {
			call.PointID = items[0].ID + "/recoveryPoints/" + requestID
		}
		if kind == failover.StepReprotect {
			r, err := site.Reversal(t.Context(), items[0])
			if err != nil {
				t.Fatal(err)
			}
			call.Reversal = &r
		}
		accepted, err := site.Begin(t.Context(), call)
		if err != nil {
			t.Fatalf("%s: %v", kind, err)
		}
		item := items[0]
		item.JobID = accepted.JobID
		for name, do := range methods {
			if err := do(item); err != nil && name != "Reversal" { // which only a committed VM has
				t.Errorf("%s during %s: %v", name, kind, err)
			}
		}
		<-time.After(10 * time.Minute)
	}
}

// actionsOf reads the actions of a role definition of the documentation.
func actionsOf(t *testing.T, name string) []string {
	t.Helper()
	var role struct {
		IsCustom                bool
		Actions                 []string
		DataActions, NotActions []string
		AssignableScopes        []string
	}
	data, err := os.ReadFile("../../docs/" + name)
	if err == nil {
		err = json.Unmarshal(data, &role)
	}
	if err != nil || !role.IsCustom || len(role.DataActions)+len(role.NotActions) > 0 || len(role.AssignableScopes) == 0 {
		t.Fatalf("%s: %+v, %v", name, role, err)
	}
	return role.Actions
}

// allRoles are the actions of every role definition.
func allRoles(t *testing.T) []string {
	t.Helper()
	return slices.Concat(actionsOf(t, "azure-role-vault.json"), actionsOf(t, "azure-role-resize.json"), actionsOf(t, "azure-role-vms.json"))
}

// The role definitions hold what Ferry calls, no more and no less, and the page explains each action.
func TestRolesAreWhatFerryCalls(t *testing.T) {
	setIdentity(t)
	roles := allRoles(t)
	slices.Sort(roles)
	if got := slices.Sorted(maps.Keys(called(t))); !slices.Equal(got, roles) {
		t.Errorf("calls need\n%s\nand the roles have\n%s", strings.Join(got, "\n"), strings.Join(roles, "\n"))
	}
	page, err := os.ReadFile("../../docs/azure-permissions.md")
	if err != nil {
		t.Fatal(err)
	}
	var explained []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(Microsoft\\.[^`]+)` \\| .+ \\|$").FindAllStringSubmatch(string(page), -1) {
		explained = append(explained, m[1])
	}
	slices.Sort(explained)
	if !slices.Equal(explained, roles) {
		t.Errorf("the page explains\n%s\nand the roles have\n%s", strings.Join(explained, "\n"), strings.Join(roles, "\n"))
	}
}

// What a refused call says is lacking is in the roles, so that who follows the message ends with them.
func TestRefusedCallsNameRightsOfTheRoles(t *testing.T) {
	roles := allRoles(t)
	source, err := os.ReadFile("operation.go")
	if err != nil {
		t.Fatal(err)
	}
	// The source is asked, for the tests cannot see the operations: each constant and literal is a beginning or an end of one.
	for _, m := range regexp.MustCompile(`"([a-zA-Z.]+(?:/[a-zA-Z]+)+)"`).FindAllStringSubmatch(string(source), -1) {
		if !slices.ContainsFunc(roles, func(action string) bool { return strings.HasSuffix(action, m[1]) }) {
			t.Errorf("operation.go names %s, which no role has", m[1])
		}
	}
	site := siteOver(t, fixed(http.StatusForbidden, errorBody("AuthorizationFailed", "No.")))
	_, points := site.Points(t.Context(), anItem())
	_, item := site.Item(t.Context(), anItem())
	_, items := site.Items(t.Context())
	_, job := site.Job(t.Context(), jobPath+jobName)
	errs := []error{points, item, items, job}
	for _, kind := range []failover.StepKind{failover.StepFailover, failover.StepChange, failover.StepCommit, failover.StepTest, failover.StepCleanup, failover.StepReprotect} {
		call := aFailover()
		aReprotect(&call)
		call.Kind, call.PointID, call.Network = kind, "/p", "/n"
		_, err := site.Begin(t.Context(), call)
		errs = append(errs, err)
	}
	for _, err := range errs {
		e := siteError(t, err)
		named := regexp.MustCompile(`Microsoft\.[A-Za-z./]+`).FindAllString(e.Fault.Action, -1)
		if len(named) == 0 {
			t.Errorf("%q names no right", e.Fault.Action)
		}
		for _, action := range named {
			if !slices.Contains(roles, action) {
				t.Errorf("a refused call names %s, which no role has", action)
			}
		}
	}
}

// permitted answers what the caller may do, and any other request with a token.
type permitted struct {
	*http.Client
	permissions string
}

func (p permitted) Do(r *http.Request) (*http.Response, error) {
	if !strings.HasSuffix(r.URL.Path, "/permissions") {
		return p.Client.Do(r)
	}
	if p.permissions == "" {
		return &http.Response{StatusCode: http.StatusForbidden, Status: "403 Forbidden", Body: http.NoBody, Request: r}, nil
	}
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(p.permissions)), Request: r}, nil
}

// Each action of the role that the page defines is missed when it is not there, unless another does the same; patterns count
// as Azure's do.
func TestLackingActions(t *testing.T) {
	setIdentity(t)
	lacks := func(permissions string) (got []string, err error) {
		synctest.Test(t, func(t *testing.T) {
			w := permitted{serve(t, vault.New(vault.Options{BaseURL: host})), permissions}
			got, err = azure.Lacks(t.Context(), optionsOf(t, w))
		})
		return got, err
	}
	quoted := func(actions []string) string {
		data, err := json.Marshal(actions)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	role := actionsOf(t, "azure-role-vault.json")
	two := []string{"Microsoft.RecoveryServices/vaults/replicationProtectedItems/read", "Microsoft.Authorization/permissions/read"}
	for i, action := range role {
		got, err := lacks(`{"value":[{"actions":` + quoted(slices.Delete(slices.Clone(role), i, i+1)) + `}]}`)
		spare := slices.Contains(two, action) || strings.HasSuffix(action, "replicationNetworkMappings/read") || strings.HasSuffix(action, "replicationProtectionContainers/replicationProtectedItems/read")
		if err != nil || spare != (len(got) == 0) || !spare && !slices.Equal(got, []string{action}) {
			t.Errorf("without %s: lacks %v, %v", action, got, err)
		}
	}
	for permissions, want := range map[string]int{
		`{"value":[{"actions":["*"],"notActions":["microsoft.recoveryservices/*/unplannedFailover/action"]}]}`:                     1,
		`{"value":[{"actions":["*"],"notActions":["Microsoft.RecoveryServices/*"]},{"actions":["Microsoft.RecoveryServices/*"]}]}`: 0,
		`{"value":[]}`: 14, `{"value":[{"actions":["*/read"]}]}`: 6,
	} {
		if got, err := lacks(permissions); err != nil || len(got) != want {
			t.Errorf("%s: lacks %v, %v", permissions, got, err)
		}
	}
	if got, err := lacks(""); err == nil {
		t.Errorf("without the right to ask: %v", got)
	}
}
