package replay

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// digest identifies a run of queue entries: their number, lengths and bytes.
func digest(elements [][]byte) string {
	hash := sha256.New()
	var length [8]byte
	for _, element := range elements {
		binary.BigEndian.PutUint64(length[:], uint64(len(element)))
		hash.Write(length[:])
		hash.Write(element)
	}
	return strconv.Itoa(len(elements)) + "-" + hex.EncodeToString(hash.Sum(nil)[:16])
}

// digested is the number of entries that a digest is made of, 0 when it is no digest.
func digested(digest string) int64 {
	number, _, _ := strings.Cut(digest, "-")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 {
		return 0
	}
	return int64(n)
}

// checkpointAfter is the checkpoint that a batch leaves behind.
func checkpointAfter(head queue.Batch) store.Checkpoint {
	return store.Checkpoint{
		Offset: head.Offset + int64(len(head.Elements)),
		Digest: digest(head.Elements),
	}
}

// committed returns how many entries at the head of the list the checkpoint says are in the database already: entries that were
// committed and not removed, because the worker was killed in between or the queue's server forgot the removal. 0 when the checkpoint
// belongs to entries that are gone: then the head is to be tracked.
//
// The entries between the list's counter and the checkpoint may be several batches; the digest speaks for the last one, whose place and
// number of entries the checkpoint holds. A counter that was lost with its server, or entries that a PHP worker has removed without
// counting, make a distance at which the digest finds other bytes.
func (w *worker) committed(ctx context.Context, list string, head queue.Batch, cp store.Checkpoint) (queue.Batch, error) {
	distance, count := cp.Offset-head.Offset, digested(cp.Digest)
	if count == 0 || distance < count || distance > head.Len {
		return queue.Batch{}, nil
	}
	last, err := w.Backend.Range(ctx, list, distance-count, int(count))
	if err != nil || digest(last) != cp.Digest {
		return queue.Batch{}, err
	}
	return w.Backend.Head(ctx, list, int(distance))
}
