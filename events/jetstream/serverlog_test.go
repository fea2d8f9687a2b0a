package jetstream

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// A server that cannot write says so in Ferry's log, and its notices stay out of it.
func TestTheServerComplains(t *testing.T) {
	var out bytes.Buffer
	l := serverLog{slog.New(slog.NewTextHandler(&out, nil)), func() {}}
	l.Noticef("Server is ready")
	l.Errorf("critical write error: %v", "no space left on device")
	l.Warnf("slow consumer")
	got := out.String()
	if strings.Contains(got, "ready") || strings.Count(got, "\n") != 2 || !strings.Contains(got, "no space left on device") || !strings.Contains(got, "start ferry again") {
		t.Errorf("the log says %q", got)
	}
}
