package lookahead

import "github.com/queuedtracking/queuedtracking/tracker/store"

// Visit is a visit that the batch has read or begun. Batches that follow each other pass it on.
type Visit struct {
	Stored *store.Visit // the row as the database has it, nil for a visit that is not inserted yet
	Row    *store.Visit // the row as the batch has left it; from its first change on the pointer stays the same
	Views  PageViews    // what is known of its page view times

	order int // position among the visits that the batch began, 0 for the others
}

// Begun reports whether the visit began in the batch that is played.
func (v *Visit) Begun() bool { return v.order != 0 }

// changed reports whether the row differs from the database's.
func (v *Visit) changed() bool { return v.Stored == nil || v.Row != v.Stored }

// newer reports whether v comes before other in the order of a query: by the time of the last action, equal times as
// the indexes of log_visit yield them.
func (v *Visit) newer(other *Visit, lowestFirst bool) bool {
	if v.Row.LastActionTime != other.Row.LastActionTime {
		return v.Row.LastActionTime > other.Row.LastActionTime
	}
	if lowestFirst {
		return v.before(other)
	}
	return other.before(v)
}

// before reports whether v has, or will have, the smaller idvisit.
func (v *Visit) before(other *Visit) bool {
	if a, b := v.place(), other.place(); a != b {
		return a < b
	}
	if store.Deferred(v.Row.ID) {
		return v.Row.ID > other.Row.ID // the further from the first one
	}
	return v.Row.ID < other.Row.ID || v.Row.ID == other.Row.ID && v.order < other.order
}

// place orders visits by when they are inserted: before this batch, by a batch that is on its way, by this one.
func (v *Visit) place() int {
	switch {
	case v.Row.ID > 0:
		return 0
	case v.Row.ID < 0:
		return 1
	default:
		return 2
	}
}
