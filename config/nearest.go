package config

import (
	"fmt"
	"strings"
)

// nearest returns the candidate with the smallest edit distance, the first of equals; "" without candidates.
func nearest(word string, candidates []string) string {
	best, least := "", -1
	for _, c := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(c)); least < 0 || d < least {
			best, least = c, d
		}
	}
	return best
}

// suggest names the nearest candidate, and all of them when even that one is far off.
func suggest(word string, candidates []string) string {
	best := nearest(word, candidates)
	if distance(strings.ToLower(word), best) <= max(2, len(best)/3) {
		return best
	}
	return fmt.Sprintf("%s (one of %s)", best, strings.Join(candidates, ", "))
}

// distance is the Levenshtein distance in bytes, which is good enough for keys. A very long word is cut: it is no typo.
func distance(a, b string) int {
	a = a[:min(len(a), 64)]
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(row[j]+1, row[j+1]+1, diagonal+cost)
		}
	}
	return row[len(b)]
}
