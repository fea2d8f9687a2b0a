package workspace

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// richElement renders one element of a rich_text block: a section, list, quote or preformatted text.
func (r renderer) richElement(e node) []string {
	switch e.text("type") {
	case "rich_text_section":
		return strings.Split(strings.TrimSuffix(r.richInline(e), "\n"), "\n")
	case "rich_text_preformatted":
		return append(append([]string{"```"}, strings.Split(r.richInline(e), "\n")...), "```")
	case "rich_text_quote":
		return prefixed(strings.Split(r.richInline(e), "\n"), "> ")
	case "rich_text_list":
		return r.richList(e)
	default:
		return []string{unknown(e)}
	}
}

func (r renderer) richList(e node) []string {
	indent := strings.Repeat("  ", number(e["indent"]))
	var lines []string
	for i, item := range e.list("elements") {
		bullet := "• "
		if e.text("style") == "ordered" {
			bullet = fmt.Sprintf("%d. ", i+1+number(e["offset"]))
		}
		for n, line := range r.richElement(item) {
			if n > 0 {
				bullet = "  "
			}
			lines = append(lines, indent+bullet+line)
		}
	}
	return lines
}

// number is 0 for what is not a small whole number, so that no message can ask for an endless indent.
func number(v any) int {
	n, ok := v.(json.Number)
	if !ok {
		return 0
	}
	i, err := strconv.Atoi(n.String())
	if err != nil || i < 0 || i > maxBlocksText {
		return 0
	}
	return i
}

func (r renderer) richInline(e node) string {
	var out strings.Builder
	for _, part := range e.list("elements") {
		out.WriteString(styled(r.richPart(part), part.child("style")))
	}
	return out.String()
}

func (r renderer) richPart(e node) string {
	switch e.text("type") {
	case "text":
		return e.text("text")
	case "link":
		if text := e.text("text"); text != "" && text != e.text("url") {
			return text + " (" + e.text("url") + ")"
		}
		return e.text("url")
	case "user":
		return "@" + r.name(e.text("user_id"))
	case "channel":
		return "#" + r.name(e.text("channel_id"))
	case "usergroup":
		return "@" + e.text("usergroup_id")
	case "broadcast":
		return "@" + e.text("range")
	case "emoji":
		return emoji(e)
	case "date":
		return r.date(fmt.Sprint(e["timestamp"]), e.text("format"), e.text("fallback"))
	case "color":
		return e.text("value")
	default:
		return unknown(e)
	}
}

// emoji is the character where Slack sent its code points ("1f468-200d-1f692"), else the name.
func emoji(e node) string {
	var out strings.Builder
	for code := range strings.SplitSeq(e.text("unicode"), "-") {
		point, err := strconv.ParseUint(code, 16, 21)
		if err != nil {
			return ":" + e.text("name") + ":"
		}
		out.WriteRune(rune(point))
	}
	return out.String()
}

// styled marks text as mrkdwn would, outside of the spaces around it.
func styled(text string, style node) string {
	inner := strings.TrimSpace(text)
	if inner == "" {
		return text
	}
	marked := inner
	for _, mark := range [][2]string{{"code", "`"}, {"strike", "~"}, {"italic", "_"}, {"bold", "*"}} {
		if on, _ := style[mark[0]].(bool); on {
			marked = mark[1] + marked + mark[1]
		}
	}
	return strings.Replace(text, inner, marked, 1)
}
