package replay

import (
	"context"
	"encoding/json"
	"time"

	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker"
)

// letter is a dead letter: an entry, or one request of it, that could not be tracked. It is kept as JSON in the list
// queue.FailedKey(list), so that nothing is lost and an operator can look and try again.
type letter struct {
	Queue   int    `json:"queue"`
	Offset  int64  `json:"offset"`  // of the entry, counted since the list began
	Request int    `json:"request"` // index in the entry, -1 for the whole entry
	Error   string `json:"error"`
	Time    string `json:"time"`  // when it failed, RFC 3339
	Entry   []byte `json:"entry"` // the element as it was in the queue
}

const noRequest = -1

func (b *batch) letter(position, request int, err error) letter {
	return letter{
		Queue: b.queue, Offset: b.head.Offset + int64(position), Request: request, Error: err.Error(),
		Time: b.Clock().UTC().Format(time.RFC3339), Entry: b.head.Elements[position],
	}
}

// bury writes the dead letters of the batch, before the commit: a worker killed in between writes them again rather than not at all.
func (b *batch) bury(ctx context.Context, result tracker.Result) error {
	letters := b.letters
	for _, refusal := range result.Refusals {
		if refusal.Failed {
			letters = append(letters, b.letter(b.positions[refusal.Set], refusal.Request, refusal.Err))
		}
	}
	if len(letters) == 0 {
		return nil
	}
	elements := make([][]byte, len(letters))
	for i, l := range letters {
		element, err := json.Marshal(l)
		if err != nil {
			return err
		}
		elements[i] = element
	}
	return b.Backend.Append(ctx, queue.FailedKey(b.list), elements...)
}
