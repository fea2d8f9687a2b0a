package failover

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// Reversal is what a reprotect would use and create, as read from the mappings in the reverse direction and from the VM
// that was failed over. Ids are ARM ids.
type Reversal struct {
	From            string         `json:"from"`              // region that runs the VM now
	To              string         `json:"to"`                // region that it would be replicated to
	Container       string         `json:"container"`         // to replicate into
	Policy          string         `json:"policy"`            // of the replication
	ResourceGroup   string         `json:"resource_group"`    // in which the replica is made
	Network         string         `json:"network,omitempty"` // by the network mapping; a reprotect cannot choose it
	AvailabilitySet string         `json:"availability_set,omitempty"`
	Zone            string         `json:"zone,omitempty"`
	Disks           []ReversalDisk `json:"disks"`
	// FullCopy says that the VM of before is gone, so that there is nothing to compare with: all data are copied.
	FullCopy bool `json:"full_copy,omitempty"`
	// Creates are what does not exist yet, in words.
	Creates []string `json:"creates,omitempty"`
}

// ReversalDisk is one disk of the VM that runs now.
type ReversalDisk struct {
	ID    string `json:"id"`
	Name  string `json:"name"`
	Bytes int64  `json:"bytes,omitempty"` // 0: not known
	Type  string `json:"type"`            // storage account type of the replica and the target
	Cache string `json:"cache"`           // storage account in the region that runs the VM now
}

// Token names what a reprotect was shown to do, so that a request for it does not start another one.
func (r *Reversal) Token() string { return string(StepReprotect) + "-" + r.digest() }

// digest is what an approval of a reprotect binds to.
func (r *Reversal) digest() string {
	data, err := json.Marshal(r)
	if err != nil { // plain data always marshals
		panic(err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// The figures of Estimate. The checksums of both sides are compared at about the pace of an initial replication (recorded:
// 127 GiB in 47 min); what differs is sent at 23 % of the disk's throughput (documented; 60 MB/s is that of a standard
// disk); a fifth of both goes into the first recovery point, and Azure scales up for 20 to 30 minutes.
const (
	checksumBytesPerSecond = 48e6
	sendBytesPerSecond     = 0.23 * 60e6
	changedShare           = 0.05 // assumed: Azure tells only while it sends
	scaleUp                = 25 * time.Minute
)

// Estimate is about how long it takes until the VM is protected again. Azure promises no figure, and what has changed
// since the failover is assumed.
func (r *Reversal) Estimate() time.Duration {
	var bytes float64
	for _, d := range r.Disks {
		bytes += float64(d.Bytes)
	}
	seconds := bytes/checksumBytesPerSecond + changedShare*bytes/sendBytesPerSecond
	if r.FullCopy { // nothing to compare with
		seconds = bytes / checksumBytesPerSecond
	}
	return (time.Duration(1.2*seconds)*time.Second + scaleUp).Round(time.Minute)
}

// Leftover is a resource that nobody uses any more and that costs money.
type Leftover struct {
	Kind string `json:"kind"` // virtual machine, disk, network interface, cache storage account
	Name string `json:"name"`
	ID   string `json:"id"`
}

// Check is how a VM is asked whether it works. One of TCP, HTTP and NATS is set.
type Check struct {
	Name string `json:"name"`
	TCP  string `json:"tcp,omitempty"`  // host:port that takes a connection
	HTTP string `json:"http,omitempty"` // URL that answers 2xx
	NATS bool   `json:"nats,omitempty"` // the service ferrysvc.check.<name> says so
}

// CheckOutcome is what came of asking. Only passed is a pass.
type CheckOutcome string

// The outcomes.
const (
	CheckPassed CheckOutcome = "passed"
	CheckFailed CheckOutcome = "failed"
	CheckNoData CheckOutcome = "no_data" // nobody answered: it may work or not
)

// CheckResult is one answer.
type CheckResult struct {
	Name    string       `json:"name"`
	Outcome CheckOutcome `json:"outcome"`
	Detail  string       `json:"detail,omitempty"`
	At      time.Time    `json:"at"`
}
