package failover

import (
	"fmt"
	"slices"
	"strings"
)

// Group is what the configuration says that one command may fail over together.
type Group struct {
	Name        string
	Waves       []GroupWave
	Concurrency int // VMs under way at a time; 0 is as many as the vaults take
	Canary      int // so many VMs of the first wave go alone before all others
	OnFailure   OnFailure
	Tolerate    int // percent of a wave
}

// GroupWave is a wave before its VMs are known.
type GroupWave struct {
	Name string
	VMs  []string // names, vault/name, or patterns of [path.Match]
	Tags []string // "key=value" or "key", each part a pattern; a VM that has one of them belongs to the wave
	// After are the places, from 1, of the waves that have to be over before; nil is the one before it.
	After []int
}

// byTags reports whether the group goes by tags anywhere.
func (g Group) byTags() bool {
	return slices.ContainsFunc(g.Waves, func(w GroupWave) bool { return len(w.Tags) > 0 })
}

// Has reports whether a VM belongs to the group, and whether that is known: its tags may not have been read.
func (g Group) Has(i Item) (has, known bool) {
	has = slices.ContainsFunc(g.Waves, func(w GroupWave) bool {
		return slices.ContainsFunc(w.VMs, func(p string) bool { return named(p, i) }) ||
			slices.ContainsFunc(w.Tags, func(p string) bool { return tagged(p, i.Tags) })
	})
	return has, has || i.Tags != nil || !g.byTags()
}

// ResolveGroup finds the group that a typed name means, without case. Nothing near is ever taken for it.
func ResolveGroup(groups map[string]Group, typed string) (Group, *Refusal) {
	var names []string
	for name, g := range groups {
		if strings.EqualFold(name, typed) {
			return g, nil
		}
		names = append(names, name)
	}
	slices.Sort(names)
	hint := "No group is configured; have one written under groups in Ferry's configuration, or name the VMs in a row."
	if len(names) > 0 {
		hint = "There are: " + someNames(names) + ". Nothing was started; type the whole name."
	}
	if near := Near(typed, names, func(name string) string { return name }, 3); len(near) > 0 && len(near) < len(names) {
		hint = "Near names: " + strings.Join(near, ", ") + ". " + hint
	}
	return Group{}, Refuse(UnknownName, hint, "No group is called %q.", typed)
}

// GroupLine is a group as a list shows it: what of it is replicated now.
type GroupLine struct {
	Name  string `json:"name"`
	VMs   int    `json:"vms"`
	Waves int    `json:"waves"`
}

// Words say how large the group is.
func (g GroupLine) Words() string {
	if g.Waves == 1 {
		return count(g.VMs)
	}
	return fmt.Sprintf("%s in %d waves", count(g.VMs), g.Waves)
}

// GroupLines are the groups by name, with how many of the items belong to each.
func GroupLines(groups map[string]Group, items []Item) []GroupLine {
	var lines []GroupLine
	for name, g := range groups {
		line := GroupLine{Name: name, Waves: len(g.Waves)}
		for _, i := range items {
			if has, _ := g.Has(i); has {
				line.VMs++
			}
		}
		lines = append(lines, line)
	}
	slices.SortFunc(lines, func(a, b GroupLine) int { return strings.Compare(a.Name, b.Name) })
	return lines
}

// someNames are names in a sentence, of many the first ones.
func someNames(names []string) string {
	const most = 20
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// GoesByTags reports whether one of the groups needs the tags of VMs.
func GoesByTags(groups map[string]Group) bool {
	for _, g := range groups {
		if g.byTags() {
			return true
		}
	}
	return false
}

// Gathered are the VMs of a group, or those named in a row, at one moment.
type Gathered struct {
	Fleet Fleet
	Items []Item
	Waves []int    // of each item, from 1
	Lost  []string // why some that were meant are not among them, a sentence each
}

// Gather finds the VMs of a group. One that fits several waves belongs to the first of them.
func (g Group) Gather(items []Item) (Gathered, *Refusal) {
	out := Gathered{Fleet: Fleet{Name: g.Name, Concurrency: g.Concurrency, OnFailure: g.OnFailure, Tolerate: g.Tolerate}}
	taken := map[string]bool{}
	for n, w := range g.Waves {
		after := w.After
		if after == nil && n > 0 {
			after = []int{n}
		}
		out.Fleet.Waves = append(out.Fleet.Waves, Wave{Name: w.Name, After: after})
		for _, pattern := range w.VMs {
			hits := 0
			for _, i := range items {
				if !named(pattern, i) {
					continue
				}
				if hits++; !taken[i.Key] {
					taken[i.Key] = true
					out.add(i, n+1)
				}
			}
			switch exact := !strings.ContainsAny(pattern, "*?["); {
			case hits == 0 && exact:
				out.Lost = append(out.Lost, pattern+" is not replicated.")
			case hits > 1 && exact:
				return out, Refuse(UnknownName, "Have it written as vault/name under groups."+g.Name+" in Ferry's configuration.", "There are %d VMs called %s.", hits, pattern)
			}
		}
		for _, i := range items {
			if !taken[i.Key] && slices.ContainsFunc(w.Tags, func(p string) bool { return tagged(p, i.Tags) }) {
				taken[i.Key] = true
				out.add(i, n+1)
			}
		}
		if len(w.Tags) > 0 {
			if n := len(slices.DeleteFunc(slices.Clone(items), func(i Item) bool { return i.Tags != nil })); n > 0 {
				out.Lost = append(out.Lost, fmt.Sprintf("The tags of %s could not be read.", count(n)))
			}
		}
	}
	if len(out.Items) == 0 {
		return out, Refuse(WrongState, "See what is replicated with /failover list, and the group in Ferry's configuration under groups."+g.Name+".", "No replicated VM belongs to the group %s.", g.Name)
	}
	out.canary(g.Canary)
	return out, nil
}

func (g *Gathered) add(i Item, wave int) {
	g.Items, g.Waves = append(g.Items, i), append(g.Waves, wave)
}

// canary lets the first VMs of the first wave go before all others, alone.
func (g *Gathered) canary(n int) {
	if n <= 0 {
		return
	}
	for i := range g.Fleet.Waves {
		w := &g.Fleet.Waves[i]
		w.After = slices.Clone(w.After)
		for j := range w.After {
			w.After[j]++
		}
		if !slices.Contains(w.After, 1) {
			w.After = append([]int{1}, w.After...)
		}
	}
	g.Fleet.Waves = slices.Insert(g.Fleet.Waves, 0, Wave{Name: "canary", Canary: true})
	first := slices.Min(g.Waves)
	for i, wave := range g.Waves {
		if wave == first && n > 0 {
			n--
			g.Waves[i] = 1
		} else {
			g.Waves[i] = wave + 1
		}
	}
}

// named reports whether a pattern of a group means an item: by its name, or by vault/name.
func named(pattern string, i Item) bool {
	if vault, name, ok := strings.Cut(pattern, "/"); ok {
		return like(vault, i.Vault) && like(name, i.Name)
	}
	return like(pattern, i.Name)
}

// GatherRow finds the VMs that were named in a row, each exactly, with blanks between. They go at the same time, and each for
// itself.
func GatherRow(items []Item, row string) (Gathered, *Refusal) {
	out := Gathered{Fleet: Fleet{Waves: []Wave{{}}, OnFailure: GoOn}}
	for typed := range strings.FieldsSeq(row) {
		item, refusal := Resolve(items, typed)
		if refusal != nil {
			return out, refusal
		}
		if slices.ContainsFunc(out.Items, func(i Item) bool { return i.Key == item.Key }) {
			return out, Refuse(BadUsage, "Name each VM once. Nothing was started.", "%s is named twice.", typed)
		}
		out.add(item, 1)
	}
	return out, nil
}

// decideSeveral opens one operation on several VMs.
func decideSeveral(cmd Command, s Situation) ([]Fact, *Refusal) {
	if cmd.Verb == VerbReprotect {
		return decideReprotectAll(cmd, s)
	}
	if cmd.Verb == VerbFailback {
		return decideFailbackAll(cmd, s)
	}
	return decideGroup(cmd, s)
}

// decideGroup opens the failover of several VMs. One that cannot be failed over now is left out and named, so that it does not
// strand the others: who approves sees the exact list.
func decideGroup(cmd Command, s Situation) ([]Fact, *Refusal) {
	if cmd.Point.Kind == ByID {
		return nil, Refuse(BadUsage, "Type latest, latest-processed, latest-app or a time.", "A recovery point's id is one VM's.")
	}
	targets, plan, refusal := s.together(cmd, StepFailover, func(one Situation, m Member, plan *Plan, t *Target) *Refusal {
		if m.Points != nil {
			return one.chosen(cmd, StepFailover, plan, t)
		}
		if refusal := Legal(StepFailover, m.Item); refusal != nil {
			return refusal
		}
		return one.beforeIncident(Command{Verb: VerbFailover, Force: cmd.Force, Point: cmd.Point}, RecoveryPoint{})
	})
	if refusal != nil {
		return nil, refusal
	}
	if refusal := s.largeConfirmed(cmd, s.calls(cmd, len(targets)), len(targets)); refusal != nil {
		return nil, refusal
	}
	plan.Point, plan.Shutdown, plan.Forced = cmd.Point, cmd.Shutdown, cmd.Force && !s.Incident.IsZero()
	if plan.CommitBy, refusal = s.commitRuleForAll(); refusal != nil {
		return nil, refusal
	}
	cmd.Verb = VerbFailover // the plan says how
	return s.request(cmd, plan, targets...), nil
}

// decideFailbackAll opens the way home of several VMs. All of them take the first step together, so that those which stand
// elsewhere on it are left out and named.
func decideFailbackAll(cmd Command, s Situation) ([]Fact, *Refusal) {
	var first StepKind
	targets, plan, refusal := s.together(cmd, StepReprotect, func(one Situation, m Member, plan *Plan, t *Target) *Refusal {
		if refusal := one.wayHome(cmd, plan, t); refusal != nil {
			return refusal
		}
		if first == "" {
			first = plan.First
		}
		if plan.First != first {
			return Refuse(WrongState, "Ask for it by itself: /failover failback "+m.Item.Name+".", "%s is at another place of its way home than the first of them.", m.Item.Name)
		}
		return nil
	})
	if refusal != nil {
		return nil, refusal
	}
	plan.First, plan.Point = first, cmd.Point
	if plan.CommitBy, refusal = s.commitRuleForAll(); refusal != nil {
		return nil, refusal
	}
	return s.request(cmd, plan, targets...), nil
}

// together makes targets of the members that are ready, by a check of each.
func (s Situation) together(cmd Command, step StepKind, ready func(Situation, Member, *Plan, *Target) *Refusal) ([]Target, Plan, *Refusal) {
	rule, refusal := s.ruleForAll(cmd)
	if refusal == nil {
		refusal = s.thawed(step, s.items()...)
	}
	if refusal != nil {
		return nil, Plan{}, refusal
	}
	var targets []Target
	not := unready{said: s.Lost}
	for _, m := range s.Members {
		one := s
		one.Item, one.Holder, one.Points, one.Reversal, one.Check, one.Members = m.Item, m.Holder, m.Points, m.Reversal, m.Check, nil
		var plan Plan
		target := Target{Item: m.Item, Phase: AwaitingApproval, Check: m.Check, Wave: m.Wave}
		refusal := one.free()
		if refusal == nil {
			refusal = m.Trouble
		}
		if refusal == nil {
			refusal = ready(one, m, &plan, &target)
		}
		if refusal != nil {
			not.add(m.Item.Name, refusal)
			continue
		}
		targets = append(targets, target)
	}
	if len(targets) == 0 {
		return nil, Plan{}, Refuse(WrongState, not.hint("/failover list shows the state of each. Nothing was started."), "No VM of it is ready: %s", not.words())
	}
	return targets, Plan{Rule: rule, Fleet: s.Fleet, LeftOut: not.words()}, nil
}

// calls is the name to type where so many VMs are to be confirmed: the group's, or how many they are.
func (s Situation) calls(cmd Command, n int) string {
	if cmd.Row {
		return fmt.Sprint(n)
	}
	return cmd.Target
}
