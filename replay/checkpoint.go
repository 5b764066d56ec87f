package replay

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"

	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// record is what a checkpoint holds beside the offset: which entries are in the database. As text it has three words.
type record struct {
	// last identifies the last batch: number of entries, "-", digest.
	last string
	// past identifies the last entries one by one, entryDigits characters each, the newest at the end. A queue server
	// that was restored, or a replica that took over, has forgotten removals and also entries that were added last:
	// then what it still holds of the old entries ends somewhere within a batch.
	past string
	// deadLetters are those of the last batch. They are committed with its rows and put aside after that.
	deadLetters []deadLetter
}

// deadLetter is one without its entry, as the checkpoint holds it. letters.Letter is one with its entry.
type deadLetter struct {
	Offset  int64  `json:"o"`
	Request int    `json:"r"`
	Reason  string `json:"w"`
	Error   string `json:"e"`
	Time    string `json:"t"`
}

const (
	// entryDigits are 36 bits: a new entry is taken for an old one once in 69 billion restorations.
	entryDigits = 6
	// minPast and pastBatches bound how many entries are identified one by one: at least so many, and so many batches.
	minPast, pastBatches = 512, 4
)

// maxErrorText bounds the text of an error in a dead letter, in bytes.
const maxErrorText = 1000

// String is the text that is stored, in ASCII.
func (r record) String() string {
	dead := "-"
	if len(r.deadLetters) > 0 {
		text, err := json.Marshal(r.deadLetters)
		if err == nil { // numbers and texts
			dead = base64.RawStdEncoding.EncodeToString(text)
		}
	}
	return r.last + " " + r.past + " " + dead
}

// parseRecord reads the text of a checkpoint; what it cannot read it leaves out.
func parseRecord(text string) record {
	last, rest, _ := strings.Cut(text, " ")
	past, dead, _ := strings.Cut(rest, " ")
	r := record{last: last, past: past[:len(past)/entryDigits*entryDigits]}
	if decoded, err := base64.RawStdEncoding.DecodeString(dead); err == nil {
		_ = json.Unmarshal(decoded, &r.deadLetters)
	}
	return r
}

// count is the number of entries of the last batch.
func (r record) count() int64 {
	number, _, _ := strings.Cut(r.last, "-")
	n, err := strconv.Atoi(number)
	if err != nil || n < 0 {
		return 0
	}
	return int64(n)
}

// entries is the number of entries that past identifies.
func (r record) entries() int64 { return int64(len(r.past) / entryDigits) }

// digest identifies a run of queue entries, and each of them.
func digest(elements [][]byte) (all, each string) {
	whole := sha256.New()
	one := make([]byte, 0, len(elements)*entryDigits)
	for _, element := range elements {
		sum := sha256.Sum256(element)
		whole.Write(sum[:])
		one = base64.RawStdEncoding.AppendEncode(one, sum[:5])[:len(one)+entryDigits]
	}
	return strconv.Itoa(len(elements)) + "-" + hex.EncodeToString(whole.Sum(nil)[:16]), string(one)
}

// after is the checkpoint that a batch leaves behind.
func (cp checkpoint) after(head queue.Batch, deadLetters []deadLetter) store.Checkpoint {
	n := int64(len(head.Elements))
	all, each := digest(head.Elements)
	past := cp.before(head.Offset) + each
	if most := max(minPast, pastBatches*int(n)) * entryDigits; len(past) > most {
		past = past[len(past)-most:]
	}
	return store.Checkpoint{Offset: head.Offset + n, Digest: record{all, past, deadLetters}.String()}
}

// checkpoint is one that was read.
type checkpoint struct {
	record
	offset int64
}

func parseCheckpoint(stored store.Checkpoint) checkpoint {
	return checkpoint{parseRecord(stored.Digest), stored.Offset}
}

// before is what identifies the entries up to a position, if it borders on them.
func (cp checkpoint) before(position int64) string {
	surplus := cp.offset - position // after a restoration positions are used again
	if surplus < 0 || surplus > cp.entries() {
		return ""
	}
	return cp.past[:(cp.entries()-surplus)*entryDigits]
}

// committed returns how many entries at the head of the list are in the database already: they were committed and not
// removed, because the worker was killed in between or the queue's server forgot the removal. 0 when the head is to
// be tracked. errStale: the head was removed by somebody else since it was read.
//
// A counter that was lost with its server, or entries that a PHP worker has removed without counting, make a distance
// at which other entries are found.
func (w *worker) committed(ctx context.Context, list string, head queue.Batch, cp checkpoint) (int64, error) {
	distance := cp.offset - head.Offset
	if distance <= 0 {
		return 0, nil
	}
	first := max(0, distance-cp.entries())
	elements, err := w.options.Backend.Range(ctx, list, first, int(distance-first))
	if err != nil {
		return 0, err
	}
	offset, err := w.options.Backend.Offset(ctx, list)
	if err != nil {
		return 0, err
	}
	if offset != head.Offset {
		return 0, errStale
	}
	if same := cp.same(elements, distance-first); same > 0 {
		return first + same, nil
	}
	w.options.Log.Warn("the database is ahead of the queue, but not with these entries; they are tracked",
		"queue", list, "offset", head.Offset, "committed", cp.offset)
	return 0, nil
}

// same counts the elements, found where the last entries are expected, that are those entries.
func (cp checkpoint) same(elements [][]byte, expected int64) int64 {
	n, count := int64(len(elements)), cp.count()
	if n == expected && count > 0 && count <= n {
		if all, _ := digest(elements[n-count:]); all == cp.last {
			return n
		}
	}
	_, each := digest(elements)
	past := cp.past[max(0, int64(len(cp.past))-expected*entryDigits):]
	matching, most := 0, min(len(each), len(past))
	for end := entryDigits; end <= most && each[matching:end] == past[matching:end]; end += entryDigits {
		matching = end
	}
	return int64(matching / entryDigits)
}
