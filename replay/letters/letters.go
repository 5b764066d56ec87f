// Package letters keeps dead letters: queue entries, or single requests of entries, that could not be tracked. They wait in a list beside
// the queue's, in its hash slot, until somebody looks at them, puts them back into the queue or deletes them. Nothing else takes them away.
package letters

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/queuedtracking/queuedtracking/queue"
)

// WholeEntry is the Request of a letter that concerns the entry as a whole: it holds no request set.
const WholeEntry = -1

// The reasons for which something is put aside.
const (
	Undecodable = "undecodable entry"
	BadData     = "data refused"
	Bug         = "internal error"
)

// Letter is a dead letter, kept as JSON.
type Letter struct {
	Queue   int    `json:"queue"`
	Offset  int64  `json:"offset"`  // of the entry, counted since the list began
	Request int    `json:"request"` // index in the entry, or WholeEntry
	Reason  string `json:"reason"`
	Error   string `json:"error"`
	Time    string `json:"time"`  // when it failed, RFC 3339
	Entry   []byte `json:"entry"` // the element as it was in the queue, with whatever secrets it holds
}

// Encode gives the element of the list.
func (l Letter) Encode() ([]byte, error) { return json.Marshal(l) }

// Requeued is the entry that brings the letter's requests, and no others, back into the queue.
func (l Letter) Requeued() ([]byte, error) {
	if l.Request == WholeEntry {
		return l.Entry, nil
	}
	set, err := queue.Decode(l.Entry)
	if err != nil {
		return nil, err
	}
	if l.Request < 0 || l.Request >= len(set.Requests) {
		return nil, fmt.Errorf("entry has no request %d: it holds %d", l.Request, len(set.Requests))
	}
	if len(set.Requests) == 1 {
		return l.Entry, nil
	}
	set.Requests = set.Requests[l.Request : l.Request+1]
	return queue.Encode(set)
}

// Stored is a letter in its list.
type Stored struct {
	Letter
	ID      string // names the letter for people: 12 hexadecimal digits
	element []byte
}

// idDigits is the length of an ID.
const idDigits = 12

// read makes a Stored of an element. An element that is no letter is shown as one with an error that says so.
func read(id int, element []byte) Stored {
	s := Stored{element: element}
	if err := json.Unmarshal(element, &s.Letter); err != nil {
		s.Letter = Letter{Queue: id, Offset: queue.Unknown, Request: WholeEntry, Reason: "no dead letter", Error: err.Error(), Entry: element}
	}
	s.Queue = id // the list decides
	sum := sha256.Sum256(element)
	s.ID = hex.EncodeToString(sum[:])[:idDigits]
	return s
}

// Box finds and changes the letters of all queues.
type Box struct{ backend queue.Backend }

// NewBox makes the box of a backend.
func NewBox(backend queue.Backend) *Box { return &Box{backend} }

// Counts returns the number of letters by queue, for the queues that have any.
func (b *Box) Counts(ctx context.Context) (map[int]int64, error) {
	lists := queue.Keys(0, queue.MaxQueues)
	for i, list := range lists {
		lists[i] = queue.FailedKey(list)
	}
	lens, err := b.backend.Lens(ctx, lists...)
	if err != nil {
		return nil, err
	}
	counts := make(map[int]int64)
	for id, n := range lens {
		if n > 0 {
			counts[id] = n
		}
	}
	return counts, nil
}

// page is how many letters are read at once.
const page = 500

// Each calls visit with the letters of a queue, the oldest first, until it returns false.
func (b *Box) Each(ctx context.Context, id int, visit func(Stored) (goOn bool, err error)) error {
	list := queue.FailedKey(queue.Key(id))
	for start := int64(0); ; start += page {
		elements, err := b.backend.Range(ctx, list, start, page)
		if err != nil || len(elements) == 0 {
			return err
		}
		for _, element := range elements {
			goOn, err := visit(read(id, element))
			if err != nil || !goOn {
				return err
			}
		}
	}
}

// Retry moves what failed from the dead letters to the end of its queue, as one step. It reports false when the letter is no longer there:
// somebody else has retried or deleted it.
func (b *Box) Retry(ctx context.Context, s Stored) (bool, error) {
	entry, err := s.Requeued()
	if err != nil {
		return false, fmt.Errorf("dead letter %s: %w", s.ID, err)
	}
	list := queue.Key(s.Queue)
	return b.backend.Move(ctx, queue.FailedKey(list), list, s.element, entry)
}

// Delete drops a letter for good. It reports false when it is no longer there.
func (b *Box) Delete(ctx context.Context, s Stored) (bool, error) {
	return b.backend.Take(ctx, queue.FailedKey(queue.Key(s.Queue)), s.element)
}
