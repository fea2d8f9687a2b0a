package world

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	siterecovery "github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/recoveryservices/armrecoveryservicessiterecovery/v2"

	"ferry/sandbox/vault"
)

// baseline is what people use today: a program around the SDK, with its defaults.
type baseline struct {
	world  *world
	client *siterecovery.ReplicationProtectedItemsClient
	jobs   *siterecovery.ReplicationJobsClient
	http   *http.Transport

	mu    sync.Mutex
	known map[string]time.Time // when it was told that a VM's failover succeeded
}

func (w *world) baseline() *baseline {
	w.t.Helper()
	b := &baseline{world: w, known: map[string]time.Time{}, http: &http.Transport{DialContext: w.dial, MaxIdleConnsPerHost: 64}}
	options := policy.ClientOptions{
		Transport: &http.Client{Transport: b.http}, InsecureAllowCredentialWithHTTP: true,
		Cloud: cloud.Configuration{
			ActiveDirectoryAuthorityHost: "https://login.microsoftonline.com/",
			Services: map[cloud.ServiceName]cloud.ServiceConfiguration{
				cloud.ResourceManager: {Endpoint: "http://" + azureHost, Audience: "https://management.core.windows.net/"},
			},
		},
	}
	credential, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{ClientOptions: options})
	if err != nil {
		w.t.Fatal(err)
	}
	factory, err := siterecovery.NewClientFactory("3f2b8c1e-7a54-4d0b-9c6e-2f1d5a7b9e30", credential, &arm.ClientOptions{ClientOptions: options, DisableRPRegistration: true})
	if err != nil {
		w.t.Fatal(err)
	}
	b.client, b.jobs = factory.NewReplicationProtectedItemsClient(), factory.NewReplicationJobsClient()
	return b
}

const (
	benchGroup     = "rg-dr"
	benchFabric    = "asr-a2a-default-westeurope"
	benchContainer = benchFabric + "-container"
)

// items are the names of the items by VM.
func (b *baseline) items(ctx context.Context) (map[string]string, error) {
	items := map[string]string{}
	for pager := b.client.NewListPager(benchGroup, benchVault, nil); pager.More(); {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Value {
			items[*item.Properties.FriendlyName] = *item.Name
		}
	}
	return items, nil
}

func (b *baseline) begin(ctx context.Context, item string) (*poller, error) {
	return b.client.BeginUnplannedFailover(ctx, benchGroup, benchVault, benchFabric, benchContainer, item,
		siterecovery.UnplannedFailoverInput{Properties: &siterecovery.UnplannedFailoverInputProperties{
			FailoverDirection: new("PrimaryToRecovery"), SourceSiteOperations: new("Required"),
			ProviderSpecificDetails: &siterecovery.A2AUnplannedFailoverInput{},
		}}, nil)
}

func (b *baseline) succeeded(vm string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.known[vm] = time.Now()
}

// lags are how long after the true end of each job it was known.
func (b *baseline) lags(v *vault.Vault) []time.Duration {
	var all []time.Duration
	for _, j := range v.Jobs() {
		if at, ok := b.known[j.VM]; ok && j.State == "Succeeded" {
			all = append(all, at.Sub(j.End))
		}
	}
	return all
}

type poller = runtime.Poller[siterecovery.ReplicationProtectedItemsClientUnplannedFailoverResponse]

// benchRounds is how often somebody begins again with what has failed, at most.
const benchRounds = 4

// rounds has all waves failed over, and begins again with the VMs that were not: somebody looks at what is left, and runs the
// same thing for it. Whoever has no job and is not failed over is left.
func (b *baseline) rounds(t trial, by string, wave func(ctx context.Context, vms map[string]string, order []string)) run {
	ctx, begun := b.world.t.Context(), time.Now()
	r := run{trial: t, by: by}
	t.spoil(b.world.vault)
	defer b.http.CloseIdleConnections()
	for ; r.rounds < benchRounds; r.rounds++ {
		items, err := b.items(ctx)
		if err != nil {
			pass(time.Minute)
			continue
		}
		left := b.left()
		if len(left) == 0 {
			break
		}
		for _, names := range t.waves() {
			var order []string
			for _, vm := range names {
				if left[vm] {
					order = append(order, vm)
				}
			}
			wave(ctx, items, order)
		}
		b.settle()
	}
	for _, j := range b.world.vault.Jobs() {
		if j.State == "Succeeded" {
			r.makespan = max(r.makespan, j.End.Sub(begun))
		}
	}
	r.known, r.traffic = b.lags(b.world.vault), b.world.vault.Traffic()
	return r
}

// left are the VMs that are not failed over, for which the portal shows no running job.
func (b *baseline) left() map[string]bool {
	all := map[string]bool{}
	for _, item := range b.world.vault.Items() {
		if item.Active != "Recovery" && item.Job == "" {
			all[item.Name] = true
		}
	}
	return all
}

// settle waits for jobs that somebody lost sight of.
func (b *baseline) settle() {
	busy := func() bool {
		for _, item := range b.world.vault.Items() {
			if item.Job != "" {
				return true
			}
		}
		return false
	}
	for busy() {
		pass(30 * time.Second)
	}
}

// byScript is the loop that people share: one VM after another, whose job is read every 30 s until it is over.
func byScript(w *world, t trial) run {
	b := w.baseline()
	return b.rounds(t, "script, one VM after another", func(ctx context.Context, items map[string]string, order []string) {
		for _, vm := range order {
			p, err := b.begin(ctx, items[vm])
			if err != nil {
				continue
			}
			b.waits(ctx, vm, p)
		}
	})
}

// waits reads the operation every 30 s, and goes on when a reading fails.
func (b *baseline) waits(ctx context.Context, vm string, p *poller) {
	for !p.Done() {
		pass(30 * time.Second)
		if answer, err := p.Poll(ctx); err == nil { // the loop knows no error
			_ = answer.Body.Close()
		}
	}
	if _, err := p.Result(ctx); err == nil {
		b.succeeded(vm)
	}
}

// byPollers is one goroutine for each VM of a wave, and PollUntilDone with its defaults.
func byPollers(w *world, t trial) run {
	b := w.baseline()
	return b.rounds(t, "SDK, PollUntilDone for each VM", func(ctx context.Context, items map[string]string, order []string) {
		var all sync.WaitGroup
		for _, vm := range order {
			all.Go(func() {
				p, err := b.begin(ctx, items[vm])
				if err != nil {
					return
				}
				if _, err := p.PollUntilDone(ctx, nil); err == nil {
					b.succeeded(vm)
				}
			})
		}
		all.Wait()
	})
}
