package inflate

import (
	"io"
	"math/bits"
)

// A table is looked up with the next bits of the input. It has an entry for all ways in which a code can go on in as many bits; longer
// codes lead to tables of their own behind it. An entry of zero is no code. The sizes are the largest that complete codes of up to 15
// bits can need.
const (
	literalBits  = 10
	distanceBits = 8
	lengthBits   = 7

	literalEntries  = 1 << 11 // 1334 are enough
	distanceEntries = 1 << 9  // 402 are enough
	maxCode         = 15
)

// The parts of an entry: what it stands for (a literal, the least length or distance, the position of a table), the number of extra bits
// that are added to that (for a table: the bits it is looked up with), marks, and the length of the whole code.
const (
	valueShift = 16
	extraShift = 8
	lengthMask = 0x1f

	isLiteral = 1 << 15
	isTable   = 1 << 14
	isEnd     = 1 << 13
)

// tables are those of a block.
type tables struct {
	literals  [literalEntries]uint32
	distances [distanceEntries]uint32
}

const (
	numLiterals  = 288
	numDistances = 32
	endOfBlock   = 256
	maxLiterals  = 286
	maxDistances = 30
)

// literalSymbols and distanceSymbols are the entries of the symbols without the length of their code.
var (
	literalSymbols  = makeLiteralSymbols()
	distanceSymbols = makeDistanceSymbols()
	lengthSymbols   = makeLengthSymbols()
)

func makeLiteralSymbols() (s [numLiterals]uint32) {
	for i := range endOfBlock {
		s[i] = uint32(i)<<valueShift | isLiteral
	}
	s[endOfBlock] = isEnd
	base := uint32(3)
	for i := uint32(0); i < 28; i++ {
		extra := max(i/4, 1) - 1
		s[endOfBlock+1+i] = base<<valueShift | extra<<extraShift
		base += 1 << extra
	}
	s[maxLiterals-1] = maxMatch << valueShift
	return s
}

func makeDistanceSymbols() (s [numDistances]uint32) {
	base := uint32(1)
	for i := range uint32(maxDistances) {
		extra := max(i/2, 1) - 1
		s[i] = base<<valueShift | extra<<extraShift
		base += 1 << extra
	}
	return s
}

func makeLengthSymbols() (s [numLengths]uint32) {
	for i := range s {
		s[i] = uint32(i)<<valueShift | isLiteral
	}
	return s
}

// fixedTables are those of blocks that bring none.
var fixedTables = func() *tables {
	var lengths [numLiterals + numDistances]uint8
	for i := range lengths {
		switch {
		case i < 144:
			lengths[i] = 8
		case i < 256:
			lengths[i] = 9
		case i < 280:
			lengths[i] = 7
		case i < numLiterals:
			lengths[i] = 8
		default:
			lengths[i] = 5
		}
	}
	t := &tables{}
	build(t.literals[:], literalBits, lengths[:numLiterals], literalSymbols[:])
	build(t.distances[:], distanceBits, lengths[numLiterals:], distanceSymbols[:])
	return t
}()

// numLengths is the size of the alphabet in which the lengths of the other codes are written. lengthOrder is the order of its own.
const numLengths = 19

var lengthOrder = [numLengths]uint8{16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15}

// readTables reads the codes at the start of a block.
func (d *decoder) readTables() error {
	d.fill()
	literals, distances, count := d.take(5)+257, d.take(5)+1, d.take(4)+4
	if literals > maxLiterals || distances > maxDistances {
		if d.n < 0 {
			return io.ErrUnexpectedEOF
		}
		return errCode
	}
	var own [numLengths]uint8
	for i := range count {
		if i%16 == 0 {
			d.fill()
		}
		own[lengthOrder[i]] = uint8(d.take(3))
	}
	if d.n < 0 {
		return io.ErrUnexpectedEOF
	}
	var table [1 << lengthBits]uint32
	if !build(table[:], lengthBits, own[:], lengthSymbols[:]) {
		return errCode
	}
	var lengths [maxLiterals + maxDistances]uint8
	if err := d.readLengths(&table, lengths[:literals+distances]); err != nil {
		return err
	}
	if !build(d.own.literals[:], literalBits, lengths[:literals], literalSymbols[:]) ||
		!build(d.own.distances[:], distanceBits, lengths[literals:literals+distances], distanceSymbols[:]) {
		return errCode
	}
	return nil
}

// readLengths reads the lengths of codes. 16 repeats the one before, 17 and 18 stand for zeros.
func (d *decoder) readLengths(table *[1 << lengthBits]uint32, lengths []uint8) error {
	for i := 0; i < len(lengths); {
		d.fill()
		e := table[d.bits&(1<<lengthBits-1)]
		if e == 0 {
			return errSymbol
		}
		d.take(int(e & lengthMask))
		symbol := uint8(e >> valueShift)
		value, count := symbol, 1
		switch symbol {
		case 16:
			if i == 0 {
				return errSymbol
			}
			value, count = lengths[i-1], 3+d.take(2)
		case 17:
			value, count = 0, 3+d.take(3)
		case 18:
			value, count = 0, 11+d.take(7)
		}
		if d.n < 0 {
			return io.ErrUnexpectedEOF
		}
		if i+count > len(lengths) {
			return errSymbol
		}
		for range count {
			lengths[i] = value
			i++
		}
	}
	return nil
}

// build makes the table of a canonical code, whose codes are given by their lengths alone: the shorter come first, of equal ones in the
// order of the symbols. The first bit of a code comes first in the input, so that codes are reversed in the table. ok is false when there
// are more codes than bits for them, or fewer: only no code at all and a single one of one bit are allowed.
func build(table []uint32, tableBits int, lengths []uint8, symbols []uint32) (ok bool) {
	var counts, starts [maxCode + 2]int
	for _, length := range lengths {
		counts[length]++
	}
	counts[0] = 0
	left := 1 << maxCode // codes of the greatest length that are not taken
	for length := 1; length <= maxCode; length++ {
		left -= counts[length] << (maxCode - length)
		starts[length+1] = starts[length] + counts[length]
	}
	codes := starts[maxCode+1]
	if left < 0 || left > 0 && codes > 0 && !(codes == 1 && counts[1] == 1) {
		return false
	}
	var sorted [numLiterals]uint16
	for symbol, length := range lengths {
		if length > 0 {
			sorted[starts[length]] = uint16(symbol)
			starts[length]++
		}
	}
	code := 0
	rest := sorted[:]
	table[0] = 0
	for length := 1; length <= tableBits; length++ {
		half := 1 << (length - 1)
		copy(table[half:2*half], table[:half])
		code <<= 1
		for range counts[length] {
			table[reversed(code, length)] = entry(symbols[rest[0]], length)
			rest = rest[1:]
			code++
		}
	}
	buildLong(table, tableBits, &counts, rest, symbols, code)
	return true
}

// buildLong makes the tables behind the first one: one for all codes that have their first tableBits bits in common. sorted are the
// symbols of these codes, code is the last one so far plus one.
func buildLong(table []uint32, tableBits int, counts *[maxCode + 2]int, sorted []uint16, symbols []uint32, code int) {
	start, width, prefix := 1<<tableBits, 0, -1
	for length := tableBits + 1; length <= maxCode; length++ {
		code <<= 1
		for ; counts[length] > 0; counts[length]-- {
			bits := reversed(code, length)
			if first := bits & (1<<tableBits - 1); first != prefix {
				if prefix >= 0 {
					start += 1 << width
				}
				prefix, width = first, length-tableBits
				for codes := counts[length]; codes < 1<<width; {
					width++
					codes = codes<<1 + counts[tableBits+width]
				}
				table[prefix] = uint32(start)<<valueShift | uint32(width)<<extraShift | isTable
			}
			e := entry(symbols[sorted[0]], length)
			for i := bits >> tableBits; i < 1<<width; i += 1 << (length - tableBits) {
				table[start+i] = e
			}
			sorted = sorted[1:]
			code++
		}
	}
}

func reversed(code, length int) int { return int(bits.Reverse16(uint16(code)) >> (16 - length)) }

// entry is a symbol with the length of its code. Symbols that have a code but no meaning are no code.
func entry(symbol uint32, length int) uint32 {
	if symbol == 0 {
		return 0
	}
	return symbol | uint32(length)
}
