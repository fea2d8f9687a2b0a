//go:build nightly

package world

// nightly plays every cell of the tables, and cuts the process at every point.
const nightly = true
