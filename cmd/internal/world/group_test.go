package world

import "ferry/config"

// shop is a group of the configuration: the database first, then the two others.
func shop() map[string]config.Group {
	return map[string]config.Group{"shop": {Waves: []config.Wave{{Name: "data", VMs: []string{"sql-01"}}, {Name: "web", VMs: []string{"vm-x", "vm-y"}}}, OnFailure: "stop-wave"}}
}
