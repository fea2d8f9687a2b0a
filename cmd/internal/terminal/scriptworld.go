package terminal

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"ferry/sandbox/vault"
	"ferry/sandbox/workspace"
)

// nature runs a line about the simulated Azure, or about what an administrator of Slack does, past Ferry and its people; done is
// false when the line is about something else.
func (p *player) nature(word, rest string) (done bool, err error) {
	switch word {
	case "fault":
		return true, p.fault(rest)
	case "portal":
		return true, p.portal(strings.Fields(rest))
	case "source":
		if rest != "down" && rest != "up" {
			return true, errors.New("say source down, or source up")
		}
		p.vault.SourceDown(rest == "down")
		return true, nil
	case "person":
		return true, p.person(strings.Fields(rest))
	case "channel":
		return true, p.share(rest)
	case "slack":
		return true, p.slack(strings.Fields(rest))
	case "role":
		if rest != "operator" && rest != "owner" {
			return true, errors.New("say role operator, what Site Recovery Operator may, or role owner")
		}
		p.vault.SetOperator(rest == "operator")
		return true, nil
	}
	return false, nil
}

// fault arms one, or disarms all.
func (p *player) fault(line string) error {
	if line == "clear" {
		p.vault.ClearFaults()
		return nil
	}
	f, err := vault.ParseFault(line)
	if err == nil {
		p.vault.Fault(f)
	}
	return err
}

// slack has something go wrong with Slack, now or with the next calls.
func (p *player) slack(words []string) error {
	what, w := errors.New("say slack outage DURATION, slack fail METHOD STATUS [N], slack refuse METHOD ERROR [N], slack lose METHOD [N],\n"+
		"slack repeat N, or slack disconnect warning|refresh_requested|link_disabled|too_many_websockets"), p.workspace
	words = append(words, "", "", "", "")[:max(4, len(words))]
	last := func(at int) (int, error) { // how often; once when it is left out
		if words[at] == "" {
			return 1, nil
		}
		return strconv.Atoi(words[at])
	}
	switch words[0] {
	case "outage":
		d, err := time.ParseDuration(words[1])
		if err != nil || d <= 0 {
			return what
		}
		w.Outage(d)
	case "fail":
		status, err := strconv.Atoi(words[2])
		times, timesErr := last(3)
		if err != nil || timesErr != nil {
			return what
		}
		w.FailNext(words[1], status, times)
	case "refuse":
		times, err := last(3)
		if err != nil || words[2] == "" {
			return what
		}
		w.RefuseNext(words[1], words[2], times)
	case "lose":
		times, err := last(2)
		if err != nil || words[1] == "" {
			return what
		}
		w.LoseAnswer(words[1], times)
	case "repeat":
		times, err := last(1)
		if err != nil {
			return what
		}
		w.Duplicate(times)
	case "disconnect":
		if !slices.Contains([]string{"warning", "refresh_requested", "link_disabled", "too_many_websockets"}, words[1]) {
			return what
		}
		if w.Disconnect(words[1]) == 0 {
			return errors.New("no connection is up")
		}
	default:
		return what
	}
	return nil
}

// portal is a person at the Azure portal, now or after a simulated while.
func (p *player) portal(words []string) error {
	if len(words) > 2 && words[1] == "update" {
		words = append([]string{words[0], "update " + words[2]}, words[3:]...)
	}
	switch {
	case len(words) == 2:
		return p.vault.Portal(words[0], words[1])
	case len(words) == 4 && words[2] == "after":
		d, err := time.ParseDuration(words[3])
		if err != nil {
			return errors.New("say portal VM OPERATION after DURATION, such as after 90s")
		}
		return p.vault.PortalAfter(d, words[0], words[1])
	}
	return errors.New("say portal VM OPERATION [after DURATION], such as portal vm-x unplannedFailover")
}

// person makes somebody a guest, a bot or a member again.
func (p *player) person(words []string) error {
	kinds := []workspace.Kind{
		workspace.Guest, workspace.SingleChannelGuest, workspace.Stranger, workspace.OtherBot, workspace.WorkflowBot, workspace.ConnectorBot, workspace.Deactivated,
	}
	switch {
	case len(words) == 2 && words[1] == "member":
		return p.workspace.SetKind(words[0], "")
	case len(words) == 2 && slices.Contains(kinds, workspace.Kind(words[1])):
		return p.workspace.SetKind(words[0], workspace.Kind(words[1]))
	}
	return fmt.Errorf("say person NAME member, or in the place of member one of %s", kinds)
}

// share lets people of another organisation into the channel, or ends that.
func (p *player) share(how string) error {
	switch how {
	case "shared", "pending":
		return p.workspace.Share(channel, workspace.Sharing(how))
	case "own":
		return p.workspace.Share(channel, "")
	}
	return errors.New("say channel shared, channel pending, or channel own")
}
