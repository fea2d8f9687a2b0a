package config

import (
	"reflect"
	"time"
)

// defaulter is a section that does not start out as the zero value. Decoding starts from it and encoding leaves out
// what is equal to it, so the defaults stand here and nowhere else.
type defaulter interface{ setDefaults() }

func (c *Config) setDefaults() { c.DataDir = "./ferry-data" }

func (s *Slack) setDefaults() {
	s.Mode = ModeSocket
	s.Listen = "127.0.0.1:8080"
	s.APIURL = "https://slack.com/api/"
	s.NotifyApprovers = true
}

func (n *NATS) setDefaults() { n.Replicas, n.Identity = 1, "local" }

func (a *Azure) setDefaults() {
	a.Endpoint = "https://management.azure.com"
	a.Credential = "default"
}

func (a *Access) setDefaults() {
	a.AnyoneMayRead = true
	a.ConfirmAbove = 20
}

func (b *BreakGlass) setDefaults() { b.ReasonRequired = true }

func (r *Rule) setDefaults() { r.Expires = 15 * time.Minute }

func (g *Group) setDefaults() { g.OnFailure = "stop-wave" }

func (t *Targets) setDefaults() { t.RTO, t.RPO = time.Hour, 15*time.Minute }

func (d *Digest) setDefaults() { d.Hour, d.TimeZone = "09:00", "UTC" }

func (a *Audit) setDefaults() { a.Post = true }

func (h *HTTP) setDefaults() { h.Listen = "127.0.0.1:9090" }

// Default returns the configuration of an empty file. It does not pass [Config.Validate]: there is no access section.
func Default() Config {
	return fresh(reflect.TypeFor[Config]()).Interface().(Config)
}

// fresh returns an addressable value of a type with its defaults, and those of the sections inside it.
func fresh(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	if t.Kind() == reflect.Struct {
		for i := range t.NumField() {
			if f := t.Field(i); f.IsExported() {
				v.Field(i).Set(fresh(f.Type))
			}
		}
	}
	if d, ok := reflect.TypeAssert[defaulter](v.Addr()); ok {
		d.setDefaults()
	}
	return v
}
