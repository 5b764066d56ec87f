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
	out bytes.Buffer
}

var inflaters = sync.Pool{New: func() any { return new(inflater) }}

// keepBuffer is the size up to which a pooled buffer is worth keeping.
const keepBuffer = 1 << 20

// inflate decompresses a zlib stream to at most limit bytes; bytes after its end are ignored as PHP does. errNotZlib: element does not
// begin like one. errLimit: there is more.
func inflate(element []byte, limit int) (string, error) {
	if !looksLikeZlib(element) {
		return "", errNotZlib
	}
	f := inflaters.Get().(*inflater)
	defer func() {
		f.in.Reset(nil)
		if f.out.Cap() <= keepBuffer {
			inflaters.Put(f)
		}
	}()
	f.in.Reset(element)
	f.out.Reset()
	if err := f.open(); err != nil {
		return "", err
	}
	n, err := f.out.ReadFrom(io.LimitReader(f.z, int64(limit)+1))
	if err != nil {
		return "", err
	}
	if n > int64(limit) {
		return "", errLimit
	}
	return f.out.String(), nil
}

func (f *inflater) open() (err error) {
	if f.z == nil {
		f.z, err = zlib.NewReader(&f.in)
		return err
	}
	return f.z.(zlib.Resetter).Reset(&f.in, nil)
}

// looksLikeZlib checks the two bytes of RFC 1950's header: method deflate, window up to 32 KiB, check bits. No JSON begins like that.
func looksLikeZlib(b []byte) bool {
	return len(b) >= 2 && b[0]&0x0f == 8 && b[0]>>4 <= 7 && (int(b[0])<<8|int(b[1]))%31 == 0
}
