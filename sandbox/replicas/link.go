package replicas

import (
	"bufio"
	"net"
	"strings"
	"sync"
	"sync/atomic"
)

// link is one client's connection. Its maps are guarded by the proxy's lock, which nobody holds while writing.
type link struct {
	proxy      *Proxy
	client, up net.Conn
	toClient   chan []byte
	toServer   chan []byte
	done       chan struct{}
	once       sync.Once
	held       atomic.Int32 // what the leader took from this client and did not store yet

	subs    map[string]string  // sid -> filter
	pulls   map[string]bool    // subjects on which a consumer delivers
	pending map[string]publish // reply subject -> what is answered there
}

func newLink(p *Proxy, client, up net.Conn) *link {
	return &link{
		proxy: p, client: client, up: up, toClient: make(chan []byte, 64), toServer: make(chan []byte, 64), done: make(chan struct{}),
		subs: map[string]string{}, pulls: map[string]bool{}, pending: map[string]publish{},
	}
}

// close ends the connection. What a leader took is the cluster's: it may be stored after its sender is gone.
func (l *link) close() {
	l.once.Do(func() {
		close(l.done)
		_ = l.client.Close()
		if l.held.Load() == 0 {
			_ = l.up.Close()
		}
	})
}

// land tells the server what became of something that the leader took.
func (l *link) land(data []byte) {
	l.push(data)
	if l.held.Add(-1) > 0 {
		return
	}
	select {
	case <-l.done:
		_ = l.up.Close()
	default:
	}
}

// run copies in both directions until one side ends.
func (l *link) run() {
	defer l.proxy.running.Done()
	var copying sync.WaitGroup
	for _, part := range []func(){
		func() { l.read(l.client, l.fromClient) },
		func() { l.read(l.up, l.fromServer) },
		func() { l.write(l.client, l.toClient) },
		func() { l.write(l.up, l.toServer) },
	} {
		copying.Go(func() {
			defer l.close()
			part()
		})
	}
	copying.Wait()
	l.proxy.mu.Lock()
	defer l.proxy.mu.Unlock()
	delete(l.proxy.links, l)
}

// push sends to the server also when the client is gone.
func (l *link) push(data []byte) {
	select {
	case <-l.done:
		_, _ = l.up.Write(data)
	default:
		l.send(l.toServer, data)
	}
}

func (l *link) read(from net.Conn, handle func(frame)) {
	r := bufio.NewReader(from)
	for {
		f, err := readFrame(r)
		if err != nil {
			return
		}
		handle(f)
	}
}

func (l *link) write(to net.Conn, queue chan []byte) {
	for {
		select {
		case data := <-queue:
			if _, err := to.Write(data); err != nil {
				return
			}
		case <-l.done:
			return
		}
	}
}

func (l *link) send(queue chan []byte, data []byte) {
	select {
	case queue <- data:
	case <-l.done:
	}
}

func (l *link) fromClient(f frame) {
	l.proxy.mu.Lock()
	v := l.judge(f)
	l.proxy.mu.Unlock()
	if v.forward != nil {
		l.send(l.toServer, v.forward)
	}
	if v.answer != nil {
		l.send(l.toClient, v.answer)
	}
}

func (l *link) fromServer(f frame) {
	l.proxy.mu.Lock()
	out := l.answered(f)
	l.proxy.mu.Unlock()
	if out != nil {
		l.send(l.toClient, out)
	}
}

// verdict is what becomes of a frame from the client.
type verdict struct {
	forward []byte // to the server
	answer  []byte // to the client, by the proxy itself
}

func (l *link) judge(f frame) verdict {
	pass := verdict{forward: f.bytes()}
	switch f.op {
	case "SUB":
		l.subs[f.args[len(f.args)-1]] = f.subject()
	case "UNSUB":
		if len(f.args) == 1 {
			delete(l.pulls, l.subs[f.args[0]])
			delete(l.subs, f.args[0])
		}
	case "PUB", "HPUB":
		switch {
		case l.proxy.streamed(f.subject()):
			return l.publish(f)
		case strings.HasPrefix(f.subject(), "$JS."):
			return l.request(f)
		}
	}
	return pass
}

// reply answers a request in the server's place.
func (l *link) reply(f frame, payload []byte) verdict {
	if sid, ok := l.sidOf(f.reply()); ok {
		return verdict{answer: delivered(f.reply(), sid, payload)}
	}
	return verdict{}
}

func (l *link) sidOf(subject string) (string, bool) {
	if subject == "" {
		return "", false
	}
	for sid, filter := range l.subs {
		if matches(filter, subject) {
			return sid, true
		}
	}
	return "", false
}
