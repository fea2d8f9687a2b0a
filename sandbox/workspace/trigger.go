package workspace

import (
	"fmt"
	"time"

	"github.com/google/uuid"
)

// triggerLife is documented: from the act of the person on.
const triggerLife = 3 * time.Second

// trigger is the right to open one view for the person who acted. It works once.
type trigger struct {
	person  Person
	expires time.Time
	used    bool
}

// newTrigger has the form of the recorded ones.
func (w *Workspace) newTrigger(p Person) string {
	raw := uuid.New()
	id := fmt.Sprintf("%d.%d.%x", raw[0], raw[1], raw[:])
	w.triggers[id] = &trigger{person: p, expires: time.Now().Add(triggerLife)}
	return id
}

// exchange uses a trigger up; the error strings are documented.
func (w *Workspace) exchange(id string) (Person, error) {
	t := w.triggers[id]
	switch {
	case t == nil:
		return Person{}, apiError{code: "invalid_trigger_id"}
	case t.used:
		return Person{}, apiError{code: "exchanged_trigger_id"}
	case time.Now().After(t.expires):
		return Person{}, apiError{code: "expired_trigger_id"}
	}
	t.used = true
	return t.person, nil
}
