package vault

import (
	"net/http"
	"slices"
	"strings"
)

const (
	vaultPath     = "/subscriptions/{subscription}/resourcegroups/{group}/providers/microsoft.recoveryservices/vaults/{vault}"
	fabricPath    = vaultPath + "/replicationfabrics/{fabric}"
	containerPath = fabricPath + "/replicationprotectioncontainers/{container}"
	itemPath      = containerPath + "/replicationprotecteditems/{item}"
)

// route is one request that the resource manager understands. Paths are lower case: Azure ignores case in them.
type route struct {
	method, path string
	operation    string // what faults call it
	handle       func(*Vault, *call) reply
}

func (rt route) mutates() bool { return rt.method == http.MethodPost || rt.method == http.MethodPatch }

func routes() []route {
	return []route{
		{http.MethodGet, "/subscriptions/{subscription}", "subscription", (*Vault).getSubscription},
		{http.MethodGet, vaultPath, "vault", (*Vault).getVault},
		{http.MethodGet, vaultPath + "/replicationfabrics", "fabrics", (*Vault).listFabrics},
		{http.MethodGet, fabricPath, "fabric", (*Vault).getFabric},
		{http.MethodGet, vaultPath + "/replicationprotectioncontainers", "containers", (*Vault).listContainers},
		{http.MethodGet, fabricPath + "/replicationprotectioncontainers", "containers", (*Vault).listContainers},
		{http.MethodGet, containerPath, "container", (*Vault).getContainer},
		{http.MethodGet, vaultPath + "/replicationprotecteditems", "items", (*Vault).listItems},
		{http.MethodGet, containerPath + "/replicationprotecteditems", "items", (*Vault).listItems},
		{http.MethodGet, itemPath, "item", (*Vault).getItem},
		{http.MethodGet, itemPath + "/recoverypoints", "points", (*Vault).listPoints},
		{http.MethodGet, itemPath + "/recoverypoints/{point}", "point", (*Vault).getPoint},
		{http.MethodGet, itemPath + "/operationresults/{job}", "result", (*Vault).getResult},
		{http.MethodGet, vaultPath + "/replicationjobs", "jobs", (*Vault).listJobs},
		{http.MethodGet, vaultPath + "/replicationjobs/{job}", "job", (*Vault).getJob},
		{http.MethodGet, vaultPath + "/replicationoperationstatus/{job}", "status", (*Vault).getStatus},
		{http.MethodGet, containerPath + "/operationresults/{job}", "result", (*Vault).getContainerResult},
		{http.MethodGet, vaultPath + "/replicationvaulthealth", "health", (*Vault).getHealth},
		{http.MethodGet, vaultPath + "/providers/microsoft.authorization/permissions", "permissions", (*Vault).listPermissions},
	}
}

func allRoutes() []route {
	return slices.Concat(routes(), actionRoutes(), updateRoutes(), refusedRoutes(), jobRoutes(), mappingRoutes(), resourceRoutes(), planRoutes())
}

func (v *Vault) newMux() *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /identity/token", v.identity)
	for _, rt := range allRoutes() {
		mux.HandleFunc(rt.method+" "+rt.path, v.serve(rt))
	}
	mux.HandleFunc("/", v.serve(route{operation: "unknown", handle: (*Vault).notFound}))
	return mux
}

// ServeHTTP answers one request. It panics with [http.ErrAbortHandler], as handlers do, to cut a connection.
func (v *Vault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	lower, url := r.WithContext(r.Context()), *r.URL
	url.Path, url.RawPath = strings.ToLower(r.URL.Path), strings.ToLower(r.URL.RawPath)
	lower.URL = &url
	v.mux.ServeHTTP(w, lower)
}

// findRegion resolves the path's fabric and container; nil when there is none.
func (v *Vault) findRegion(c *call) *region {
	for i := range v.regions {
		if r := &v.regions[i]; r.matches(c.value("fabric"), c.value("container")) {
			return r
		}
	}
	return nil
}

// findItem resolves the path's item under its present container; nil when there is none.
func (v *Vault) findItem(c *call) *item {
	for _, it := range v.items {
		if strings.EqualFold(it.name, c.value("item")) && it.primary.matches(c.value("fabric"), c.value("container")) {
			return it
		}
	}
	return nil
}

func (v *Vault) findJob(c *call) *job {
	for _, j := range v.jobs {
		if j.id == c.value("job") && !j.hidden(c.at) {
			return j
		}
	}
	return nil
}
