package terminal

import (
	"errors"
	"strings"
	"time"

	"ferry/sandbox/vault"
)

// nature runs a line about the simulated Azure, past Ferry and its people; done is false when the line is about something else.
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

// portal is a person at the Azure portal, now or after a simulated while.
func (p *player) portal(words []string) error {
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
