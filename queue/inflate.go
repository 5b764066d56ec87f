package queue

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/klauspost/compress/zlib"
)

var (
	errNotZlib = errors.New("no zlib stream")
	errLimit   = errors.New("longer than allowed")
)

// inflater holds what one decompression needs, to be used again.
type inflater struct {
	in  bytes.Reader
	z   io.ReadCloser
	out []byte // how long the text of an element is shows only when it is there
}

var inflaters = sync.Pool{New: func() any { return &inflater{out: make([]byte, 0, 16<<10)} }}

// keepBuffer is the size up to which a pooled buffer is worth keeping.
const keepBuffer = 1 << 20

// decompress inflates a zlib stream to at most limit bytes, which belong to the caller; bytes after its end are ignored
// as PHP does. errNotZlib: element does not begin like one. errLimit: there is more.
func decompress(element []byte, limit int) ([]byte, error) {
	if !looksLikeZlib(element) {
		return nil, errNotZlib
	}
	f := inflaters.Get().(*inflater)
	defer inflaters.Put(f)
	f.in.Reset(element)
	defer f.in.Reset(nil)
	text, err := f.read(limit)
	if cap(text) > keepBuffer { // the caller's alone
		f.out = make([]byte, 0, 16<<10)
		return text, err
	}
	f.out = text[:0]
	return bytes.Clone(text), err
}

// read appends the stream's text to the buffer.
func (f *inflater) read(limit int) ([]byte, error) {
	text := f.out[:0]
	if err := f.open(); err != nil {
		return text, err
	}
	for {
		if len(text) == cap(text) { // append would grow by steps of a quarter, which adds up to five times the text
			text = append(make([]byte, 0, 2*cap(text)), text...)
		}
		n, err := f.z.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		switch {
		case len(text) > limit:
			return text, errLimit
		case err == io.EOF:
			return text, nil
		case err != nil:
			return text, err
		}
	}
}

func (f *inflater) open() (err error) {
	if f.z == nil {
		f.z, err = zlib.NewReader(&f.in)
		return err
	}
	return f.z.(zlib.Resetter).Reset(&f.in, nil)
}

// looksLikeZlib checks the two bytes of RFC 1950's header: method deflate, window up to 32 KiB, check bits. No JSON
// begins like that.
func looksLikeZlib(b []byte) bool {
	return len(b) >= 2 && b[0]&0x0f == 8 && b[0]>>4 <= 7 && (int(b[0])<<8|int(b[1]))%31 == 0
}
