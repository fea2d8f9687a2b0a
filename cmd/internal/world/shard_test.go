package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// shardEnv names the test that a process of this binary plays a share of; the share is on its standard input.
const shardEnv = "FERRY_WORLD_SHARD"

// said begins a line of a shard's output that is for the test that started it.
const said = "shard says: "

// inShards plays cases in as many processes of this test binary as there are cores, because bubbles do not run side by side
// in one. In each, the same test finds its share with share. It returns what the shards had to say.
func inShards[C any](t *testing.T, cases []C) []string {
	t.Helper()
	var mu sync.Mutex
	var lines []string
	var running sync.WaitGroup
	shards := min(runtime.GOMAXPROCS(0), len(cases))
	for n := range shards {
		var mine []C
		for i := n; i < len(cases); i += shards {
			mine = append(mine, cases[i])
		}
		running.Go(func() {
			out, err := shard(t, mine)
			mu.Lock()
			defer mu.Unlock()
			for line := range strings.Lines(string(out)) {
				if text, ok := strings.CutPrefix(line, said); ok {
					lines = append(lines, strings.TrimSpace(text))
				}
			}
			if err != nil {
				t.Errorf("shard %d: %v\n%s", n, err, out)
			}
		})
	}
	running.Wait()
	return lines
}

func shard[C any](t *testing.T, mine []C) ([]byte, error) {
	t.Helper()
	input, err := json.Marshal(mine)
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=1h")
	cmd.Env = append(os.Environ(), shardEnv+"="+t.Name(), "GOMAXPROCS=1")
	cmd.Stdin, cmd.WaitDelay = bytes.NewReader(input), time.Second
	return cmd.CombinedOutput()
}

// share is what a shard has to play of a test; false when this process is none.
func share[C any](t *testing.T) (mine []C, isShard bool) {
	t.Helper()
	if os.Getenv(shardEnv) != t.Name() {
		return nil, false
	}
	if err := json.NewDecoder(os.Stdin).Decode(&mine); err != nil {
		t.Fatal(err)
	}
	return mine, true
}

// say tells the test that started this shard.
func say(text string) { fmt.Println(said + text) }
