package tracker

import (
	"context"
	"errors"

	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Len is the number of requests of the batch.
func (b *Batch) Len() int { return len(b.requests) }

// Prefix is the batch of the first n requests.
func (b *Batch) Prefix(n int) *Batch {
	prefix := *b
	prefix.requests = b.requests[:n]
	return &prefix
}

// Fail takes request i out of the batch: it counts as failed with this error. It reports false when the request was not to be written
// anyway.
func (b *Batch) Fail(i int, err error) bool {
	p := b.requests[i]
	if !p.active() && p.failure == nil {
		return false
	}
	p.err, p.failure = err, nil
	return true
}

// Write applies the batch and hands its rows to the transaction. It may be called again after a rollback. An error is the database's;
// requests that are refused are in the result, which is complete once the transaction is flushed. Then the next batch may be written, in
// another transaction; it must not be committed before this one, or without it.
func (t *Tracker) Write(ctx context.Context, tx *store.Tx, b *Batch) (*Result, error) {
	a, err := t.play(ctx, tx, b, false)
	if err != nil {
		return nil, err
	}
	if err := a.write(ctx); err != nil {
		return nil, err
	}
	done := &written{a.batch, a.touched, a.marking}
	t.front.set(done)
	tx.OnRollback(func() { t.front.rolledBack(done) })
	tx.OnCommit(a.committed)
	return a.result, nil
}

// Preview applies the batch and writes nothing. Where the batch would have to be flushed in between, what is in memory decides.
func (t *Tracker) Preview(ctx context.Context, tx *store.Tx, b *Batch) (*Result, error) {
	a, err := t.play(ctx, tx, b, true)
	if err != nil {
		return nil, err
	}
	return a.result, nil
}

// play prefetches and applies.
func (t *Tracker) play(ctx context.Context, tx *store.Tx, b *Batch, dry bool) (*applier, error) {
	a := &applier{t: t, tx: tx, batch: b, dry: dry, front: t.front.before(b), result: &Result{Sets: b.sets, Requests: len(b.requests)}}
	if err := a.prefetch(ctx); err != nil {
		return nil, err
	}
	for _, p := range b.requests {
		if p.failure != nil {
			a.pending.failures = append(a.pending.failures, p.failure)
		}
		if p.nonce != "" && p.err == nil {
			a.pending.nonces = append(a.pending.nonces, nonce{p.req.SiteID(), p.nonce})
		}
		if p.active() {
			err := a.apply(ctx, p)
			var database databaseError
			if errors.As(err, &database) {
				return nil, database.error
			}
			a.count(p, err)
			continue
		}
		a.count(p, p.err)
	}
	return a, nil
}

// databaseError is an error that ends the attempt, not one of the request.
type databaseError struct{ error }

func (a *applier) count(p *parsed, err error) {
	r := a.result
	var rejection *request.Rejection
	switch {
	case errors.As(err, &rejection):
		if r.Rejected == nil {
			r.Rejected = make(map[request.Reason]int)
		}
		r.Rejected[rejection.Reason]++
		r.Refusals = append(r.Refusals, Refusal{p.set, p.index, err, false})
	case err != nil:
		r.Failed++
		r.Refusals = append(r.Refusals, Refusal{p.set, p.index, err, true})
	case p.excluded != "":
		if r.Excluded == nil {
			r.Excluded = make(map[string]int)
		}
		r.Excluded[p.excluded]++
	default:
		r.Tracked++
	}
}
