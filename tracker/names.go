package tracker

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// resolve gives each lookup its entry of the dictionary, with Matomo's loose comparison of names (spec §6.6). A name
// that cannot be stored is the error of the request. The result is of use until the next request is played.
func (a *applier) resolve(lookups []action.Lookup) ([]store.ActionID, error) {
	first := len(a.ids)
	for range lookups {
		a.ids = append(a.ids, store.NoAction)
	}
	ids := a.ids[first:]
	for i := range lookups {
		l := &lookups[i]
		if !php.EmptyString(l.Name) {
			e, _ := a.entry(l.Type, l.Name, l.Prefix)
			if !a.exists(e) {
				e.Prefix = l.Prefix // that of the first request which is not refused
			}
			ids[i] = store.ActionOf(e)
		}
	}
	shared := action.ResolveLoosely(lookups, func(i int) bool { return ids[i].Entry != nil && a.exists(ids[i].Entry) })
	if shared != nil {
		own := append([]store.ActionID(nil), ids...)
		for i, from := range shared {
			ids[i] = own[from]
		}
	}
	for _, id := range ids {
		if id.Entry == nil || a.exists(id.Entry) {
			continue
		}
		if err := a.t.store.ConformEntry(id.Entry); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// exists reports whether an entry is in the dictionary, or will be because of an earlier request.
func (a *applier) exists(e *store.ActionEntry) bool { return e.ID != 0 || a.wanted[e] }

// keep makes sure that the entries are created.
func (a *applier) keepIDs(ids []store.ActionID) {
	for _, id := range ids {
		if id.Entry != nil && !a.exists(id.Entry) {
			a.wanted[id.Entry] = true
			a.work.pending.entries = append(a.work.pending.entries, id.Entry)
		}
	}
}

// keepNames is for requests whose names Matomo creates although no row refers to them.
func (a *applier) keepNames(s *step) { a.keepIDs(s.ids) }
