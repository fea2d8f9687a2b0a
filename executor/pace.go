package executor

import (
	"time"

	"ferry/failover"
)

// pace is how many VMs of a vault may be under way.
type pace struct{}

func (p *pace) room(string, int) int { return 1 << 20 }

func (p *pace) saw(string, failover.Job, time.Time, time.Time) {}
