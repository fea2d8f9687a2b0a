package workspace_test

import (
	"strings"

	"github.com/chromedp/chromedp/kb"
	"github.com/slack-go/slack"
)

// longForm has much to read before its one field.
func longForm() slack.ModalViewRequest {
	disks := slack.NewSectionBlock(words(strings.Repeat("One more disk.\n", 60)), nil, nil)
	why := slack.NewInputBlock("why", words("Why"), nil, slack.NewPlainTextInputBlockElement(nil, "why"))
	return slack.ModalViewRequest{Type: slack.VTModal, Title: words("Review"), Submit: words("Go on"), Blocks: slack.Blocks{BlockSet: []slack.Block{disks, why}}}
}

// readsForm begins at the beginning, though the field that takes the keys is below.
func (p *tab) readsForm(name string) {
	p.Helper()
	p.clicks(".field input", "")
	p.types("/failover review\r")
	p.until("the field takes the keys", `document.activeElement.dataset.action === "why"`)
	if at := eval[int](p, `document.querySelector(".modal-body").scrollTop`); at != 0 {
		p.Errorf("%s: the form is scrolled by %d when it opens", name, at)
	}
	p.looks(name + "-review")
	p.types("it is time")
	p.until("the field is seen", `document.querySelector(".modal-body").scrollTop > 0`)
	p.types(kb.Escape)
	p.until("the form is closed", `document.querySelector(".modal") === null`)
}

// shortForm has less than an open list takes.
func shortForm() slack.ModalViewRequest {
	point := slack.NewOptionsSelectBlockElement(slack.OptTypeStatic, words("Choose a recovery point"), "point", option("latest"))
	return slack.ModalViewRequest{Type: slack.VTModal, Title: words("Point"), Submit: words("Go on"), Blocks: slack.Blocks{BlockSet: []slack.Block{
		slack.NewInputBlock("point", words("Recovery point"), nil, point),
	}}}
}

// leavesList presses a button while a list is open, which is what the form is as high for: the button moves when the list is closed.
func (p *tab) leavesList() {
	p.Helper()
	p.clicks(".field input", "")
	p.types("/failover short\r")
	p.clicks(".modal [data-action=point]", "")
	p.sees(".modal .picks:not([hidden])", "latest")
	p.clicks(".modal-foot button", "Go on")
	p.sees(".modal [data-problem=point]", "Please complete this required field.")
	p.until("the list is closed", `document.querySelector(".modal .picks:not([hidden])") === null`)
	p.types(kb.Escape)
	p.until("the form is closed", `document.querySelector(".modal") === null`)
}
