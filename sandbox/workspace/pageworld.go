package workspace

import (
	"context"
	"net/http"
	"sync"
)

// mixed lets two handlers write into one stream of events. Each event is one Write.
type mixed struct {
	mu  sync.Mutex
	out http.ResponseWriter
}

// part is what one of the handlers of a mixed stream writes to. The headers are those of the stream: its own go nowhere.
type part struct {
	all    *mixed
	header http.Header
}

func (m *mixed) part() part { return part{m, http.Header{}} }

func (p part) Header() http.Header { return p.header }

func (p part) WriteHeader(int) {}

func (p part) Write(event []byte) (int, error) {
	p.all.mu.Lock()
	defer p.all.mu.Unlock()
	return p.all.out.Write(event)
}

// FlushError is what [http.ResponseController] looks for.
func (p part) FlushError() error {
	p.all.mu.Lock()
	defer p.all.mu.Unlock()
	return http.NewResponseController(p.all.out).Flush()
}

// followWorld adds the world's stream until end is called, which waits for it. A browser opens six connections to one host,
// for all its tabs together: with a stream each for channel and world, a third tab would leave none to type with.
func (w *Workspace) followWorld(r *http.Request, into *mixed) (end func()) {
	world := w.opts.Page.World
	if world == nil {
		return func() {}
	}
	ctx, cancel := context.WithCancel(r.Context())
	states := r.Clone(ctx)
	states.URL.Path, states.URL.RawPath, states.URL.RawQuery = "/states", "", ""
	var ended sync.WaitGroup
	ended.Go(func() { world.ServeHTTP(into.part(), states) })
	return func() {
		cancel()
		ended.Wait()
	}
}
