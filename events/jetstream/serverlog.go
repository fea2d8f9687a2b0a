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

func (l serverLog) Errorf(format string, v ...any) {
	l.complain()
	l.log.Error("the embedded NATS server", slog.String("error", fmt.Sprintf(format, v...)),
		slog.String("hint", "when it cannot write, make room on the disk of data_dir, then start ferry again"))
}

func (l serverLog) Fatalf(format string, v ...any) { l.Errorf(format, v...) }

func (l serverLog) Warnf(format string, v ...any) {
	l.log.Warn("the embedded NATS server", slog.String("warning", fmt.Sprintf(format, v...)))
}

// Notices and traces are of no use to whoever runs Ferry.
func (serverLog) Noticef(string, ...any) {}
func (serverLog) Debugf(string, ...any)  {}
func (serverLog) Tracef(string, ...any)  {}
