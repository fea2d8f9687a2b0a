package render

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/slack-go/slack"

	"ferry/bot"
	"ferry/failover"
)

// The action ids of the picker. The value of a choice is the item's key and the point's id; that of the button the key and
// where the older points begin. Nothing is done by either.
const (
	ActionPoint  = "ferry_point"
	ActionPoints = "ferry_points"
)

const (
	pointsShown  = 10 // in a message, each on a line
	pointsPicked = 36 // in a picker, as many as leave the message readable for Slack
)

// PointsTable lists every recovery point, for a terminal. The zone of now is the reader's own.
func PointsTable(l failover.PointList, now time.Time, screen int) string {
	if len(l.Points) == 0 {
		return bot.NoPoints(inert(l.Name), l.Item) + "\n"
	}
	zone, offset := now.Zone()
	rows := [][]string{{"RECOVERY POINT (UTC)", "YOUR TIME (" + zone + ")", "TYPE", "AGE", "DATA LOST IF CHOSEN", "ID"}}
	for _, p := range l.Points {
		rows = append(rows, []string{
			p.Time.UTC().Format(time.DateTime), p.Time.In(now.Location()).Format(time.DateTime), bot.PointType(p),
			duration(now.Sub(p.Time)), bot.UpTo(now.Sub(p.Time)), p.ShortID(),
		})
	}
	if offset == 0 {
		for i := range rows {
			rows[i] = slices.Delete(rows[i], 1, 2)
		}
	}
	text := fitted(rows, screen) + "Everything written after the chosen point is lost.\n"
	if how := bot.ToPoint(inert(l.Name), l.Item, failover.RecoveryPoint{ID: "ID"}); how != "" {
		text += "To take one of them, type " + how + " with its id.\n"
	}
	return text + asOf(l.At, now)
}

// Points lists the newest recovery points, or the newest before a time, with a picker for those that follow.
func Points(l failover.PointList, before, now time.Time) Message {
	points := l.Points
	if !before.IsZero() {
		points = slices.DeleteFunc(slices.Clone(points), func(p failover.RecoveryPoint) bool { return !p.Time.Before(before) })
	}
	switch {
	case len(l.Points) == 0:
		return Ephemeral(bot.NoPoints(inert(l.Name), l.Item))
	case len(points) == 0:
		return Ephemeral("Those recovery points are gone: Azure keeps each for a time only. To see what there is, type " + bot.Command + " points " + inert(l.Name) + ".")
	}
	d := details()[0]
	lines := []line{words("Recovery points of %s (vault %s), newest first. Everything written after the chosen one is lost.", d.name(l.Name), d.name(l.Item.Vault))}
	for _, p := range points[:min(len(points), pointsShown)] {
		lines = append(lines, pointLine(p, now))
	}
	lines = append(lines, line{plain("As of " + l.At.UTC().Format("15:04:05 UTC") + " ("), local(l.At), plain("). Choosing one shows what to type; it starts nothing.")})
	blocks := []slack.Block{richText("points", lines)}
	// The newest can be chosen as well as read.
	if picked := points[:min(len(points), pointsPicked)]; l.Item.Key != "" {
		blocks = append(blocks, picker(l.Item.Key, picked, len(points)-len(picked), now))
	}
	return Message{Text: Escape(textOf(lines)), Blocks: blocks}
}

func pointLine(p failover.RecoveryPoint, now time.Time) line {
	at := local(p.Time)
	at.far = now.Sub(p.Time) > 20*time.Hour
	return line{
		plain("• " + p.Time.UTC().Format("2006-01-02 15:04:05 UTC") + " ("), at, plain(fmt.Sprintf("): %s, %s old; loses %s of data", bot.PointType(p), duration(now.Sub(p.Time)), bot.UpTo(now.Sub(p.Time)))),
	}
}

// textOf is lines as they stand where nothing else can be shown.
func textOf(lines []line) string {
	var all []string
	for _, l := range lines {
		all = append(all, l.terminal())
	}
	return clipLines(strings.Join(all, "\n"), maxFallback)
}

// picker offers points in groups by day. Options are plain text, so their times are UTC.
func picker(key string, points []failover.RecoveryPoint, older int, now time.Time) slack.Block {
	groups := pointGroups(points, now, func(p failover.RecoveryPoint) string { return key + "." + p.ShortID() })
	elements := []slack.BlockElement{slack.NewOptionsGroupSelectBlockElement(slack.OptTypeStatic, label("Choose a recovery point"), ActionPoint, groups...)}
	if older > 0 {
		last := points[len(points)-1].Time
		elements = append(elements, slack.NewButtonBlockElement(ActionPoints, key+"."+strconv.FormatInt(last.UnixNano(), 10), label(fmt.Sprintf("Older (%d more)", older))))
	}
	return slack.NewActionBlock("points.pick", elements...)
}

// pointGroups are points as options, by day.
func pointGroups(points []failover.RecoveryPoint, now time.Time, value func(failover.RecoveryPoint) string) []*slack.OptionGroupBlockObject {
	var groups []*slack.OptionGroupBlockObject
	day := ""
	for _, p := range points {
		if d := p.Time.UTC().Format("Monday 2 January 2006, UTC"); d != day {
			groups, day = append(groups, slack.NewOptionGroupBlockElement(label(d))), d
		}
		text := fmt.Sprintf("%s, %s, %s old", p.Time.UTC().Format("15:04:05"), bot.PointType(p), duration(now.Sub(p.Time)))
		g := groups[len(groups)-1]
		g.Options = append(g.Options, slack.NewOptionBlockObject(value(p), label(text), nil))
	}
	return groups
}

func label(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, clip(text, maxButton), false, false)
}

// Pick is what somebody chose in a list of recovery points.
type Pick struct {
	Key    string    // of the item
	ID     string    // of the point; empty for older ones
	Before time.Time // where the older ones begin
}

// PickOf reads a choice; false when the action is none, or its value is not of our making.
func PickOf(actionID, value string) (Pick, bool) {
	key, rest, ok := strings.Cut(value, ".")
	if !ok || key == "" || rest == "" {
		return Pick{}, false
	}
	switch actionID {
	case ActionPoint:
		return Pick{Key: key, ID: rest}, true
	case ActionPoints:
		nano, err := strconv.ParseInt(rest, 10, 64)
		return Pick{Key: key, Before: time.Unix(0, nano)}, err == nil
	}
	return Pick{}, false
}

// Show answers a choice from what Azure lists now.
func (p Pick) Show(l failover.PointList, now time.Time) Message {
	if p.ID == "" {
		return Points(l, p.Before, now)
	}
	i := slices.IndexFunc(l.Points, func(at failover.RecoveryPoint) bool { return strings.EqualFold(at.ShortID(), p.ID) })
	if i < 0 {
		return Ephemeral("This recovery point is gone: Azure keeps each for a time only, and a commit deletes them all. To see what there is, type " + bot.Command + " points " + inert(l.Name) + ".")
	}
	return chosen(l, l.Points[i], now)
}

// chosen shows one point, and the line that would fail over to it.
func chosen(l failover.PointList, p failover.RecoveryPoint, now time.Time) Message {
	name := details()[0].name(l.Name)
	at := local(p.Time)
	at.far = now.Sub(p.Time) > 20*time.Hour
	lines := []line{
		{bold(orNot(name)), plain(": recovery point of " + p.Time.UTC().Format("2006-01-02 15:04:05 UTC") + " ("), at, plain("), " + bot.PointType(p) + ".")},
		words("It is %s old. Taking it loses what was written since, %s of data.", duration(now.Sub(p.Time)), bot.UpTo(now.Sub(p.Time))),
	}
	how := bot.ToPoint(inert(l.Name), l.Item, p)
	if how == "" {
		lines = append(lines, words("Nothing was started. In the state %s it cannot be taken with Ferry now.", details()[0].name(l.Item.State)))
		return Message{Text: Escape(textOf(lines)), Blocks: []slack.Block{richText("point", lines)}}
	}
	lines = append(lines, words("Nothing was started. To take it, type:"))
	block := richText("point", lines)
	block.Elements = append(block.Elements, &slack.RichTextPreformatted{
		Type: slack.RTEPreformatted, Elements: []slack.RichTextSectionElement{slack.NewRichTextSectionTextElement(how, nil)},
	})
	return Message{Text: Escape(textOf(append(lines, words("%s", how)))), Blocks: []slack.Block{block}}
}
