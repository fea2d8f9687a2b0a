package failover

import (
	"path"
	"slices"
	"strings"
)

// Match holds patterns of path.Match, compared without case. Of each key one pattern must match, a key without patterns
// matches everything, and all keys must match.
type Match struct {
	VM            []string `json:"vm,omitempty"`
	Group         []string `json:"group,omitempty"` // of VMs, in the configuration
	Vault         []string `json:"vault,omitempty"`
	ResourceGroup []string `json:"resource_group,omitempty"`
	Tag           []string `json:"tag,omitempty"` // "key=value", or "key" for any value
}

// matches reports whether a match takes an item, and whether that is known.
func (p Policy) matches(m Match, item Item) (matches, known bool) {
	grouped, known := p.grouped(m.Group, item)
	switch {
	case !(glob(m.VM, item.Name) && glob(m.Vault, item.Vault) && glob(m.ResourceGroup, item.ResourceGroup)) || known && !grouped:
		return false, true
	case !known:
		return false, false
	case len(m.Tag) == 0:
		return true, true
	case item.Tags == nil:
		return false, false
	}
	return slices.ContainsFunc(m.Tag, func(pattern string) bool { return tagged(pattern, item.Tags) }), true
}

// ByTags reports whether a rule goes by tags, or by a group that does, so that they have to be read.
func (p Policy) ByTags() bool {
	return slices.ContainsFunc(p.Rules, func(r Rule) bool {
		for name, g := range p.Sets {
			if len(r.Match.Group) > 0 && glob(r.Match.Group, name) && g.byTags() {
				return true
			}
		}
		return len(r.Match.Tag) > 0
	})
}

// everything reports whether all its patterns are stars.
func (m Match) everything() bool {
	all := slices.Concat(m.VM, m.Group, m.Vault, m.ResourceGroup, m.Tag)
	return !slices.ContainsFunc(all, func(p string) bool { return p != "*" })
}

// grouped reports whether a VM is in one of the groups that the patterns name, and whether that is known.
func (p Policy) grouped(patterns []string, item Item) (in, known bool) {
	if len(patterns) == 0 {
		return true, true
	}
	known = true
	for name, g := range p.Sets {
		if !glob(patterns, name) {
			continue
		}
		has, sure := g.Has(item)
		if has {
			return true, true
		}
		known = known && sure
	}
	return false, known
}

func tagged(pattern string, tags map[string]string) bool {
	key, value, valued := strings.Cut(pattern, "=")
	for k, v := range tags {
		if like(key, k) && (!valued || like(value, v)) {
			return true
		}
	}
	return false
}

func glob(patterns []string, name string) bool {
	return len(patterns) == 0 || slices.ContainsFunc(patterns, func(p string) bool { return like(p, name) })
}

// like compares without case, and so that a star also takes slashes, which tags may have.
func like(pattern, name string) bool {
	if !strings.ContainsAny(pattern, `*?[\`) { // most are names, and a group may have a thousand of them
		return strings.EqualFold(pattern, name)
	}
	flat := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "/", "\x00") }
	ok, err := path.Match(flat(pattern), flat(name))
	return err == nil && ok
}
