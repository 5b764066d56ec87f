package tracker

import (
	"context"
	"fmt"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/spam"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// bans is what a worker knows of option TrackingSpamBlockedIpRanges, as the requests so far have left it. Plugin
// TrackingSpamPrevention excludes the addresses that Matomo's general cache holds, not those that the option holds: a
// ban counts once that cache is made again. That is so when it is too old, and when a day is marked for new reports
// (spec §V3.9.4, §V4.8). The zero bans are those of a worker that has not looked yet.
type bans struct {
	general  *matomo.General // the settings that were read with the option
	list     spam.List       // the option
	excluded *spam.Ranges    // what the cache holds
	stale    bool            // the cache was thrown away, and nobody has asked for it since
}

// with are the bans as a batch that has these settings finds them.
func (b bans) with(general *matomo.General) bans {
	switch {
	case general.Spam == nil:
		return bans{}
	case b.general == general:
		return b
	case b.general == nil || b.general.Spam.BlockedRanges != general.Spam.BlockedRanges:
		b.list = spam.ParseList(general.Spam.BlockedRanges)
	}
	b.general, b.stale = general, true
	return b
}

// ranges are the addresses that are excluded now.
func (b *bans) ranges() *spam.Ranges {
	if b.stale {
		b.stale = false
		if b.excluded == nil || b.excluded.List() != b.list {
			b.excluded = spam.NewRanges(b.list)
		}
	}
	return b.excluded
}

// maxAddresses bounds how many answers a worker remembers.
const maxAddresses = 100_000

// inBlockedRange reports whether the address of a request is excluded. The first answer for an address counts as long
// as the worker lives, as in Matomo, but for those whose part of the list was empty (spec §V4.25).
func (a *applier) inBlockedRange(p *parsed) bool {
	if !p.askRanges || a.bans.general == nil {
		return false
	}
	text, ip, _ := p.req.IP()
	holds, asked := a.bans.ranges().Holds(text)
	if !asked {
		return false
	}
	if first, known := a.t.addresses[ip]; known {
		return first
	}
	if len(a.t.addresses) >= maxAddresses {
		clear(a.t.addresses)
	}
	a.t.addresses[ip] = holds
	return holds
}

// exclusion is the rule that excludes a request which got as far as its visit.
type exclusion string

func (e exclusion) Error() string { return "excluded: " + string(e) }

// limitActions bans the address of a request whose visit has as many actions as it may have (spec §V3.9.4). Then only
// the names that the request brings are left of it; the error is an exclusion.
func (a *applier) limitActions(ctx context.Context, s *step) error {
	settings := a.batch.general.Spam
	if settings == nil || settings.MaxActions == 0 || s.loaded == nil || s.loaded.TotalActions.V < settings.MaxActions {
		return nil
	}
	text, ip, err := s.p.req.IP()
	if err != nil || spam.Spares(settings, &a.t.behaviours, ip) {
		return err
	}
	if err := a.ban(ctx, text); err != nil {
		return databaseError{err}
	}
	a.keepNames(s)
	return exclusion(spam.TooManyActions)
}

// ban adds an address to the option. The row is read, and locked for the rest of the transaction, with the batch's
// first ban: other workers ban as well.
func (a *applier) ban(ctx context.Context, ip string) error {
	if a.bans.list.Bans(ip) {
		return nil
	}
	if !a.banning && !a.work.dry {
		tx, err := a.work.database(ctx)
		if err != nil {
			return err
		}
		option, err := tx.LockOption(ctx, matomo.BlockedRangesOption, "[]")
		if err != nil {
			return fmt.Errorf("option %s: %w", matomo.BlockedRangesOption, err)
		}
		a.bans.list, a.banning = spam.ParseList(option), true
	}
	a.bans.list = a.bans.list.With(ip)
	list := a.bans.list
	a.work.pending.banned = &list
	return nil
}

func (w *unitOfWork) writeBans(ctx context.Context) error {
	if w.pending.banned == nil {
		return nil
	}
	option, err := w.pending.banned.Option()
	if err == nil {
		err = w.tx.SetOptions(ctx, []store.Option{{Name: matomo.BlockedRangesOption, Value: option}})
	}
	if err != nil {
		return fmt.Errorf("option %s: %w", matomo.BlockedRangesOption, err)
	}
	return nil
}
