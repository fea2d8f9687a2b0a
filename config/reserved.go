package config

import "strings"

// reserved names, in one line, what the file asks for and no part of Ferry does yet. A key that is left out or set to
// what happens anyway is not worth a line.
func reserved(c *Config) []Warning {
	var r reservation
	r.add("drills", len(c.Drills) > 0)
	return r.warnings()
}

// reservation collects the paths of one warning.
type reservation struct {
	keys []string
}

func (r *reservation) add(path string, written bool) {
	if written {
		r.keys = append(r.keys, path)
	}
}

func (r *reservation) warnings() []Warning {
	if len(r.keys) == 0 {
		return nil
	}
	return []Warning{Warning("not available yet and left unused: " + strings.Join(r.keys, ", "))}
}
