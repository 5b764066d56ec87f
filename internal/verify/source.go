package verify

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/redact"
	"github.com/queuedtracking/queuedtracking/queue"
)

// Queues are the entries at the front of queues, as a worker would take them. Nothing is removed and nobody is locked
// out: what others take away meanwhile is passed over.
type Queues struct {
	Backend queue.Backend
	IDs     []int // of the queues, which take turns
	Sample  int   // one of so many entries; 0: all

	started bool
	offset  []int64
	ended   []bool
	turn    int
}

// Next implements Source.
func (q *Queues) Next(ctx context.Context, n int) ([]Entry, error) {
	if !q.started {
		q.started, q.offset, q.ended = true, make([]int64, len(q.IDs)), make([]bool, len(q.IDs))
	}
	for tried := 0; tried < len(q.IDs); {
		i := q.turn % len(q.IDs)
		q.turn++
		if q.ended[i] {
			tried++
			continue
		}
		tried = 0
		entries, err := q.next(ctx, i, n)
		if err != nil || len(entries) > 0 {
			return entries, err
		}
	}
	return nil, nil
}

// next are the next entries of a queue that can be decoded.
func (q *Queues) next(ctx context.Context, i, n int) (entries []Entry, err error) {
	sample := max(1, q.Sample)
	elements, err := q.Backend.Range(ctx, queue.Key(q.IDs[i]), q.offset[i], n*sample)
	if err != nil {
		return nil, err
	}
	if q.ended[i] = len(elements) < n*sample; len(elements) == 0 {
		return nil, nil
	}
	for at := 0; at < len(elements); at += sample {
		position := q.offset[i] + int64(at)
		if set, err := queue.Decode(elements[at]); err == nil && len(set.Requests) > 0 {
			entries = append(entries, Entry{q.IDs[i], position, elements[at], set})
		}
	}
	q.offset[i] += int64(len(elements))
	return entries, nil
}

// File are entries that were kept, one in a line: those that Keep has written, or the JSON of an entry as such.
type File struct {
	lines *bufio.Scanner
	line  int64
}

// maxLine bounds a line of a file.
const maxLine = queue.DefaultMaxBytes + 1024

// NewFile reads entries from r.
func NewFile(r io.Reader) *File {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<16), maxLine)
	return &File{lines: lines}
}

// kept is a line of a file.
type kept struct {
	Queue int             `json:"queue"`
	Entry json.RawMessage `json:"entry"`
}

// Next implements Source. An error names the line.
func (f *File) Next(_ context.Context, n int) (entries []Entry, err error) {
	for len(entries) < n && f.lines.Scan() {
		f.line++
		line := f.lines.Bytes()
		if len(line) == 0 {
			continue
		}
		k := kept{}
		if err := json.Unmarshal(line, &k); err != nil || k.Entry == nil {
			k = kept{Entry: line}
		}
		set, err := queue.Decode(k.Entry)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", f.line, err)
		}
		element, err := queue.Encode(set)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", f.line, err)
		}
		entries = append(entries, Entry{k.Queue, f.line - 1, element, set})
	}
	if err := f.lines.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			err = fmt.Errorf("line %d is longer than %d bytes", f.line+1, maxLine)
		}
		return nil, err
	}
	return entries, nil
}

// Keep returns a function that writes entries as File reads them: with tokens, passwords and cookies masked.
func Keep(w io.Writer) func(entry *Entry) error {
	return func(entry *Entry) error {
		text, err := maskedEntry(&entry.Set)
		if err != nil {
			return err
		}
		line, err := json.Marshal(kept{entry.Queue, json.RawMessage(text)})
		if err != nil {
			return err
		}
		_, err = w.Write(append(line, '\n'))
		return err
	}
}

// maskedEntry is the JSON of an entry without secrets.
func maskedEntry(set *queue.RequestSet) (string, error) {
	requests := php.NewArray(len(set.Requests))
	for _, params := range set.Requests {
		requests.Append(php.ArrayValue(redact.Params(params)))
	}
	env := php.NewArray(2)
	for name, a := range map[string]*php.Array{"server": set.Env.Server} {
		if a == nil {
			a = php.NewArray(0)
		}
		env.Set(name, php.ArrayValue(redact.Params(a)))
	}
	cookies := set.Env.Cookie
	if cookies == nil {
		cookies = php.NewArray(0)
	}
	env.Set("cookie", php.ArrayValue(redact.Cookies(cookies)))
	token := php.Bool(false)
	if set.TokenAuth != "" {
		token = php.String(redact.Mask)
	}
	state := php.NewArray(4)
	state.Set("requests", php.ArrayValue(requests))
	state.Set("env", php.ArrayValue(env))
	state.Set("tokenAuth", token)
	state.Set("time", php.Int(set.Time))
	return php.EncodeJSON(php.ArrayValue(state))
}
