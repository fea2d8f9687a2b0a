package render

import "fmt"

// Check is a line of `ferry doctor`: how a check ended, what was found, and the next step if there is one.
func Check(level, check, said, fix string) string {
	text := fmt.Sprintf("%-8s %s: %s", level, inert(check), inert(said))
	if fix != "" {
		text += "; fix: " + inert(fix)
	}
	return text
}
