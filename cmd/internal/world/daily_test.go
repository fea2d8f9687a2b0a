//go:build !nightly

package world

// Without the tag nightly a table plays some of its cells, so that each row and each column is among them.
const nightly = false
