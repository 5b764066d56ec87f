package action

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// eventValue reads e_v: NULL when it is missing, "0" when it is no number.
func eventValue(r *request.Request) (store.NullText, error) {
	value, ok, err := r.Float("e_v")
	if err != nil || !ok {
		return store.NullText{}, err
	}
	return store.Text(php.FloatString(value)), nil
}

func newEvent(r *request.Request, value store.NullText) *Action {
	a := &Action{
		Type:          TypeEvent,
		EventCategory: r.Text("e_c"),
		EventAction:   r.Text("e_a"),
		EventName:     r.Text("e_n"),
		customFloat:   value,
	}
	a.setURL(r)
	a.lookUpNormalizedURL(TypeEvent)
	return a
}

func (a *Action) addEvent() error {
	what, category, name := php.Trim(a.EventAction), php.Trim(a.EventCategory), php.Trim(a.EventName)
	if what == "" {
		return request.Reject(request.InvalidParameter, "e_a is blank")
	}
	if category == "" {
		return request.Reject(request.InvalidParameter, "e_c is blank")
	}
	a.lookUp(FieldEventAction, TypeEventAction, what)
	a.lookUp(FieldEventCategory, TypeEvent, category)
	if name != "" {
		a.lookUp(FieldName, TypeEventName, name)
	}
	return nil
}
