package render

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"ferry/bot"
	"ferry/failover"
)

// The callback ids of the forms that ask for an operation on a VM that their reader picks.
const (
	ActionFailoverForm = "ferry_form_failover"
	ActionDrillForm    = "ferry_form_test"
)

// ActionVM is the field in which a VM is searched. Its options are asked for while somebody types, see [VMOptions], and a
// choice is told before the form is sent.
const ActionVM = "ferry_vm"

// The other fields. Errors are put at blocks; the block of the points is named after the VM that they are of, so that what was
// chosen there goes when another VM is chosen.
const (
	blockVM       = "vm"
	blockPoint    = "point"
	blockTyped    = "typed"
	blockNetwork  = "network"
	blockShutdown = "shutdown"

	actionPick     = "ferry_pick"
	actionTyped    = "ferry_typed"
	actionNetwork  = "ferry_network"
	actionShutdown = "ferry_shutdown"
)

const (
	pointsListed = 72  // in a form, besides those that Azure chooses
	maxTyped     = 100 // characters of a point
	maxValue     = 150 // of an option
)

// AskForm asks for a failover or a drill. It outlives the process that opened it: all that counts comes back with it.
type AskForm struct {
	Verb     failover.Verb
	Networks []string // the ARM ids of the isolated networks, for a drill
	// VM is what was picked, as one types it; empty until then. List is what is known of it, and Note why that is not all.
	VM   string
	List *failover.PointList
	Note string
}

// View draws the form as it stands.
func (f AskForm) View(now time.Time) slack.ModalViewRequest {
	var v slack.ModalViewRequest
	for listed := pointsListed; ; listed /= 2 {
		v = f.view(listed, now)
		if listed == 0 || size(v.Blocks.BlockSet) <= maxModal {
			return v
		}
	}
}

func (f AskForm) view(listed int, now time.Time) slack.ModalViewRequest {
	title, submit, action := "Fail over", "Fail over", ActionFailoverForm
	lead := words("It is asked for as with %s VM: it waits for approval where the rules want one, and starts at once where they do not.", bot.Command)
	if f.Verb == failover.VerbTest {
		title, submit, action = "Test failover", "Start the drill", ActionDrillForm
		lead = words("A drill starts a copy of a VM in an isolated network. The VM itself and its replication go on.")
	}
	blocks := []slack.Block{richText("ask.lead", []line{lead}), f.vmField()}
	if lines := f.about(now); len(lines) > 0 {
		blocks = append(blocks, richText("ask.about", lines))
	}
	blocks = append(blocks, f.pointField(listed, now), typedField())
	if f.Verb == failover.VerbTest {
		blocks = append(blocks, f.networkField()...)
	} else {
		blocks = append(blocks, shutdownField(), noteInput("Reason", "Why now; shown to who approves, and kept"))
	}
	v := view(title, blocks)
	v.CallbackID, v.Submit, v.Close = action, short(submit), short("Not now")
	return v
}

func (f AskForm) vmField() slack.Block {
	least := 0
	pick := slack.NewOptionsSelectBlockElement(slack.OptTypeExternal, label("Type a part of its name"), ActionVM)
	pick.MinQueryLength = &least
	if f.VM != "" {
		pick.InitialOption = slack.NewOptionBlockObject(f.VM, label(orNot(inert(f.VM))), nil)
	}
	b := slack.NewInputBlock(blockVM, label("VM"), nil, pick)
	b.DispatchAction = true
	return b
}

// about says of the VM that was picked what matters before it is asked for.
func (f AskForm) about(now time.Time) []line {
	d := details()[1]
	var lines []line
	if f.List != nil {
		i := f.List.Item
		age := "Azure does not report how old its data are."
		if i.RPO >= 0 {
			age = "Its data are " + duration(i.RPO) + " old."
		}
		lines = append(lines, line{
			bold(orNot(d.name(f.List.Name))), plain(fmt.Sprintf(" (vault %s): %s, to %s. %s As of ", orNot(d.name(i.Vault)), d.name(stateWords(i)), orNot(d.name(i.To)), age)), moment(f.List.At, now), plain("."),
		})
		if no := failover.Legal(stepOf(f.Verb), i); no != nil {
			lines = append(lines, words("! Not now: %s", d.say(bot.RefusalText(no))))
		}
	}
	if f.Note != "" {
		lines = append(lines, words("%s", d.say(f.Note)))
	}
	return lines
}

func stepOf(verb failover.Verb) failover.StepKind {
	if verb == failover.VerbTest {
		return failover.StepTest
	}
	return failover.StepFailover
}

// pointField offers what Azure chooses and, once a VM is picked, its points.
func (f AskForm) pointField(listed int, now time.Time) slack.Block {
	newest := "least data lost"
	if f.Verb == failover.VerbTest { // nothing is
		newest = "newest data"
	}
	moving := slack.NewOptionGroupBlockElement(label("Chosen when it starts"),
		slack.NewOptionBlockObject(string(failover.Latest), label("latest: what has arrived is processed first; "+newest), nil),
		slack.NewOptionBlockObject(string(failover.LatestProcessed), label("latest-processed: the newest that is ready; fastest"), nil),
		slack.NewOptionBlockObject(string(failover.LatestApp), label("latest-app: the newest application-consistent one"), nil))
	groups, hint := []*slack.OptionGroupBlockObject{moving}, "Everything written after the chosen point is lost."
	if f.Verb == failover.VerbTest {
		hint = "The copy starts with the data of that point; the VM itself loses nothing."
	}
	if f.List != nil {
		shown := slices.DeleteFunc(slices.Clone(f.List.Points[:min(len(f.List.Points), listed)]), func(p failover.RecoveryPoint) bool {
			return len(p.ShortID()) > maxValue
		})
		groups = append(groups, pointGroups(shown, now, failover.RecoveryPoint.ShortID)...)
		if more := len(f.List.Points) - len(shown); more > 0 {
			hint += fmt.Sprintf(" %d older ones are not listed; type a time below to take one.", more)
		}
	}
	pick := slack.NewOptionsGroupSelectBlockElement(slack.OptTypeStatic, label("Choose a recovery point"), actionPick, groups...)
	pick.InitialOption = moving.Options[0]
	return slack.NewInputBlock(pointBlock(f.VM), label("Recovery point"), hinted(hint), pick)
}

// pointBlock is the block of the points of a VM.
func pointBlock(vm string) string {
	if vm == "" {
		return blockPoint
	}
	return blockPoint + "." + failover.MessageID(strings.ToLower(vm))[:8]
}

func typedField() slack.Block {
	input := slack.NewPlainTextInputBlockElement(label("-20m"), actionTyped)
	input.MaxLength = maxTyped
	b := slack.NewInputBlock(blockTyped, label("Or another point"), hinted("A time such as 14:05 (UTC), 2026-11-23T14:05Z or -20m takes the newest point not later than it; a point's id takes that one."), input)
	b.Optional = true
	return b
}

// networkField offers the isolated networks. Where none is known here, the executor takes the one there is, or refuses.
func (f AskForm) networkField() []slack.Block {
	var options []*slack.OptionBlockObject
	values := map[string]bool{"": true} // that no option has
	for _, id := range f.Networks {
		name, value := lastSegment(id), lastSegment(id)
		if slices.ContainsFunc(f.Networks, func(other string) bool { return other != id && strings.EqualFold(lastSegment(other), name) }) {
			value = id
		}
		if !values[value] && len(value) <= maxValue && len(options) < maxOptions {
			values[value] = true
			options = append(options, slack.NewOptionBlockObject(value, label(orNot(inert(name))), nil))
		}
	}
	if len(options) == 0 {
		return nil
	}
	pick := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, label("Choose a network"), actionNetwork, options...)
	if len(options) == 1 {
		pick.InitialOption = options[0]
	}
	return []slack.Block{slack.NewInputBlock(blockNetwork, label("Isolated network"), nil, pick)}
}

func shutdownField() slack.Block {
	first := slack.NewOptionBlockObject("first", label("Shut it down before it is failed over"), nil)
	boxes := slack.NewCheckboxGroupsBlockElement(actionShutdown, first)
	boxes.InitialOptions = boxes.Options
	b := slack.NewInputBlock(blockShutdown, label("The VM that runs now"), hinted("Azure tries; a failover goes on when it cannot."), boxes)
	b.Optional = true // no tick is an answer
	return b
}

func hinted(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}
