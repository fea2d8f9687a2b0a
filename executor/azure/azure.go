// Package azure is the executor's site over Azure Resource Manager: it reads and fails over VMs that Site Recovery
// replicates from Azure to Azure.
//
// It owns the translation between the Azure SDK and package failover: ids, states, dates, and above all what an error
// means for a caller that must never act twice. It refuses to know operations, approvals or when to act, and it keeps
// nothing but whether each vault answers, how many requests Azure takes yet, and the tags of VMs for some minutes: every
// other read goes to Azure, and a mutating call is sent once, never retried, never waited for.
//
// Shapes are those of traffic recorded in 2023 and 2025, api-version 2025-01-01. A [Site] is safe for
// concurrent use.
package azure

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	siterecovery "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicessiterecovery/v2"

	"ferry/failover"
)

// Options says which vaults a [Site] drives and how it reaches them.
type Options struct {
	// Endpoint is the resource manager's URL, https://management.azure.com in the public cloud. Plain HTTP is accepted on
	// loopback hosts only, since every request carries a token.
	Endpoint string
	Vaults   []Vault // at least one; nothing outside them is changed, and only the VMs of their items are read besides
	// Caches are ARM ids of storage accounts by region ("northeurope"), through which VMs that run there are replicated. A
	// region without one uses that of another item.
	Caches     map[string]string
	Credential azcore.TokenCredential
	// Transport sends the requests; nil is a client that follows no redirects, takes proxies from the environment and
	// gives up a connection after 10 s.
	Transport policy.Transporter
	// Version stands in the User-Agent as "ferry/<version>", which the SDK cuts to 24 characters.
	Version string
	// Tags has the tags of the items' VMs read with them; else they are never known.
	Tags bool
	// Resizes says that sizes of VMs may be changed, for which [Lacks] asks one right more.
	Resizes bool
	// Log hears when a vault stops answering and when it answers again, and when tags cannot be read; nil: nobody does.
	Log *slog.Logger
}

// Vault names one Recovery Services vault. Azure compares the three names without case, and so does a [Site].
type Vault struct{ SubscriptionID, ResourceGroup, Name string }

// id is the vault's ARM id, spelt as documented and as configured: what Azure answers varies in case.
func (v Vault) id() string {
	return "/subscriptions/" + v.SubscriptionID + "/resourceGroups/" + v.ResourceGroup +
		"/providers/Microsoft.RecoveryServices/vaults/" + v.Name
}

func (v Vault) jobID(name string) string { return v.id() + "/replicationJobs/" + strings.ToLower(name) }

// Site is Azure for the executor. Every error of its methods is a *[failover.SiteError] or the error of the caller's
// context; of these, only the one of [Site.Begin] leaves open whether something was done.
type Site struct {
	vaults     []*vault          // in the order of Options
	caches     map[string]string // by region code
	credential azcore.TokenCredential
	options    *arm.ClientOptions
	budgets    *budgets
	tags       *tagCache // nil: they are not read
	log        *slog.Logger
}

// vault is a configured vault with its clients.
type vault struct {
	Vault
	client     *arm.Client // for what the SDK's own clients take too long for
	fabrics    *siterecovery.ReplicationFabricsClient
	containers *siterecovery.ReplicationProtectionContainersClient
	items      *siterecovery.ReplicationProtectedItemsClient
	points     *siterecovery.RecoveryPointsClient
	jobs       *siterecovery.ReplicationJobsClient
	mappings   *siterecovery.ReplicationProtectionContainerMappingsClient
	networks   *siterecovery.ReplicationNetworkMappingsClient
	plans      *siterecovery.ReplicationRecoveryPlansClient
	ended      endedJobs
}

// New checks the options and prepares the clients. It sends nothing, so a wrong credential shows with the first read.
func New(o Options) (*Site, error) {
	endpoint, err := parseEndpoint(o.Endpoint)
	if err != nil {
		return nil, err
	}
	if o.Credential == nil {
		return nil, fmt.Errorf("azure: no credential")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	site := &Site{
		caches: map[string]string{}, credential: tokens{o.Credential}, options: clientOptions(o, endpoint),
		budgets: &budgets{of: map[budgetKey]*budget{}}, log: o.Log,
	}
	site.options.PerCallPolicies = []policy.Policy{site.budgets}
	if o.Tags {
		site.tags = &tagCache{groups: map[string]*groupTags{}}
	}
	for region, id := range o.Caches {
		site.caches[regionCode(region)] = id
	}
	for _, v := range o.Vaults {
		if v.SubscriptionID == "" || v.ResourceGroup == "" || v.Name == "" {
			return nil, fmt.Errorf("azure: vault %q lacks its subscription, resource group or name", v.Name)
		}
		if site.find(v) != nil {
			return nil, fmt.Errorf("azure: vault %q is listed twice", v.Name)
		}
		vault, err := site.open(v)
		if err != nil {
			return nil, fmt.Errorf("azure: vault %q: %w", v.Name, err)
		}
		site.vaults = append(site.vaults, vault)
	}
	if len(site.vaults) == 0 {
		return nil, fmt.Errorf("azure: no vault")
	}
	return site, nil
}

// open makes the clients of a vault, which has a breaker of its own.
func (s *Site) open(v Vault) (*vault, error) {
	once := *s.options
	once.Retry.MaxRetries = -1     // the breaker insists
	once.Telemetry.Disabled = true // what comes here is marked already
	tries, err := arm.NewClient("ferry", "v0.0.0", s.credential, &once)
	if err != nil {
		return nil, err
	}
	options := *s.options
	options.PerCallPolicies = []policy.Policy{newBreaker(v.Name, s.log, tries.Pipeline()), s.budgets}
	factory, err := siterecovery.NewClientFactory(v.SubscriptionID, s.credential, &options)
	if err != nil {
		return nil, err
	}
	client, err := arm.NewClient("ferry", "v0.0.0", s.credential, &options)
	if err != nil {
		return nil, err
	}
	return newVault(v, factory, client), nil
}

func newVault(v Vault, f *siterecovery.ClientFactory, client *arm.Client) *vault {
	return &vault{
		Vault:      v,
		client:     client,
		fabrics:    f.NewReplicationFabricsClient(),
		containers: f.NewReplicationProtectionContainersClient(),
		items:      f.NewReplicationProtectedItemsClient(),
		points:     f.NewRecoveryPointsClient(),
		jobs:       f.NewReplicationJobsClient(),
		mappings:   f.NewReplicationProtectionContainerMappingsClient(),
		networks:   f.NewReplicationNetworkMappingsClient(),
		plans:      f.NewReplicationRecoveryPlansClient(),
	}
}

func clientOptions(o Options, e endpoint) *arm.ClientOptions {
	return &arm.ClientOptions{
		// A bot registers no resource providers, and the policy that does would send its requests past our options.
		DisableRPRegistration: true,
		ClientOptions: policy.ClientOptions{
			Cloud:                           e.cloud(),
			InsecureAllowCredentialWithHTTP: e.loopback,
			Retry:                           readRetries(),
			Telemetry:                       policy.TelemetryOptions{ApplicationID: "ferry/" + o.Version},
			Transport:                       newWire(o.Transport, e.url),
		},
	}
}

func (s *Site) find(v Vault) *vault {
	for _, known := range s.vaults {
		if strings.EqualFold(known.id(), v.id()) {
			return known
		}
	}
	return nil
}

// locate takes an ARM id apart and finds the vault that it lies in. Ids come from journals and from Azure; one outside the
// configured vaults is refused before anything is sent.
func (s *Site) locate(id string) (*vault, resource, error) {
	r := parseID(id)
	v := s.find(r.Vault)
	if v == nil {
		return nil, r, &failover.SiteError{Kind: failover.RefusedBySite, Fault: failover.Fault{
			Code:    "VaultNotConfigured",
			Message: fmt.Sprintf("%q lies in no vault that Ferry is configured for.", id),
			Action:  "Add the vault to azure.vaults of the configuration.",
		}}
	}
	return v, r, nil
}
