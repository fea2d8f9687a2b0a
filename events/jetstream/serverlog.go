package jetstream

import (
	"fmt"
	"log/slog"
)

// serverLog passes on what the embedded server has to complain about. Without it a full disk looks like silence: the server
// drops what it cannot write, and after such an error it stores nothing more until it is started again.
type serverLog struct {
	log      *slog.Logger
	complain func() // is told of every error; it must not wait
}

// Errorf is for what may mean that nothing is stored any more.
func (l serverLog) Errorf(format string, v ...any) {
	l.complain()
	l.log.Error("the embedded NATS server", slog.String("error", fmt.Sprintf(format, v...)),
		slog.String("hint", "when it cannot write, make room on the disk of data_dir, then start ferry again"))
}

// Fatalf leaves the end of the process to whoever started the server.
func (l serverLog) Fatalf(format string, v ...any) { l.Errorf(format, v...) }

// Warnf passes on what is not well and stops nothing.
func (l serverLog) Warnf(format string, v ...any) {
	l.log.Warn("the embedded NATS server", slog.String("warning", fmt.Sprintf(format, v...)))
}

// Noticef drops what is of no use to whoever runs Ferry.
func (serverLog) Noticef(string, ...any) {}

// Debugf drops it, like Noticef.
func (serverLog) Debugf(string, ...any) {}

// Tracef drops it, like Noticef.
func (serverLog) Tracef(string, ...any) {}
