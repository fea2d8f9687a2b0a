package workspace

import (
	"fmt"
	"net/mail"
	"net/url"
	"strconv"
	"time"
	"unicode/utf8"
)

// problem is why Slack's client does not send a form, in its words as far as they are known; empty when it would.
func (f *form) problem(c control) string {
	values, e := f.of(c), c.element
	optional, _ := c.block["optional"].(bool)
	switch {
	case stateKey(e.text("type")) == "": // nobody could fill it in here
		return ""
	case len(values) == 0 && !optional:
		return "Please complete this required field."
	case len(values) == 0:
		return ""
	}
	switch text := values[0]; e.text("type") {
	case "plain_text_input":
		return lengthProblem(e, utf8.RuneCountInString(text))
	case "number_input":
		return numberProblem(e, text)
	case "email_text_input":
		if _, err := mail.ParseAddress(text); err != nil {
			return "Please enter a valid email address."
		}
	case "url_text_input":
		if u, err := url.Parse(text); err != nil || u.Scheme == "" || u.Host == "" {
			return "Please enter a valid URL."
		}
	case "datepicker":
		return timeProblem(time.DateOnly, text, "Please enter a date such as 2026-01-31.")
	case "timepicker":
		return timeProblem("15:04", text, "Please enter a time such as 23:59.")
	}
	return ""
}

func timeProblem(layout, text, problem string) string {
	if _, err := time.Parse(layout, text); err != nil {
		return problem
	}
	return ""
}

func lengthProblem(e node, n int) string {
	if least, ok := e.number("min_length"); ok && float64(n) < least {
		return fmt.Sprintf("Please enter at least %v characters.", least)
	}
	most, ok := e.number("max_length")
	if !ok {
		most = maxInput
	}
	if float64(n) > most {
		return fmt.Sprintf("Please enter at most %v characters.", most)
	}
	return ""
}

func numberProblem(e node, text string) string {
	n, err := strconv.ParseFloat(text, 64)
	decimal, _ := e["is_decimal_allowed"].(bool)
	if err != nil || !decimal && n != float64(int64(n)) {
		return "Please enter a number."
	}
	if least, err := strconv.ParseFloat(e.text("min_value"), 64); err == nil && n < least {
		return fmt.Sprintf("Please enter a number of at least %v.", least)
	}
	if most, err := strconv.ParseFloat(e.text("max_value"), 64); err == nil && n > most {
		return fmt.Sprintf("Please enter a number of at most %v.", most)
	}
	return ""
}
