package receive

import (
	"context"
	"strconv"
	"time"

	"github.com/queuedtracking/queuedtracking/queue"
)

// markTTL is how long the mark of a list's last group is kept: longer than any time that a queue's server is away.
const markTTL = 30 * 24 * time.Hour

// mark names the last group that a spool's owner has appended to a list. It is set together with the elements, so that
// a group whose append was answered by silence, which too few replicas had in time, or which was drained by a process
// that was killed before it knew, is not appended again.
func (w *Writer) mark(list string, sequence uint64) queue.Mark {
	return queue.Mark{
		Key:   "queuedtracking:received:{" + list + "}:" + w.o.Spool.Owner(),
		Value: strconv.FormatUint(sequence, 10), TTL: markTTL,
	}
}

// append writes a group and its mark to the backend.
func (w *Writer) append(r record) error {
	return w.appendMarked(r.List, w.mark(r.List, r.Sequence), r.Elements...)
}

// confirm sets the mark of a list once more to what it is: where replicas are waited for it returns when they have all
// groups up to this one. The mark of a group that is there already must not be set: the list may have later ones, of
// which nothing would be known then.
func (w *Writer) confirm(list string, last uint64) error {
	return w.appendMarked(list, w.mark(list, last))
}

func (w *Writer) appendMarked(list string, mark queue.Mark, elements ...[]byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), w.o.Timeout)
	defer cancel()
	return w.o.Backend.AppendMarked(ctx, list, mark, elements...)
}

// last is the number of the last group that the backend has in a list, 0 when it knows of none: marks only grow.
func (w *Writer) last(list string) (uint64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), w.o.Timeout)
	defer cancel()
	text, ok, err := w.o.Backend.Get(ctx, w.mark(list, 0).Key)
	if err != nil || !ok {
		return 0, err
	}
	last, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, nil // not ours
	}
	return last, nil
}

const (
	firstPause = 100 * time.Millisecond
	maxPause   = 2 * time.Second
)

// drain moves what is in the spool into the queues, in order, until ctx ends. While the backend is away it tries again
// with pauses.
func (w *Writer) drain(ctx context.Context) {
	pause := firstPause
	certain := make(map[string]bool) // lists whose next record was not sent by anybody before, see move
	for {
		r, ok, err := w.o.Spool.first()
		switch {
		case err != nil:
			w.o.Log.Error("spool cannot be read", "error", err)
		case !ok:
			select {
			case <-ctx.Done():
				return
			case <-w.o.Spool.filled:
			}
			continue
		default:
			err = w.move(r, certain)
		}
		if err == nil {
			pause = firstPause
			if ctx.Err() != nil {
				return
			}
			continue
		}
		clear(certain)
		w.o.Log.Debug("spool waits for the queue", "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
}

// move appends the spool's first record to its queue, unless it is there, and removes it from the spool. Records that
// came while others of their list waited have not been sent before; the one that comes first, or again after an error,
// may have been, without an answer.
func (w *Writer) move(r record, certain map[string]bool) error {
	if !certain[r.List] {
		last, err := w.last(r.List)
		if err != nil {
			return err
		}
		if last >= r.Sequence {
			return w.remove(r, w.confirm(r.List, last))
		}
	}
	behind := w.o.Spool.waits(r.List) > 1
	if err := w.remove(r, w.append(r)); err != nil {
		return err
	}
	certain[r.List] = behind
	return nil
}

// remove takes the spool's first record out of it, unless there was an error with it.
func (w *Writer) remove(r record, err error) error {
	if err != nil {
		return err
	}
	w.o.Metrics.drained.Add(float64(len(r.Elements)))
	return w.o.Spool.removeFirst(r)
}
