package workspace_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"

	"ferry/sandbox/workspace"
)

// app is a small bot on slack-go: it answers its command with a modal, refuses one answer, and asks once more before it says
// in the channel what was asked for. Mentions it answers in their thread.
type app struct {
	*testing.T
	api    *slack.Client
	socket *socketmode.Client
}

// runApp returns once the app is connected; it ends with the test.
func (s *site) runApp(t *testing.T) {
	t.Helper()
	api := slack.New("xoxb-sandbox", slack.OptionAppLevelToken("xapp-sandbox"), slack.OptionAPIURL(s.URL+"/api/"))
	a := &app{T: t, api: api, socket: socketmode.New(api)}
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	ready := make(chan struct{})
	greeted := sync.OnceFunc(func() { close(ready) })
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	running.Go(func() { _ = a.socket.RunContext(ctx) }) // ends by stop, always with an error
	running.Go(func() {
		for {
			select {
			case e := <-a.socket.Events:
				if e.Type == socketmode.EventTypeHello {
					greeted()
				}
				a.take(ctx, e)
			case <-ctx.Done():
				return
			}
		}
	})
	<-ready
}

func (a *app) take(ctx context.Context, e socketmode.Event) {
	switch data := e.Data.(type) {
	case slack.SlashCommand:
		a.ack(ctx, e, nil)
		form := pageForm()
		switch data.Text {
		case "review":
			form = longForm()
		case "short":
			form = shortForm()
		}
		if _, err := a.api.OpenViewContext(ctx, data.TriggerID, form); err != nil {
			a.Errorf("opening the modal: %v", err)
		}
	case slack.InteractionCallback:
		a.interaction(ctx, e, data)
	case slackevents.EventsAPIEvent:
		a.ack(ctx, e, nil)
		if h, ok := data.InnerEvent.Data.(*slackevents.AppHomeOpenedEvent); ok {
			a.welcome(ctx, h.User, "nothing is chosen")
		}
		if m, ok := data.InnerEvent.Data.(*slackevents.AppMentionEvent); ok {
			a.say(ctx, "at your service, <@"+m.User+">", slack.MsgOptionTS(m.ThreadTimeStamp))
		}
	}
}

func (a *app) ack(ctx context.Context, e socketmode.Event, payload any) {
	if err := a.socket.AckCtx(ctx, e.Request.EnvelopeID, payload); err != nil && ctx.Err() == nil {
		a.Errorf("acknowledging: %v", err)
	}
}

func (a *app) say(ctx context.Context, text string, options ...slack.MsgOption) {
	if _, _, err := a.api.PostMessageContext(ctx, incident, append(options, slack.MsgOptionText(text, false))...); err != nil {
		a.Errorf("posting: %v", err)
	}
}

func (a *app) interaction(ctx context.Context, e socketmode.Event, i slack.InteractionCallback) {
	switch i.Type {
	case slack.InteractionTypeBlockSuggestion:
		a.ack(ctx, e, servers(i.Value))
	case slack.InteractionTypeBlockActions:
		a.ack(ctx, e, nil)
		chosen := i.ActionCallback.BlockActions[0]
		for _, o := range chosen.SelectedOptions {
			chosen.SelectedOption.Value += " " + o.Value
		}
		if i.View.Type == slack.VTHomeTab {
			a.welcome(ctx, i.User.ID, "chosen: "+chosen.ActionID+" "+chosen.SelectedOption.Value)
			return
		}
		a.say(ctx, "chosen: "+chosen.ActionID+" "+chosen.SelectedOption.Value)
	case slack.InteractionTypeViewSubmission:
		a.submission(ctx, e, i)
	case slack.InteractionTypeMessageAction:
		a.ack(ctx, e, nil)
		a.say(ctx, i.User.Name+" used "+i.CallbackID+" on: "+i.Message.Text)
	case slack.InteractionTypeShortcut:
		a.ack(ctx, e, nil)
		a.say(ctx, i.User.Name+" used "+i.CallbackID)
	default:
		a.ack(ctx, e, nil)
	}
}

// welcome publishes a Home tab that says a text.
func (a *app) welcome(ctx context.Context, user, text string) {
	if _, err := a.api.PublishViewContext(ctx, slack.PublishViewContextRequest{UserID: user, View: homeTab(text)}); err != nil {
		a.Errorf("publishing: %v", err)
	}
}

func (a *app) submission(ctx context.Context, e socketmode.Event, i slack.InteractionCallback) {
	values := i.View.State.Values
	switch reason := values["reason"]["reason"].Value; {
	case i.View.CallbackID == "sure":
		a.ack(ctx, e, nil)
		a.say(ctx, "asked for: "+i.View.PrivateMetadata)
	case !strings.Contains(reason, "incident"):
		a.ack(ctx, e, slack.NewErrorsViewSubmissionResponse(map[string]string{"reason": "Name the incident in the reason."}))
	default:
		extras := ""
		for _, o := range values["extras"]["extras"].SelectedOptions {
			extras += " " + o.Value
		}
		a.ack(ctx, e, slack.NewUpdateViewSubmissionResponse(&slack.ModalViewRequest{
			Type: slack.VTModal, CallbackID: "sure", Title: words("Are you sure?"), Submit: words("Fail over"), Close: words("Not now"),
			PrivateMetadata: strings.Join([]string{
				values["vm"]["vm"].SelectedOption.Value, values["point"]["point"].SelectedOption.Value, values["kind"]["kind"].SelectedOption.Value, reason,
			}, ", ") + "," + extras,
			Blocks: slack.Blocks{BlockSet: []slack.Block{slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, "*vm-x* will be shut down.", false, false), nil, nil)}},
		}))
	}
}

func servers(query string) slack.OptionsResponse {
	found := slack.OptionsResponse{}
	for _, name := range []string{"vm-x", "vm-y", "sql-01 <b>not bold</b>"} {
		if strings.Contains(name, query) {
			found.Options = append(found.Options, slack.NewOptionBlockObject(name, words(name), nil))
		}
	}
	return found
}

// pageForm is what a bot would ask before a failover.
func pageForm() slack.ModalViewRequest {
	described := func(name, text string) *slack.OptionBlockObject {
		return slack.NewOptionBlockObject(name, words(name), words(text))
	}
	vm := slack.NewOptionsSelectBlockElement(slack.OptTypeExternal, words("Search a server"), "vm")
	point := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, words("Choose a recovery point"), "point", option("latest"), option("latest-processed"), option("latest-app"))
	kind := slack.NewRadioButtonsBlockElement("kind", described("planned", "Shuts down first, loses nothing"), described("unplanned", "The source may be gone"))
	extras := slack.NewInputBlock("extras", words("Besides"), nil, slack.NewCheckboxGroupsBlockElement("extras", described("shutdown", "Try to shut the source down"), option("notify")))
	extras.Optional = true
	reason := slack.NewPlainTextInputBlockElement(words("Why now?"), "reason")
	reason.Multiline = true
	ticket := slack.NewInputBlock("ticket", words("Ticket"), nil, slack.NewPlainTextInputBlockElement(nil, "ticket"))
	ticket.Optional = true
	day := slack.NewInputBlock("day", words("Not before"), nil, slack.NewDatePickerBlockElement("day"))
	day.Optional = true
	return slack.ModalViewRequest{
		Type: slack.VTModal, CallbackID: "run", Title: words("Fail over a server"), Submit: words("Ask"), Close: words("Cancel"),
		Blocks: slack.Blocks{BlockSet: []slack.Block{
			slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, "An approver decides on it. <javascript:window.pwned=1|press> <img src=x onerror=window.pwned=2>", false, false), nil, nil),
			slack.NewInputBlock("vm", words("Server"), nil, vm),
			slack.NewInputBlock("point", words("Recovery point"), nil, point),
			slack.NewInputBlock("kind", words("Kind"), nil, kind),
			extras,
			slack.NewInputBlock("reason", words("Reason <script>window.pwned=3</script>"), words("It stands in the record of the operation."), reason),
			ticket, day,
			slack.NewInputBlock("who", words("Who"), nil, slack.NewOptionsSelectBlockElement(slack.OptTypeUser, words("Nobody here draws this"), "who")),
		}},
	}
}

// A person fills in a modal by keyboard and pointer, is refused once, and replies in a thread: on a desktop and on a phone.
func TestModalInBrowser(t *testing.T) {
	newTab := newBrowser(t)
	for name, size := range map[string][2]int64{"desktop": {1280, 800}, "phone": {360, 740}} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, workspace.Options{NoRateLimits: true, Shortcuts: declared()})
			s.runApp(t)
			p := open(t, newTab, s.URL, size[0], size[1])
			p.fillsModal(s, name)
			p.readsForm(name)
			p.leavesList()
			p.repliesInThread(s, name)
			p.choosesInMessage(s, name)
			p.staysAtHome(s, name)
			p.usesShortcuts(name)
			p.seesTopicAndPins(s, name)
			p.seesFile(s, name)
			s.post("data", dataBlocks)
			p.sees("#messages table.data", "Age of the newest point")
			p.sees("#messages", "in progress")
			s.post(fmt.Sprintf("<!date^%d^{ago}|then>", time.Now().Add(15*time.Minute).Unix()), "")
			p.sees("#messages", "in 15 minutes")
			s.post("code", `[{"type": "rich_text", "elements": [{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": "`+strings.Repeat("wide ", 50)+`"}]}]}]`)
			p.sees("#messages pre", "wide wide")
			eval[any](p, `document.getElementById("newer").click()`)
			p.looks(name + "-data")
		})
	}
}

func (p *tab) fillsModal(s *site, name string) {
	p.Helper()
	p.clicks(".field input", "")
	p.types("/failover\r")
	p.sees(".modal h2", "Fail over a server")
	p.until("the first field has the focus", `document.activeElement.dataset.action === "vm"`)
	p.looks(name + "-modal-1-empty")
	p.clicks(".modal-foot button", "Ask")
	p.sees(".modal [data-problem=vm]", "Please complete this required field.")
	p.until("the first wrong field has the focus", `document.activeElement.dataset.action === "vm"`)
	p.looks(name + "-modal-2-incomplete")
	p.types("vm-")
	p.sees(".picks:not([hidden])", "vm-y")
	p.looks(name + "-modal-3-search")
	p.types(kb.Escape)
	p.until("escape closes the list alone", `document.querySelector(".picks:not([hidden])") === null && document.querySelector(".modal[open]") !== null`)
	eval[any](p, `(() => { window.sent = 0; document.querySelector(".modal").addEventListener("submit", () => { window.sent++; }); })()`)
	p.types("vm-")
	p.sees(".picks:not([hidden])", "vm-x")
	p.types(kb.ArrowDown + kb.Enter)
	p.until("vm-x is chosen", `document.activeElement.value === "vm-x"`)
	p.types(kb.Tab)
	p.types(kb.ArrowDown + kb.ArrowDown + kb.ArrowDown + kb.Enter)
	p.until("a point is chosen", `document.activeElement.value === "latest-processed"`)
	if n := eval[int](p, `window.sent`); n != 0 {
		p.Errorf("choosing by Enter has sent the form %d times", n)
	}
	p.until("what is chosen is not called wrong", `document.querySelector(".modal [data-problem=point]").hidden`)
	check(p.T, s.Fill("ana", "reason", "a script's")) // the workspace tells anew what is wrong
	p.until("what a script has filled is not called wrong", `document.querySelector(".modal [data-problem=reason]").hidden`)
	p.until("what was chosen still is not", `document.querySelector(".modal [data-problem=point]").hidden && document.activeElement.dataset.action === "point"`)
	p.clicks(".option", "unplanned")
	p.clicks(".option", "shutdown")
	p.clicks(".option", "notify")
	p.clicks("textarea", "")
	p.types("disk errors")
	p.unknownElement()
	p.clicks(".modal-foot button", "Ask")
	p.sees(".modal [data-problem=reason]", "Name the incident")
	p.looks(name + "-modal-4-refused")
	if eval[string](p, `document.querySelector("textarea").value`) != "disk errors" {
		p.Error("what was typed is gone")
	}
	p.types(kb.End + ", incident 7")
	p.until("what is changed is not called wrong", `document.querySelector(".modal [data-problem=reason]").hidden`)
	p.clicks(".modal-foot button", "Ask")
	p.sees(".modal h2", "Are you sure?")
	p.looks(name + "-modal-5-updated")
	p.clicks(".modal-foot button", "Fail over")
	p.until("the modal is closed", `document.querySelector(".modal") === null`)
	p.sees("#messages", "asked for: vm-x, value-latest-processed, unplanned, disk errors, incident 7, shutdown value-notify")
	if eval[bool](p, `window.pwned !== undefined`) {
		p.Error("hostile text is alive")
	}
	p.clicks(".field input", "")
	p.types("/failover\r")
	p.sees(".modal h2", "Fail over a server")
	check(p.T, s.Fill("ana", "ticket", "INC-7")) // as a script would
	p.types(kb.Escape)
	p.until("escape closes the modal", `document.querySelector(".modal") === null`)
	if _, open := s.Modal("ana"); open {
		p.Error("the workspace has it open")
	}
}

// unknownElement looks at the hostile texts, and at the element that the page cannot draw.
func (p *tab) unknownElement() {
	p.Helper()
	for _, text := range []string{"press (javascript:window.pwned=1)", "<script>window.pwned=3</script>", `"type": "users_select"`} {
		p.sees(".modal", text)
	}
	alive := eval[[]string](p, `[...document.querySelectorAll(".modal :is(script, img, iframe, svg, object, style, [href], [style])")].map(e => e.outerHTML)`)
	for _, line := range alive {
		p.Errorf("hostile text is alive: %s", line)
	}
}

func (p *tab) repliesInThread(s *site, name string) {
	p.Helper()
	s.post("a card", "")
	p.sees("#messages", "a card")
	p.clicks("#messages .reply", "Reply")
	p.until("the reply has the focus", `document.activeElement.id === "reply"`)
	p.types("@ferry are you there? <b>\r")
	p.sees("#thread", "at your service, @ana")
	p.sees("#thread", "2 replies")
	p.types("/failover vm-x\r")
	p.sees("#thread", "/failover is not supported in threads. Sorry!")
	p.looks(name + "-thread")
	p.types(kb.Escape)
	p.until("escape closes the thread", `document.getElementById("thread").hidden`)
	p.sees("#messages", "2 replies")
	if seen := s.Messages(incident, ""); seen[len(seen)-1].ThreadTS == "" || !strings.Contains(seen[len(seen)-2].Text, "&lt;b&gt;") {
		p.Errorf("messages: %+v", seen)
	}
}

func (p *tab) choosesInMessage(s *site, name string) {
	p.Helper()
	s.post("menus", `[
		{"type": "section", "text": {"type": "mrkdwn", "text": "*vm-x* awaits what comes next"}, "accessory": {"type": "overflow", "action_id": "more", "options": [
			{"text": {"type": "plain_text", "text": "Details"}, "value": "details"}, {"text": {"type": "plain_text", "text": "Log"}, "value": "log"}]}},
		{"type": "section", "text": {"type": "mrkdwn", "text": "Another point?"}, "accessory": {"type": "static_select", "action_id": "point", "placeholder": {"type": "plain_text", "text": "Recovery point"}, "option_groups": [
			{"label": {"type": "plain_text", "text": "Newest"}, "options": [{"text": {"type": "plain_text", "text": "latest"}, "value": "latest"}]},
			{"label": {"type": "plain_text", "text": "Older"}, "options": [{"text": {"type": "plain_text", "text": "an hour ago"}, "value": "hour"}]}]}},
		{"type": "actions", "elements": [
			{"type": "external_select", "action_id": "vm", "min_query_length": 1, "placeholder": {"type": "plain_text", "text": "Server"}},
			{"type": "multi_external_select", "action_id": "vms", "min_query_length": 1, "max_selected_items": 2, "placeholder": {"type": "plain_text", "text": "Servers"}},
			{"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}]}]`)
	p.clicks("#messages .block .more-button", "")
	p.clicks("#messages [role=menuitem]", "Log")
	p.sees("#messages", "chosen: more log")
	p.clicks("#messages [data-action=point]", "")
	p.sees("#messages .picks:not([hidden])", "Older")
	p.looks(name + "-menus")
	p.types("hour\r")
	p.sees("#messages", "chosen: point hour")
	p.clicks("#messages [data-action=vm]", "")
	p.types("y")
	p.clicks("#messages .picks [role=option]", "vm-y")
	p.sees("#messages", "chosen: vm vm-y")
	for _, vm := range []string{"vm-x", "vm-y"} {
		p.clicks("#messages [data-action=vms]", "")
		p.types(vm)
		p.clicks("#messages .picks [role=option]", vm)
	}
	p.sees("#messages", "chosen: vms  vm-x vm-y")
	p.looks(name + "-multi")
	p.clicks("#messages .chips button", "vm-x")
	p.sees("#messages", "chosen: vms  vm-y")
}

func (p *tab) staysAtHome(s *site, name string) {
	p.Helper()
	p.clicks(".tabs button", "Home")
	p.sees("#home", "nothing is chosen")
	p.looks(name + "-home")
	p.clicks("#home button", "Refresh")
	p.sees("#home", "chosen: refresh")
	p.clicks("#home [data-action=point]", "")
	p.types("oldest\r")
	p.sees("#home", "chosen: point value-oldest")
	check(p.T, s.LeaveHome("ana")) // as a script would
	p.until("the channel is back", `document.getElementById("home").checkVisibility() === false && document.getElementById("say").checkVisibility()`)
}

func (p *tab) usesShortcuts(name string) {
	p.Helper()
	p.clicks(".composer .more-button", "")
	p.clicks(".composer [role=menuitem]", "Fail over")
	p.sees("#messages", "ana used run")
	p.clicks("#messages li:last-child .shortcuts button", "")
	p.looks(name + "-shortcuts")
	p.clicks("#messages [role=menuitem]", "Show operation")
	p.sees("#messages", "ana used show on: ana used run")
}

func (p *tab) seesTopicAndPins(s *site, name string) {
	p.Helper()
	api := slack.New("xoxb-sandbox", slack.OptionAPIURL(s.URL+"/api/"))
	pinned := s.post("vm-x fails over", "")
	check(p.T, api.AddPinContext(p.Context(), incident, slack.NewRefToMessage(incident, pinned)))
	_, err := api.SetTopicOfConversationContext(p.Context(), incident, "vm-x fails over to west, asked for by ana & approved by ben")
	check(p.T, err)
	p.sees("#topic", "ana & approved")
	p.sees("#messages", "set the channel topic: vm-x")
	p.sees("#messages", "Pinned by ferry")
	p.clicks("#pins summary", "1 pinned")
	p.sees("#pins ul", "vm-x fails over")
	p.looks(name + "-pins")
	p.clicks("#pins button", "vm-x")
	check(p.T, api.RemovePinContext(p.Context(), incident, slack.NewRefToMessage(incident, pinned)))
	p.until("nothing is pinned", `document.getElementById("pins").hidden && !document.getElementById("messages").innerText.includes("Pinned by")`)
}

func (p *tab) seesFile(s *site, name string) {
	p.Helper()
	api := slack.New("xoxb-sandbox", slack.OptionAPIURL(s.URL+"/api/"))
	_, err := api.UploadFileContext(p.Context(), slack.UploadFileParameters{Filename: "report.md", FileSize: 5, Content: "# ok\n", Channel: incident, Title: "Report of op-1", InitialComment: "the report"})
	check(p.T, err)
	p.sees("#messages", "Report of op-1")
	p.looks(name + "-file")
	file := eval[string](p, `document.querySelector(".file").getAttribute("href")`)
	if status, header, text := s.ask(http.MethodGet, file, ""); status != http.StatusOK || text != "# ok\n" || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") {
		p.Errorf("%d %v %q", status, header, text)
	}
	if status, _, _ := s.ask(http.MethodGet, strings.Replace(file, "U0ANA", "U0NOBODY", 1), ""); status != http.StatusNotFound {
		p.Errorf("a file for nobody: %d", status)
	}
}

func TestModalIsItsPersonsAlone(t *testing.T) {
	t.Parallel()
	s := newSite(t, workspace.Options{NoRateLimits: true})
	ana, ben := s.events("U0ANA"), s.events("U0BEN")
	for _, next := range []func() (string, string){ana, ben} {
		if event, data := next(); event != "channel" || data != "[]" {
			t.Fatalf("at first %s %s", event, data)
		}
	}
	s.runApp(t)
	check(t, s.Type("ana", incident, "/failover"))
	if event, data := ana(); event != "modal" || !strings.Contains(data, `"Fail over a server"`) {
		t.Errorf("ana is told %s %s", event, data)
	}
	s.post("afterwards", "")
	if event, data := ben(); event != "message" || !strings.Contains(data, "afterwards") {
		t.Errorf("ben is told %s %s, which is not his", event, data)
	}
	late := s.events("U0ANA")
	_, _ = late()
	if event, data := late(); event != "modal" || !strings.Contains(data, `"Fail over a server"`) {
		t.Errorf("a page that is opened later is told %s %s", event, data)
	}
}
