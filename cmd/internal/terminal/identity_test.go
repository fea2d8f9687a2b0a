package terminal_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ferry/cmd/internal/terminal"
)

// Who has a key and says another name, or the key of an auditor, is told so at once, and ends with 3.
func TestAKeyOfAnotherName(t *testing.T) {
	t.Parallel()
	o := newOutside(t)
	o.up()
	for _, test := range []struct {
		key, identity string
		args          []string
		code          int
		says          string
	}{
		{"client.json", "local", []string{"run", "vm-x"}, 3, "You may not fail over vm-x"}, // by the policy: it was heard
		{"client.json", "ben", []string{"run", "vm-x"}, 3, "This key may not speak as cli:ben. nats.identity of the configuration has to be"},
		{"client.json", "ben", []string{"status"}, 3, "nats.identity has to be the name"},
		{"auditor.json", "local", []string{"status"}, 3, "does not permit this identity"},
		{"auditor.json", "local", []string{"audit", "verify"}, 0, "The record is whole"},
		{"client.json", "local", []string{"audit", "verify"}, 3, "its key is that of another role; it takes the key of an auditor"},
		{"check.json", "local", []string{"audit", "export"}, 3, "its key is that of another role; it takes the key of an auditor"},
		{"", "local", []string{"audit", "verify"}, 3, "does not know this identity"},
		{"", "local", []string{"status"}, 3, "does not know this identity"},
		{"", "local", []string{"run", "vm-x"}, 3, "does not know this identity"},
		{"broken", "local", []string{"status"}, 2, "the nkey seed cannot be read"},
		{"broken", "local", []string{"audit", "verify"}, 2, "the nkey seed cannot be read"},
	} {
		began := time.Now()
		code, said := o.as(test.key, test.identity, test.args...)
		if code != test.code || !strings.Contains(said, test.says) || time.Since(began) > 5*time.Second {
			t.Errorf("%s as %s, %v: exit %d after %s: %s", test.key, test.identity, test.args, code, time.Since(began), said)
		}
	}
}

// as runs a command line with a key of the data directory, as somebody does who has a configuration of their own; "" is a key
// that was never given out, "broken" is none.
func (o *outside) as(key, identity string, args ...string) (code int, said string) {
	o.t.Helper()
	from := key
	if key == "" || key == "broken" {
		from = "client.json"
	}
	data, err := os.ReadFile(filepath.Join(o.dir, "data", from))
	if err != nil {
		o.t.Fatal(err)
	}
	var file struct{ URL, Seed string }
	if err := json.Unmarshal(data, &file); err != nil {
		o.t.Fatal(err)
	}
	switch key {
	case "":
		file.Seed = "SUAIBDPBAUTWCWBKIO6XHQNINK5FWJW4OHLXC3HQ2KFE4PEJUA44CNHTC4"
	case "broken":
		file.Seed = file.Seed[:len(file.Seed)-1]
	}
	path := filepath.Join(o.dir, "mine.yaml")
	if err := os.WriteFile(path, fmt.Appendf(nil, "nats: {url: %q, nkey: %q, identity: %q}\n", file.URL, file.Seed, identity), 0o600); err != nil {
		o.t.Fatal(err)
	}
	var out bytes.Buffer
	code = terminal.Run(o.t.Context(), append([]string{"--config", path}, args...), terminal.Streams{In: strings.NewReader(""), Out: &out, Err: &out})
	return code, out.String()
}
