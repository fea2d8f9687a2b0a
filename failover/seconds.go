package failover

import (
	"encoding/json"
	"math"
	"time"
)

// Durations stand on the wire in seconds, under names that say so. The first records had nanoseconds, under other names; they
// are read as ever.

// MarshalJSON implements [json.Marshaler].
func (r Rule) MarshalJSON() ([]byte, error) {
	type plain Rule
	return json.Marshal(struct {
		plain
		Seconds float64 `json:"expires_seconds"`
	}{plain(r), r.Expires.Seconds()})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (r *Rule) UnmarshalJSON(data []byte) error {
	type plain Rule
	wire := struct {
		*plain
		Old     time.Duration `json:"expires"`
		Seconds *float64      `json:"expires_seconds"`
	}{plain: (*plain)(r)}
	err := json.Unmarshal(data, &wire)
	r.Expires = lasting(wire.Seconds, wire.Old)
	return err
}

// MarshalJSON implements [json.Marshaler].
func (i Item) MarshalJSON() ([]byte, error) {
	type plain Item
	return json.Marshal(struct {
		plain
		Seconds float64 `json:"rpo_seconds,omitempty"`
	}{plain(i), i.RPO.Seconds()})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (i *Item) UnmarshalJSON(data []byte) error {
	type plain Item
	wire := struct {
		*plain
		Old     time.Duration `json:"rpo"`
		Seconds *float64      `json:"rpo_seconds"`
	}{plain: (*plain)(i)}
	err := json.Unmarshal(data, &wire)
	i.RPO = lasting(wire.Seconds, wire.Old)
	return err
}

// MarshalJSON implements [json.Marshaler].
func (f StepAccepted) MarshalJSON() ([]byte, error) {
	type plain StepAccepted
	return json.Marshal(struct {
		plain
		Seconds float64 `json:"poll_seconds,omitempty"`
	}{plain(f), f.Poll.Seconds()})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (f *StepAccepted) UnmarshalJSON(data []byte) error {
	type plain StepAccepted
	wire := struct {
		*plain
		Old     time.Duration `json:"poll"`
		Seconds *float64      `json:"poll_seconds"`
	}{plain: (*plain)(f)}
	err := json.Unmarshal(data, &wire)
	f.Poll = lasting(wire.Seconds, wire.Old)
	return err
}

// MarshalJSON implements [json.Marshaler].
func (s Step) MarshalJSON() ([]byte, error) {
	type plain Step
	return json.Marshal(struct {
		plain
		Seconds float64 `json:"poll_seconds,omitempty"`
	}{plain(s), s.Poll.Seconds()})
}

// UnmarshalJSON implements [json.Unmarshaler].
func (s *Step) UnmarshalJSON(data []byte) error {
	type plain Step
	wire := struct {
		*plain
		Old     time.Duration `json:"poll"`
		Seconds *float64      `json:"poll_seconds"`
	}{plain: (*plain)(s)}
	err := json.Unmarshal(data, &wire)
	s.Poll = lasting(wire.Seconds, wire.Old)
	return err
}

func lasting(seconds *float64, old time.Duration) time.Duration {
	if seconds == nil {
		return old
	}
	return time.Duration(math.Round(*seconds * float64(time.Second)))
}
