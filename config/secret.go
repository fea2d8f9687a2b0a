package config

import (
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Secret holds a value that shows as "[redacted]" wherever it is printed, logged or marshalled; [Secret.Reveal] is the
// only way to it. The zero value holds the empty string. Compare with [Secret.Equal]: == compares addresses.
type Secret struct {
	// A pointer, because fmt and reflection reach the unexported fields of a struct that holds a Secret without calling
	// its methods: what they find then is an address.
	value *string
}

// Secrets are the values of a key that takes one secret or a list of them.
type Secrets []Secret

// NewSecret wraps a value. The empty string gives the zero Secret.
func NewSecret(value string) Secret {
	if value == "" {
		return Secret{}
	}
	return Secret{value: &value}
}

// Reveal returns the value itself. Every call of it is a place where a secret can leak.
func (s Secret) Reveal() string {
	if s.value == nil {
		return ""
	}
	return *s.value
}

// IsZero reports whether the value is empty.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal reports whether two secrets hold the same value. It takes no care of timing: not for what strangers send.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// Format writes "[redacted]" for every verb and flag of fmt.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// String returns "[redacted]".
func (Secret) String() string { return redacted }

// MarshalText returns "[redacted]"; JSON, YAML and XML go through it.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue returns "[redacted]" for slog.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
