package jetstream_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"ferry/events/jetstream"
	"ferry/failover"
)

// deploy is where the shipped configuration of a NATS server stands.
const deploy = "../../deploy/nats"

// What is shipped is what the embedded server is given.
func TestShippedIsUpToDate(t *testing.T) {
	for name, want := range jetstream.Shipped() {
		path := filepath.Join(deploy, name)
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != want {
			t.Errorf("%s is not what permissions.go says (%v); write it with UPDATE_GOLDEN=1", path, err)
		}
	}
}

// shipped is the folder as somebody has it who followed its README, and the servers that run on it.
type shipped struct {
	*testing.T
	dir, bin string
	url      string
}

// follow copies the folder and runs every command of its README.
func follow(t *testing.T) *shipped {
	t.Helper()
	for _, tool := range []string{"bash", "openssl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip("the steps of the README need " + tool)
		}
	}
	s := &shipped{T: t, dir: t.TempDir(), bin: t.TempDir()}
	if err := os.CopyFS(s.dir, os.DirFS(deploy)); err != nil {
		t.Fatal(err)
	}
	for name, pkg := range map[string]string{"nk": "github.com/nats-io/nkeys/nk", "nats-server": "github.com/nats-io/nats-server/v2"} {
		if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", filepath.Join(s.bin, name), pkg).CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", name, err, out)
		}
	}
	page, err := os.ReadFile(filepath.Join(s.dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	var steps bytes.Buffer
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllSubmatch(page, -1) {
		steps.Write(block[1])
	}
	script := strings.Replace(steps.String(), "in ana ben;", "in local ben;", 1) // as the attacks know them
	cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", script)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "PATH="+s.bin+":"+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the steps of the README: %v\n%s", err, out)
	}
	return s
}

// start runs a server on a file of the folder, with its addresses on loopback.
func (s *shipped) start(file, name string, addresses map[string]string) {
	s.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, file))
	if err != nil {
		s.Fatal(err)
	}
	addresses[`"data"`] = fmt.Sprintf("%q", filepath.Join(s.dir, "data-"+name))
	for old, now := range addresses {
		if !bytes.Contains(text, []byte(old)) {
			s.Fatalf("%s does not say %s", file, old)
		}
		text = bytes.ReplaceAll(text, []byte(old), []byte(now))
	}
	path := filepath.Join(s.dir, name+".conf")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		s.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.Context()))
	cmd := exec.CommandContext(ctx, filepath.Join(s.bin, "nats-server"), "--config", path)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "NODE_NAME="+name)
	cmd.Stdout, cmd.Stderr = s.Output(), s.Output()
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { cancel(); _ = cmd.Wait() })
}

// options are those of an identity of the folder's keys, over TLS.
func (s *shipped) options(role string) jetstream.Options {
	o := jetstream.Options{URL: s.url, Name: role, TLS: trusting(s.T, filepath.Join(s.dir, "tls", "ca.pem")), Log: logger(s.T)}
	file := role
	switch role {
	case jetstream.RoleCLI:
		file, o.Identity = jetstream.LocalIdentity, jetstream.LocalIdentity
	case jetstream.Ben:
		o.Name, o.Identity, file = jetstream.RoleCLI, "ben", "ben"
	case jetstream.RoleViewer:
		o.Identity = jetstream.RoleViewer
	}
	seed, err := os.ReadFile(filepath.Join(s.dir, "keys", file+".nk"))
	if err != nil {
		s.Fatal(err)
	}
	o.Seed = strings.TrimSpace(string(seed))
	return o
}

func trusting(t *testing.T, path string) *tls.Config {
	t.Helper()
	pem, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
}

func (s *shipped) awaits() {
	s.Helper()
	until(s.T, "server", func() bool {
		c, err := jetstream.Connect(s.options(jetstream.RoleExecutor))
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// The shipped configuration, on a server of its own, made as its README says: everything works that has to, nothing that
// must not, and a server is known by its certificate.
func TestShippedServer(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs nats-server; go test without -short plays it")
	}
	realTime(t)
	s := follow(t)
	address := freeAddress(t)
	s.url = "tls://" + address
	s.start("server.conf", "one", map[string]string{"0.0.0.0:4222": address})
	s.awaits()
	story := setStage(t, s.options)
	t.Run("rights", func(t *testing.T) { s.suffice(t) })
	t.Run("attacks", func(t *testing.T) { story.T = t; story.before = story.state(); story.withstands() })
	t.Run("TLS", func(t *testing.T) {
		o := s.options(jetstream.RoleBot)
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS12} // the system's authorities
		_, err := jetstream.Connect(o)
		if _, unknown := errors.AsType[x509.UnknownAuthorityError](err); !unknown {
			t.Errorf("a server of another authority: %v", err)
		}
		tried := 0
		err = jetstream.Await(t.Context(), logger(t), "a connection", func(context.Context) error { tried++; return err })
		if tried != 1 || err == nil || !strings.Contains(err.Error(), "unknown authority") {
			t.Errorf("it is tried %d times: %v", tried, err)
		}
		o = s.options(jetstream.RoleBot)
		o.TLS.ServerName = "another.example.com"
		if _, err := jetstream.Connect(o); err == nil || !strings.Contains(err.Error(), "another.example.com") {
			t.Errorf("another server: %v", err)
		}
		if connect(t, s.options(jetstream.RoleBot)).InTheClear() {
			t.Error("it is in the clear")
		}
	})
	t.Run("client certificates", func(t *testing.T) {
		strict := &shipped{T: t, dir: s.dir, bin: s.bin}
		address := freeAddress(t)
		strict.url = "tls://" + address
		strict.start("server.conf", "strict", map[string]string{"0.0.0.0:4222": address, "verify: false": "verify: true"})
		pair, err := tls.LoadX509KeyPair(filepath.Join(s.dir, "tls", "server.pem"), filepath.Join(s.dir, "tls", "server-key.pem"))
		if err != nil {
			t.Fatal(err)
		}
		o := strict.options(jetstream.RoleExecutor)
		until(t, "server that wants a certificate", func() bool {
			o.TLS.Certificates = []tls.Certificate{pair}
			c, err := jetstream.Connect(o)
			if err == nil {
				c.Close()
			}
			return err == nil
		})
		if _, err := jetstream.Connect(strict.options(jetstream.RoleExecutor)); err == nil {
			t.Error("it takes a client without a certificate")
		}
	})
	t.Run("a key of another name", func(t *testing.T) {
		o := s.options(jetstream.Ben)
		o.Identity = jetstream.LocalIdentity
		began := time.Now()
		err := connect(t, o).Submit(t.Context(), "cli-local", command("forged"))
		if _, denied := errors.AsType[*jetstream.DeniedError](err); !denied || time.Since(began) > time.Second {
			t.Errorf("after %s: %v", time.Since(began), err)
		}
		if _, err := connect(t, o).Status(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "nats.identity has to be") {
			t.Errorf("its reads: %v", err)
		}
	})
}

// suffice has everybody do what they have to.
func (s *shipped) suffice(t *testing.T) {
	t.Helper()
	bot := connect(t, s.options(jetstream.RoleBot))
	if err := errors.Join(bot.Present(t.Context()), bot.Submit(t.Context(), "slack", command("from-slack"))); err != nil {
		t.Error(err)
	}
	if err := bot.PutMembers(t.Context(), failover.Membership{At: time.Now()}); err != nil {
		t.Error(err)
	}
	feed, err := bot.OpenAnnouncements(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if next, err := feed.Next(t.Context()); err != nil || next.Ack(t.Context()) != nil || next.Operation.ID != opA {
		t.Errorf("announced %+v, %v", next.Operation.ID, err)
	}
	for _, role := range []string{jetstream.Ben, jetstream.RoleViewer, jetstream.RoleBot} {
		if _, err := connect(t, s.options(role)).Status(t.Context(), ""); err != nil {
			t.Errorf("%s reads: %v", role, err)
		}
	}
	if err := connect(t, s.options(jetstream.Ben)).Submit(t.Context(), "cli-ben", command("from-ben")); err != nil {
		t.Error(err)
	}
	executor := connect(t, s.options(jetstream.RoleExecutor))
	if m, err := executor.Members(t.Context()); err != nil || m.At.IsZero() {
		t.Errorf("members: %+v, %v", m, err)
	}
	if err := executor.SaveInventory(t.Context(), failover.Inventory{}); err != nil {
		t.Error(err)
	}
	if answer, err := executor.Ask(t.Context(), "ferrysvc.check.vm-x", []byte("{}")); err != nil || string(answer) != `{"ok":true}` {
		t.Errorf("the check: %s, %v", answer, err)
	}
	auditor := connect(t, s.options(jetstream.RoleAuditor))
	var file bytes.Buffer
	if err := auditor.ExportAudit(t.Context(), &file, ""); err != nil || !strings.Contains(file.String(), "ferry.command.cli-ben.") {
		t.Errorf("the export: %v\n%s", err, file.String())
	}
}

// Three servers of the shipped configuration find each other over routes with certificates on both ends.
func TestShippedCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs nats-server; go test without -short plays it")
	}
	realTime(t)
	s := follow(t)
	routes := map[string]string{}
	for _, name := range []string{"nats-1", "nats-2", "nats-3"} {
		routes[name] = freeAddress(t)
	}
	var urls []string
	for name, route := range routes {
		address := freeAddress(t)
		urls = append(urls, "tls://"+address)
		edits := map[string]string{"0.0.0.0:4222": address, "0.0.0.0:6222": route}
		for other, at := range routes {
			edits["//"+other+":6222"] = "//" + at
		}
		s.start("node.conf", name, edits)
	}
	s.url = strings.Join(urls, ",")
	s.awaits()
	story := setStage(t, func(role string) jetstream.Options {
		o := s.options(role)
		o.Replicas = 3
		return o
	})
	s.suffice(t)
	story.before = story.state()
	story.withstands()
}
