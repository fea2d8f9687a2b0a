package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func (k *checker) groups(groups map[string]Group) {
	typed := map[string]string{}
	for _, name := range sorted(groups) {
		g, path := groups[name], join("groups", name)
		if other, taken := typed[strings.ToLower(name)]; taken {
			k.failf(path, "people type names in any case, so this is the same as %s; give it another name", other)
		}
		typed[strings.ToLower(name)] = name
		if name == "" {
			k.failf(path, "people type this name; write one")
		}
		k.waves(path, g)
		switch {
		case g.Concurrency < 0:
			k.failf(path+".concurrency", "%d is negative; write 0 for as many as the vaults take", g.Concurrency)
		case g.Canary < 0:
			k.failf(path+".canary", "%d is negative; write 0 for none", g.Canary)
		case g.Canary > 0 && len(g.Waves) == 0:
			k.failf(path+".canary", "there is no wave that it could go ahead of; write the waves, or 0")
		}
		k.onFailure(path, g)
	}
}

func (k *checker) onFailure(path string, g Group) {
	switch {
	case g.OnFailure != "stop-wave" && g.OnFailure != "continue":
		k.failf(path+".on_failure", "%q is not possible; write stop-wave or continue", g.OnFailure)
	case g.Tolerate < 0 || g.Tolerate > 100:
		k.failf(path+".tolerate", "%d is no share; write the percent of a wave's VMs that may fail, from 0 to 100", g.Tolerate)
	case g.Tolerate > 0 && g.OnFailure == "continue":
		k.failf(path+".tolerate", "continue stops for no failed VM, so there is nothing to tolerate; write on_failure: stop-wave, or leave this out")
	}
}

func (k *checker) waves(path string, g Group) {
	if len(g.Waves) == 0 {
		k.failf(path+".waves", "no wave; write a list of lists of VM names, as in [[sql-01], [app-01]]")
	}
	for i, w := range g.Waves {
		here := fmt.Sprintf("%s.waves[%d]", path, i)
		vms := here + ".vms"
		if w.list() {
			vms = here
		}
		if len(w.VMs)+len(w.Tags) == 0 {
			k.failf(here, "an empty wave; write VM names into it, or leave it out")
		}
		k.patterns(vms, w.VMs)
		k.patterns(here+".tags", w.Tags)
		k.keyed(here+".tags", w.Tags)
		k.waveName(here+".name", g, i)
		for j, after := range w.After {
			k.after(fmt.Sprintf("%s.after[%d]", here, j), g, i+1, after)
		}
	}
	if circle := g.circle(); circle != nil {
		k.failf(fmt.Sprintf("%s.waves[%d]", path, circle[0]-1), "waits for itself, by way of the waves %s; a wave without after waits for the one before it, so write another after, or after: []", g.words(circle))
	}
}

// waveName refuses a name by which nobody could say which wave is meant.
func (k *checker) waveName(path string, g Group, i int) {
	name := g.Waves[i].Name
	if name == "" {
		return
	}
	if _, err := strconv.Atoi(name); err == nil {
		k.failf(path, "%q reads as the number of a wave; write a word", name)
	}
	if first := slices.IndexFunc(g.Waves, func(w Wave) bool { return strings.EqualFold(w.Name, name) }); first < i {
		k.failf(path, "wave %d is called %q too; give one of them another name", first+1, name)
	}
}

func (k *checker) after(path string, g Group, n int, after string) {
	switch g.number(after) {
	case n:
		k.failf(path, "a wave cannot wait for itself; write another one, or leave it out")
	case 0:
		var names []string
		for _, w := range g.Waves {
			if w.Name != "" {
				names = append(names, w.Name)
			}
		}
		instead := fmt.Sprintf("a number from 1 to %d", len(g.Waves))
		if len(names) > 0 {
			instead = suggest(after, names) + ", or " + instead
		}
		k.failf(path, "%q is no wave of the group; write %s", after, instead)
	}
}

// circle is the first row of waves, by number, each of which waits for the next, and the last for the first; nil when there is
// none. A wave that waits for itself alone is told of where it says so.
func (g Group) circle() []int {
	done := make([]bool, len(g.Waves)+1)
	var way []int
	var follow func(n int) []int
	follow = func(n int) []int {
		if i := slices.Index(way, n); i >= 0 {
			return append(slices.Clone(way[i:]), n)
		}
		if done[n] {
			return nil
		}
		way = append(way, n)
		for _, before := range g.Before(n) {
			if circle := follow(before); before != n && circle != nil {
				return circle
			}
		}
		way, done[n] = way[:len(way)-1], true
		return nil
	}
	for n := range g.Waves {
		if circle := follow(n + 1); circle != nil {
			return circle
		}
	}
	return nil
}

// words are waves as people call them.
func (g Group) words(waves []int) string {
	var names []string
	for _, n := range waves {
		if name := g.Waves[n-1].Name; name != "" {
			names = append(names, name)
		} else {
			names = append(names, strconv.Itoa(n))
		}
	}
	return strings.Join(names, ", ")
}
