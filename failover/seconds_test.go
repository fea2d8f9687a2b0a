package failover_test

import (
	"encoding/json"
	"reflect"
	"regexp"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ferry/failover"
)

// Who reads the stream finds durations in seconds; what the first records had in nanoseconds is read as ever.
func TestDurationsAreSeconds(t *testing.T) {
	for _, c := range []struct {
		value    any
		now, old string
	}{
		{failover.Rule{Expires: 15 * time.Minute}, `"expires_seconds":900`, `{"expires":900000000000}`},
		{failover.Item{RPO: 90 * time.Second}, `"rpo_seconds":90`, `{"rpo":90000000000}`},
		{failover.Item{RPO: -1}, `"rpo_seconds":-1e-9`, `{"rpo":-1}`},
		{failover.StepAccepted{Poll: 30500 * time.Millisecond}, `"poll_seconds":30.5`, `{"poll":30500000000}`},
		{failover.Step{Poll: 30 * time.Second}, `"poll_seconds":30`, `{"poll":30000000000}`},
	} {
		data, err := json.Marshal(c.value)
		if err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(regexp.QuoteMeta(c.now) + `[,}]`).Match(data) {
			t.Errorf("%T is written as %s, without %s", c.value, data, c.now)
		}
		for _, wire := range []string{string(data), c.old} {
			read := reflect.New(reflect.TypeOf(c.value))
			if err := json.Unmarshal([]byte(wire), read.Interface()); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.value, read.Elem().Interface()); diff != "" {
				t.Errorf("%s is read as\n%s", wire, diff)
			}
		}
	}
}

// A duration that is stored as Go writes it would be in nanoseconds.
func TestNoDurationIsNanoseconds(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(path string, of reflect.Type)
	walk = func(path string, of reflect.Type) {
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(path, of.Elem())
		case reflect.Struct:
			if seen[of] || of == reflect.TypeFor[time.Time]() {
				return
			}
			seen[of] = true
			for f := range of.Fields() {
				if f.Type == reflect.TypeFor[time.Duration]() && f.Tag.Get("json") != "-" {
					t.Errorf("%s.%s is stored in nanoseconds; see seconds.go", path, f.Name)
				}
				walk(path+"."+f.Name, f.Type)
			}
		}
	}
	for _, of := range []reflect.Type{
		reflect.TypeFor[failover.Command](), reflect.TypeFor[failover.Operation](), reflect.TypeFor[failover.Requested](), reflect.TypeFor[failover.StepAccepted](),
		reflect.TypeFor[failover.Prepared](), reflect.TypeFor[failover.Observed](), reflect.TypeFor[failover.StepDelayed](), reflect.TypeFor[failover.Inventory](),
	} {
		walk(of.Name(), of)
	}
}
