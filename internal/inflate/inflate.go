// Package inflate decompresses zlib streams (RFC 1950, RFC 1951) that are in memory as a whole.
//
// Decompressors for streams of any length copy all they produce through a window of 32 KiB and ask for their input byte by byte. Nearly
// all elements of a queue are of about one kilobyte, for which that is most of the work. Here the output is its own window and the
// input is read eight bytes at a time.
package inflate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Causes of errors. Input that ends too early gives io.ErrUnexpectedEOF.
var (
	ErrTooLong   = errors.New("longer than allowed")
	errHeader    = errors.New("no zlib header")
	errChecksum  = errors.New("checksum does not match")
	errBlockType = errors.New("unknown type of block")
	errStored    = errors.New("length of stored block does not match")
	errCode      = errors.New("invalid Huffman code")
	errSymbol    = errors.New("invalid symbol")
	errDistance  = errors.New("distance reaches beyond the start")
)

// IsZlib checks the two bytes of RFC 1950's header: method deflate, window up to 32 KiB, check bits.
func IsZlib(b []byte) bool {
	return len(b) >= 2 && b[0]&0x0f == 8 && b[0]>>4 <= 7 && (int(b[0])<<8|int(b[1]))%31 == 0
}

// Zlib decompresses a zlib stream to at most limit bytes, which it writes over buf; the result is buf, or a longer slice in its place.
// What follows the stream is ignored. ErrTooLong: there is more. The errors do not name the package.
func Zlib(buf, stream []byte, limit int) ([]byte, error) {
	const presetDictionary = 0x20
	if !IsZlib(stream) || stream[1]&presetDictionary != 0 {
		return buf[:0], errHeader
	}
	d := decoder{src: stream, pos: 2, out: buf[:cap(buf)], limit: limit}
	err := d.blocks()
	if d.w > limit {
		return d.out[:0], ErrTooLong
	}
	if err == nil {
		err = d.checksum()
	}
	if err != nil {
		return d.out[:0], fmt.Errorf("byte %d: %w", d.pos, err)
	}
	return d.out[:d.w], nil
}

// The longest match, the number of bytes of which one is copied at a time, and so what a copy may write beyond its end.
const (
	maxMatch = 258
	chunk    = 16
	overrun  = chunk - 1
)

type decoder struct {
	src   []byte
	pos   int    // of the next byte of src that is not in bits
	bits  uint64 // the next bits, first one lowest; beyond the first n there may be more of the input
	n     int    // number of bits; below zero when more were taken than there are
	out   []byte
	w     int // bytes of out that are written
	limit int
	own   tables // of blocks that bring them
}

// fill makes at least 56 bits available, less at the end of the input. There zeros follow.
func (d *decoder) fill() {
	if d.pos+8 <= len(d.src) {
		d.bits |= binary.LittleEndian.Uint64(d.src[d.pos:]) << (d.n & 63)
		d.pos += (63 - d.n) >> 3
		d.n |= 56
		return
	}
	for d.n < 56 && d.pos < len(d.src) {
		d.bits |= uint64(d.src[d.pos]) << (d.n & 63)
		d.pos++
		d.n += 8
	}
}

// take returns the next bits. The caller has filled, and checks n in the end.
func (d *decoder) take(count int) int {
	v := int(d.bits & (1<<count - 1))
	d.bits >>= count
	d.n -= count
	return v
}

// toByte drops what is left of a byte and gives whole bytes back.
func (d *decoder) toByte() {
	d.pos -= d.n / 8
	d.bits, d.n = 0, 0
}

// checksum compares the Adler-32 behind the blocks with that of the output.
func (d *decoder) checksum() error {
	d.toByte()
	if len(d.src)-d.pos < 4 {
		return io.ErrUnexpectedEOF
	}
	if binary.BigEndian.Uint32(d.src[d.pos:]) != adler32(d.out[:d.w]) {
		return errChecksum
	}
	return nil
}

// blocks decompresses up to the end of the last block.
func (d *decoder) blocks() (err error) {
	for final := false; !final && err == nil; {
		d.fill()
		final = d.take(1) == 1
		kind := d.take(2)
		if d.n < 0 {
			return io.ErrUnexpectedEOF
		}
		switch kind {
		case 0:
			err = d.stored()
		case 1:
			err = d.compressed(fixedTables)
		case 2:
			if err = d.readTables(); err == nil {
				err = d.compressed(&d.own)
			}
		default:
			err = errBlockType
		}
	}
	return err
}

func (d *decoder) stored() error {
	d.toByte()
	if len(d.src)-d.pos < 4 {
		return io.ErrUnexpectedEOF
	}
	header := binary.LittleEndian.Uint32(d.src[d.pos:])
	size := int(header & 0xffff)
	if uint16(header>>16) != ^uint16(header) {
		return errStored
	}
	d.pos += 4
	size = min(size, len(d.src)-d.pos)
	d.grow(size)
	copy(d.out[d.w:], d.src[d.pos:d.pos+size])
	d.pos += size
	d.w += size
	switch {
	case size < int(header&0xffff):
		return io.ErrUnexpectedEOF
	case d.w > d.limit:
		return ErrTooLong
	}
	return nil
}

// grow makes room for n bytes, for an overrun, and for as much again as there is.
func (d *decoder) grow(n int) {
	if len(d.out)-d.w >= n+overrun {
		return
	}
	size := max(min(2*len(d.out), d.limit+n+overrun), d.w+n+overrun)
	out := make([]byte, size)
	copy(out, d.out[:d.w])
	d.out = out
}

// compressed decompresses a block.
func (d *decoder) compressed(t *tables) error {
	for {
		if len(d.out)-d.w < maxMatch+overrun {
			if d.w > d.limit {
				return ErrTooLong
			}
			d.grow(maxMatch)
		}
		done, err := d.symbols(t)
		if done || err != nil {
			return err
		}
	}
}

// symbols goes on with a block until its end or until the output might not have room for the next match. State is kept in variables: this
// loop is where the time goes.
func (d *decoder) symbols(t *tables) (done bool, err error) {
	src, pos, bits, n := d.src, d.pos, d.bits, d.n
	out, w := d.out, d.w
	literals, distances := &t.literals, &t.distances
	for w <= len(out)-(maxMatch+overrun) {
		// A literal or length takes up to 20 bits, a distance up to 28; two literals up to 25.
		if pos+8 <= len(src) {
			bits |= binary.LittleEndian.Uint64(src[pos:]) << (n & 63)
			pos += (63 - n) >> 3
			n |= 56
		} else {
			for n < 56 && pos < len(src) {
				bits |= uint64(src[pos]) << (n & 63)
				pos++
				n += 8
			}
		}
		e := literals[bits&(1<<literalBits-1)]
		if e&isTable != 0 {
			e = literals[(e>>valueShift+uint32(bits>>literalBits)&(1<<(e>>extraShift&15)-1))%uint32(len(literals))]
		}
		bits >>= e & lengthMask
		n -= int(e & lengthMask)
		if e&isLiteral != 0 {
			out[w] = byte(e >> valueShift)
			w++
			if e = literals[bits&(1<<literalBits-1)]; e&isLiteral != 0 { // often another one follows, for which there are bits enough
				bits >>= e & lengthMask
				n -= int(e & lengthMask)
				out[w] = byte(e >> valueShift)
				w++
			}
			if n < 0 {
				err = io.ErrUnexpectedEOF
				break
			}
			continue
		}
		if e&isEnd != 0 {
			if n < 0 {
				err = io.ErrUnexpectedEOF
			}
			done = true
			break
		}
		if e == 0 {
			err = errSymbol
			break
		}
		extra := e >> extraShift & 15
		length := int(e>>valueShift) + int(bits&(1<<extra-1))
		bits >>= extra
		n -= int(extra)

		e = distances[bits&(1<<distanceBits-1)]
		if e&isTable != 0 {
			e = distances[(e>>valueShift+uint32(bits>>distanceBits)&(1<<(e>>extraShift&15)-1))%uint32(len(distances))]
		}
		if e == 0 {
			err = errSymbol
			break
		}
		bits >>= e & lengthMask
		extra = e >> extraShift & 15
		distance := int(e>>valueShift) + int(bits&(1<<extra-1))
		bits >>= extra
		n -= int(e&lengthMask) + int(extra)
		if n < 0 {
			err = io.ErrUnexpectedEOF
			break
		}
		from := w - distance
		if from < 0 {
			err = errDistance
			break
		}
		end := w + length
		if distance >= chunk {
			for ; w < end; w, from = w+chunk, from+chunk {
				*(*[chunk]byte)(out[w:]) = *(*[chunk]byte)(out[from:])
			}
			w = end
			continue
		}
		for ; w < end; w, from = w+1, from+1 {
			out[w] = out[from]
		}
	}
	d.pos, d.bits, d.n, d.w = pos, bits, n, w
	return done, err
}
