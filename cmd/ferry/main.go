// Command ferry is the whole product in one binary: bot, executor, sandbox and the terminal's verbs. It owns nothing but
// the process: signals in, exit code out; package terminal has the command tree. One goroutine runs it to the end.
package main

import (
	"os"

	"ferry/cmd/internal/terminal"
)

func main() {
	os.Exit(terminal.Main(os.Args[1:], terminal.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}
