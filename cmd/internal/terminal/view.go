package terminal

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/vbauerster/cupwriter"

	"ferry/bot"
	"ferry/bot/render"
	"ferry/events"
	"ferry/failover"
)

// view shows the operations that somebody follows.
type view interface {
	// show is called every second with those that are open, and once with each that is over.
	show(ops []failover.Operation, now time.Time) error
	// say tells of the following itself.
	say(text string)
	// end takes away what is drawn and does not stay.
	end() error
}

// view is the one for where output goes.
func (g *globals) view(output string) view {
	switch {
	case output == "json":
		return &jsonView{out: g.io.Out, errs: g.io.Err, told: map[failover.OpID]uint64{}}
	case g.moves():
		return newLiveView(g.io.Out, g.size, g.coloured())
	}
	return &plainView{out: g.io.Out, errs: g.io.Err, told: map[failover.OpID]string{}}
}

// jsonView writes a line when an operation has changed.
type jsonView struct {
	out, errs io.Writer
	told      map[failover.OpID]uint64
}

func (v *jsonView) show(ops []failover.Operation, _ time.Time) error {
	for _, op := range ops {
		if v.told[op.ID] == op.Seq {
			continue
		}
		v.told[op.ID] = op.Seq
		if err := json.NewEncoder(v.out).Encode(events.StatusOf(op)); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
	}
	return nil
}

func (v *jsonView) say(text string) { fmt.Fprintln(v.errs, "ferry: "+text) }
func (v *jsonView) end() error      { return nil }

// plainView writes a line when there is something new to say.
type plainView struct {
	out, errs io.Writer
	told      map[failover.OpID]string
}

func (v *plainView) show(ops []failover.Operation, _ time.Time) error {
	for _, op := range ops {
		line := progressLine(op)
		if v.told[op.ID] == line {
			continue
		}
		v.told[op.ID] = line
		if _, err := fmt.Fprintln(v.out, line); err != nil {
			return fmt.Errorf("writing: %w", err)
		}
	}
	return nil
}

func (v *plainView) say(text string) { fmt.Fprintln(v.errs, "ferry: "+text) }
func (v *plainView) end() error      { return nil }

// liveView draws the operations anew in their place; what is over, and what is said, stays above them.
type liveView struct {
	out      *cupwriter.Writer
	size     func() (width, height int)
	coloured bool
	last     []failover.Operation
}

func newLiveView(out io.Writer, size func() (width, height int), coloured bool) *liveView {
	return &liveView{out: cupwriter.New(leftmost{out}, true), size: size, coloured: coloured}
}

// leftmost begins each frame at the left: a terminal echoes what is typed meanwhile, such as ^C.
type leftmost struct{ to io.Writer }

// Write writes a frame behind a carriage return, and counts the frame's bytes alone.
func (l leftmost) Write(frame []byte) (int, error) {
	if _, err := l.to.Write([]byte("\r")); err != nil {
		return 0, err
	}
	return l.to.Write(frame)
}

func (v *liveView) show(ops []failover.Operation, now time.Time) error {
	width, height := v.size()
	var lines []string
	v.last = nil
	for _, op := range ops {
		if op.Phase.Final() {
			fmt.Fprintln(v.out, v.line(op, now, width))
			continue
		}
		v.last = append(v.last, op)
		lines = append(lines, v.line(op, now, width))
		if counts := render.Counts(op, now); counts != "" {
			lines = append(lines, shorten("  "+bot.OneLine(counts), width-1))
			for _, line := range render.Worst(op, now, height) {
				lines = append(lines, shorten("  "+bot.OneLine(line), width-1))
			}
			continue
		}
		for _, t := range op.Targets {
			if len(op.Targets) > 1 && !t.Lead {
				lines = append(lines, shorten("  "+bot.OneLine(t.Item.Name+": "+t.Phase.Words()+" "+t.Progress), width-1))
			}
		}
	}
	if len(lines) == 0 {
		lines = []string{shorten("No operation is open. Waiting for the next one; Ctrl-C ends.", width-1)}
	}
	if room := max(1, height-2); len(lines) > room { // what has scrolled away cannot be drawn anew
		lines = append(lines[:room], shorten(fmt.Sprintf("… and %d lines more", len(lines)-room), width-1))
	}
	for _, line := range lines {
		fmt.Fprintln(v.out, line)
	}
	if err := v.out.Flush(len(lines)); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}

// line is an operation in less than a screen's width: what it is and where it stands, a bar if there is room, and details.
func (v *liveView) line(op failover.Operation, now time.Time, width int) string {
	what := bot.OneLine(string(op.ID)+" "+bot.Noun(op.Verb)+" of "+bot.Targets(op)) + ": "
	state := bot.OneLine(render.State(op))
	room := width - 1 - widthOf(what+state)
	if room < 0 {
		return shorten(what+state, width-1)
	}
	if v.coloured {
		state = paint(state, op.Phase)
	}
	line := what + state
	if part, known := render.Progress(op, now); known && room >= len(" [####################] 100%") {
		drawn := fmt.Sprintf(" %s %3.0f%%", bar(part, 20), part*100)
		line, room = line+drawn, room-len(drawn)
	}
	return line + shorten(details(op, now), room)
}

// details are for whoever has a wide screen.
func details(op failover.Operation, now time.Time) string {
	text := ""
	if op.Gate() != "" {
		text += " · waits for " + bot.OneLine(bot.WaitsFor(op))
	}
	if lasting := render.Lasting(op, now); lasting != "" {
		text += " · for " + lasting
	}
	if len(op.Targets) == 1 && op.Targets[0].Progress != "" && !op.Phase.Final() {
		text += " · " + bot.OneLine(op.Targets[0].Progress)
	}
	return text
}

func (v *liveView) say(text string) {
	width, _ := v.size()
	fmt.Fprintln(v.out, shorten("ferry: "+text, width-1))
	_ = v.show(v.last, time.Now()) // who cannot be written to learns it at the next one
}

func (v *liveView) end() error {
	if err := v.out.Flush(0); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	return nil
}
