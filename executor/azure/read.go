package azure

import (
	"context"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// readTimeout bounds a read with all its pages and retries: a watcher has a cycle to keep.
const readTimeout = 20 * time.Second

// readRetries are the SDK's for reads; those of a vault insist instead (insist.go). 429 is not among them: the executor paces itself
// by it.
func readRetries() policy.RetryOptions {
	return policy.RetryOptions{
		MaxRetries:    2,
		RetryDelay:    500 * time.Millisecond,
		MaxRetryDelay: 3 * time.Second,
		TryTimeout:    10 * time.Second,
		StatusCodes: []int{
			http.StatusRequestTimeout, http.StatusInternalServerError, http.StatusBadGateway,
			http.StatusServiceUnavailable, http.StatusGatewayTimeout,
		},
	}
}

// read runs one read within its time and gives its error a meaning.
func read[T any](ctx context.Context, o operation, do func(context.Context) (T, error)) (T, error) {
	bounded, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	got, err := do(bounded)
	if err != nil {
		var none T
		return none, o.failed(ctx, nil, err)
	}
	return got, nil
}

// collect reads all pages of a list.
func collect[P, T any](ctx context.Context, pager *runtime.Pager[P], values func(P) []*T) ([]*T, error) {
	var all []*T
	for pager.More() {
		page, err := pager.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		all = append(all, values(page)...)
	}
	return all, nil
}

// or is what a pointer of the SDK points to, or the zero value: any field of an answer may be null.
func or[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}

// date drops the years that Azure writes for "never" and "not yet": 1, 1753 and 9999 (recorded 2023 and 2025).
func date(t *time.Time) time.Time {
	if t == nil || t.Year() <= 1753 || t.Year() >= 9999 {
		return time.Time{}
	}
	return t.UTC()
}
