package azure

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// NewCredential makes the credential of a kind: "default" (the SDK's chain), "managed_identity", "workload_identity",
// "environment" or "cli". All read the environment variables that the Azure SDK documents; AZURE_CLIENT_ID also picks the
// user-assigned identity of managed_identity. Behind a plain HTTP (loopback) endpoint no authority is looked up on the
// internet. A nil transport is the SDK's.
func NewCredential(kind, endpoint string, transport policy.Transporter) (azcore.TokenCredential, error) {
	e, err := parseEndpoint(endpoint)
	if err != nil {
		return nil, err
	}
	made, err := newCredential(kind, policy.ClientOptions{Transport: transport}, e.loopback)
	if err == nil && (kind == "default" || kind == "managed_identity") {
		err = identityIsNear()
	}
	if err != nil {
		return nil, fmt.Errorf("azure: credential %s: %w", kind, err)
	}
	return made, nil
}

// identityIsNear refuses an identity service that answers with tokens over a network in the clear. Azure's own hosts have theirs on
// loopback or at a link-local address.
func identityIsNear() error {
	for _, name := range []string{"IDENTITY_ENDPOINT", "MSI_ENDPOINT"} {
		u, err := url.Parse(os.Getenv(name))
		if err != nil || u.User != nil {
			return fmt.Errorf("%s is no address", name) // not quoted: it may hold a password
		}
		addr, err := netip.ParseAddr(u.Hostname())
		linkLocal := err == nil && addr.IsLinkLocalUnicast()
		if u.Scheme == "http" && !isLoopback(u.Hostname()) && !linkLocal {
			return fmt.Errorf("%s is plain HTTP to another host, which would show Azure tokens to the network; it has to be on this one", name)
		}
	}
	return nil
}

// newCredential leaves the cloud to the SDK, so that AZURE_AUTHORITY_HOST counts.
func newCredential(kind string, o policy.ClientOptions, local bool) (azcore.TokenCredential, error) {
	switch kind {
	case "default":
		return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: local})
	case "managed_identity":
		options := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: o}
		if id := os.Getenv("AZURE_CLIENT_ID"); id != "" {
			options.ID = azidentity.ClientID(id)
		}
		return azidentity.NewManagedIdentityCredential(options)
	case "workload_identity":
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: local})
	case "environment":
		return azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{ClientOptions: o, DisableInstanceDiscovery: local})
	case "cli":
		return azidentity.NewAzureCLICredential(nil)
	default:
		return nil, fmt.Errorf("want default, managed_identity, workload_identity, environment or cli")
	}
}

// tokens marks the errors of a credential: without a token nothing was sent, whatever the credential's own error types.
type tokens struct{ azcore.TokenCredential }

// GetToken implements [azcore.TokenCredential].
func (t tokens) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	token, err := t.TokenCredential.GetToken(ctx, o)
	if err != nil {
		return azcore.AccessToken{}, &tokenError{err}
	}
	return token, nil
}

type tokenError struct{ cause error }

// Error implements error.
func (e *tokenError) Error() string { return "no token: " + e.cause.Error() }

// Unwrap gives the cause to errors.Is and errors.As.
func (e *tokenError) Unwrap() error { return e.cause }
