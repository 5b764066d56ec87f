package queue

import (
	"bytes"
	"errors"
	"sync"

	"github.com/queuedtracking/queuedtracking/internal/inflate"
)

var (
	errNotZlib = errors.New("no zlib stream")
	errLimit   = errors.New("longer than allowed")
)

// buffers are used again and again: how long the text of an element is shows only when it is there.
var buffers = sync.Pool{New: func() any { return new([]byte) }}

// keepBuffer is the size up to which a buffer is worth keeping.
const keepBuffer = 1 << 20

// decompress inflates a zlib stream to at most limit bytes, which belong to the caller; bytes after its end are ignored as PHP does.
// errNotZlib: element does not begin like one. errLimit: there is more.
func decompress(element []byte, limit int) ([]byte, error) {
	if !inflate.IsZlib(element) { // no JSON begins like that
		return nil, errNotZlib
	}
	buffer := buffers.Get().(*[]byte)
	defer buffers.Put(buffer)
	text, err := inflate.Zlib(*buffer, element, limit)
	if cap(text) > keepBuffer {
		*buffer = nil
	} else {
		*buffer, text = text, bytes.Clone(text)
	}
	if errors.Is(err, inflate.ErrTooLong) {
		err = errLimit
	}
	return text, err
}
