package receive

import (
	"encoding/binary"
	"hash/adler32"
	"math/bits"
	"sync"
)

// deflate writes a zlib stream as PHP's gzcompress does, for one short text: one block with the fixed Huffman codes of RFC 1951 (§3.2.6).
// General compressors spend most of their time on codes of a text's own, which for a queue entry of 2 KB saves little: entries get a
// sixth longer, in a quarter of the time.
func deflate(text string) []byte {
	c := compressors.Get().(*compressor)
	defer compressors.Put(c)
	return c.compress(text)
}

const (
	hashBits  = 12
	minMatch  = 4 // shorter matches are allowed by the format and do not pay
	maxMatch  = 258
	window    = 32 << 10
	endOfText = 256
)

// compressor is what one compression needs. Positions in the table count on from text to text, so that it need not be cleared.
type compressor struct {
	table [1 << hashBits]int32 // last position of each hash, 0 or what is below base: none
	base  int32                // position of the text's first byte
	out   []byte
	acc   uint64 // bits to come, lowest first
	count uint
}

var compressors = sync.Pool{New: func() any { return &compressor{base: 1} }}

// maxBase is where positions begin anew.
const maxBase = 1 << 30

func (c *compressor) compress(text string) []byte {
	if c.base > maxBase || len(text) > maxBase {
		*c = compressor{base: 1}
	}
	c.out = append(make([]byte, 0, len(text)/2+64), 0x78, 0x9c)
	c.acc, c.count = 0, 0
	c.put(0b011, 3) // last block, fixed codes
	c.block(text)
	c.literal(endOfText)
	c.put(0, (8-c.count%8)%8)
	c.flush()
	c.base += int32(len(text)) + window
	return binary.BigEndian.AppendUint32(c.out, adler32.Checksum([]byte(text)))
}

// block writes literals and matches, taking for each position the last text with the same four bytes.
func (c *compressor) block(text string) {
	i := 0
	for i+minMatch <= len(text) {
		four := load32(text, i)
		slot := &c.table[four*0x9E3779B1>>(32-hashBits)]
		at := int(*slot - c.base)
		*slot = c.base + int32(i)
		if at < 0 || i-at > window || load32(text, at) != four {
			c.literal(uint(text[i]))
			i++
			continue
		}
		n := minMatch
		for n < maxMatch && i+n < len(text) && text[at+n] == text[i+n] {
			n++
		}
		c.match(n, i-at)
		for j := i + 1; j < i+n && j+minMatch <= len(text); j += 2 {
			c.table[load32(text, j)*0x9E3779B1>>(32-hashBits)] = c.base + int32(j)
		}
		i += n
	}
	for ; i < len(text); i++ {
		c.literal(uint(text[i]))
	}
}

func load32(s string, i int) uint32 {
	_ = s[i+3]
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}

// code is a Huffman code in the order of the stream: lowest bit first.
type code struct {
	bits uint16
	size uint8
}

// fixedCodes are the codes of literals, the end and lengths.
var fixedCodes = func() (codes [288]code) {
	for i := range codes {
		var value, size int
		switch {
		case i < 144:
			value, size = 0x30+i, 8
		case i < 256:
			value, size = 0x190+i-144, 9
		case i < 280:
			value, size = i-256, 7
		default:
			value, size = 0xc0+i-280, 8
		}
		codes[i] = code{bits.Reverse16(uint16(value)) >> (16 - size), uint8(size)}
	}
	return codes
}()

func (c *compressor) literal(symbol uint) {
	code := fixedCodes[symbol]
	c.put(uint64(code.bits), uint(code.size))
}

// match writes a pair of length (minMatch … maxMatch) and distance (1 … window).
func (c *compressor) match(length, distance int) {
	if length == maxMatch {
		c.literal(285)
	} else {
		symbol, extra, rest := split(uint(length-3), 4)
		c.literal(257 + symbol)
		c.put(uint64(rest), extra)
	}
	symbol, extra, rest := split(uint(distance-1), 2)
	c.put(uint64(bits.Reverse8(uint8(symbol))>>3), 5)
	c.put(uint64(rest), extra)
}

// split finds the symbol of a length or distance counted from 0, and its extra bits: the first 2*group symbols stand for one value each,
// then each group of symbols for twice as many as the one before.
func split(value, group uint) (symbol, extra, rest uint) {
	if value < 2*group {
		return value, 0, 0
	}
	groupBits := uint(bits.Len(group)) - 1
	extra = uint(bits.Len(value)) - 1 - groupBits
	symbol = extra*group + value>>extra
	return symbol, extra, value & (1<<extra - 1)
}

func (c *compressor) put(b uint64, size uint) {
	c.acc |= b << c.count
	c.count += size
	if c.count >= 32 {
		c.out = binary.LittleEndian.AppendUint32(c.out, uint32(c.acc))
		c.acc >>= 32
		c.count -= 32
	}
}

// flush writes the whole bytes that are left.
func (c *compressor) flush() {
	for ; c.count > 0; c.count -= 8 {
		c.out = append(c.out, byte(c.acc))
		c.acc >>= 8
	}
}
