package tracker

import (
	"context"
	"errors"
	"fmt"

	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/spam"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Len is the number of requests of the batch.
func (b *Prepared) Len() int { return len(b.requests) }

// Prefix is the batch of the first n requests.
func (b *Prepared) Prefix(n int) *Prepared {
	prefix := *b
	prefix.requests = b.requests[:n]
	return &prefix
}

// Only is the batch of request i alone.
func (b *Prepared) Only(i int) *Prepared {
	one := *b
	one.requests = b.requests[i : i+1]
	return &one
}

// Fail takes request i out of the batch: it counts as failed with this error. It reports false when the request was
// not to be written anyway.
func (b *Prepared) Fail(i int, err error) bool {
	p := b.requests[i]
	if !p.active() && p.failure == nil && p.bot == nil {
		return false
	}
	p.err, p.failure, p.bot = err, nil, nil
	return true
}

// Play is a batch that was played: its rows are in memory, and refer to each other and to those of the batch in front.
type Play struct{ a *applier }

// Play applies the requests of a batch to the visits. It may be called again when a play was not written, or rolled
// back. An error is the database's; requests that are refused are in the result.
//
// Most batches that were prefetched need nothing else from the database. One that does asks begin for the transaction
// in which it is written, in which everything in front of it has to be visible.
func (t *Tracker) Play(
	ctx context.Context, b *Prepared, begin func(ctx context.Context) (*store.Tx, error),
) (*Play, error) {
	a := newApplier(t, b, begin, false)
	if err := a.play(ctx); err != nil {
		return nil, err
	}
	return &Play{a}, nil
}

// Result tells what became of the requests. Numbers of rows are complete once the transaction is flushed.
func (p *Play) Result() *Result { return p.a.result }

// Name adds new entries of the dictionary, where they are committed on their own. Write would do it, but this can be
// done before the batch in front has got its ids.
func (p *Play) Name(ctx context.Context) error {
	if err := p.a.t.store.CreateActions(ctx, p.a.work.pending.entries); err != nil {
		return fmt.Errorf("log_action: %w", err)
	}
	return nil
}

// Write hands the rows to the transaction, the one that begin has given if it was asked. The batch in front must have
// its ids. Then the next batch may be played and, in another transaction, written; it must not be committed before
// this one, or without it.
func (p *Play) Write(ctx context.Context, tx *store.Tx) error {
	a := p.a
	a.work.tx = tx
	if err := a.work.write(ctx); err != nil {
		return err
	}
	done := a.t.inFlight.Add(a.batch.number, a.visits, note{a.marking, a.bans})
	tx.OnRollback(func() { a.t.inFlight.RollBack(done) })
	tx.OnCommit(func() {
		a.work.committed()
		a.t.inFlight.Commit(done)
	})
	return nil
}

// Write plays the batch and hands its rows to the transaction.
func (t *Tracker) Write(ctx context.Context, tx *store.Tx, b *Prepared) (*Result, error) {
	p, err := t.Play(ctx, b, func(context.Context) (*store.Tx, error) { return tx, nil })
	if err != nil {
		return nil, err
	}
	return p.Result(), p.Write(ctx, tx)
}

// Preview applies the batch and writes nothing. Where the batch would have to be flushed in between, what is in memory
// decides.
func (t *Tracker) Preview(ctx context.Context, tx *store.Tx, b *Prepared) (*Result, error) {
	a := newApplier(t, b, func(context.Context) (*store.Tx, error) { return tx, nil }, true)
	if err := a.play(ctx); err != nil {
		return nil, err
	}
	return a.result, nil
}

// play prefetches and applies.
func (a *applier) play(ctx context.Context) error {
	b := a.batch
	if err := a.prefetch(ctx); err != nil {
		return err
	}
	a.bans = a.t.inFlight.Newest().bans.with(b.general)
	for _, p := range b.requests {
		if a.inBlockedRange(p) {
			a.count(p, exclusion(spam.BlockedRange))
			continue
		}
		if p.failure != nil {
			a.work.pending.failures = append(a.work.pending.failures, p.failure)
		}
		if p.nonce != "" && p.err == nil {
			a.work.pending.nonces = append(a.work.pending.nonces, nonce{p.req.SiteID(), p.nonce})
		}
		if p.bot != nil {
			if err := a.recordBot(ctx, p); err != nil {
				return err
			}
		}
		if p.active() {
			err := a.apply(ctx, p)
			if database := databaseErrorOf(err); database != nil {
				return database
			}
			a.count(p, err)
			continue
		}
		a.count(p, p.err)
	}
	return nil
}

// databaseError is an error that ends the attempt, not one of the request.
type databaseError struct{ error }

// databaseErrorOf is what the database said, nil for other errors and none.
func databaseErrorOf(err error) error {
	if err == nil {
		return nil
	}
	var database databaseError
	if errors.As(err, &database) {
		return database.error
	}
	return nil
}

func (a *applier) count(p *parsed, err error) {
	r := a.result
	excluded := p.excluded
	if rule, ok := err.(exclusion); ok {
		excluded, err = string(rule), nil
	}
	switch {
	case err != nil:
		a.countRefusal(p, err)
	case excluded != "":
		if r.Excluded == nil {
			r.Excluded = make(map[string]int)
		}
		r.Excluded[excluded]++
	default:
		r.Tracked++
	}
}

func (a *applier) countRefusal(p *parsed, err error) {
	r := a.result
	var rejection *request.Rejection
	if !errors.As(err, &rejection) {
		r.Failed++
		r.Refusals = append(r.Refusals, Refusal{p.set, p.index, err, true})
		return
	}
	if r.Rejected == nil {
		r.Rejected = make(map[request.Reason]int)
	}
	r.Rejected[rejection.Reason]++
	r.Refusals = append(r.Refusals, Refusal{p.set, p.index, err, false})
}
