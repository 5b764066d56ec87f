package pattern

import "math/bits"

// set is a set of bytes. Subjects are lower-cased before they are matched, so upper-case members never count.
type set [4]uint64

func (s *set) add(b byte) { s[b>>6] |= 1 << (b & 63) }

func (s *set) has(b byte) bool { return s[b>>6]&(1<<(b&63)) != 0 }

func (s *set) addRange(lo, hi byte) {
	for b := int(lo); b <= int(hi); b++ {
		s.add(byte(b))
	}
}

func (s *set) union(t set) {
	for i := range s {
		s[i] |= t[i]
	}
}

func (s *set) negate() {
	for i := range s {
		s[i] = ^s[i]
	}
}

// fold makes the set the same for both cases of each ASCII letter.
func (s *set) fold() {
	for b := byte('a'); b <= 'z'; b++ {
		if s.has(b) || s.has(b-'a'+'A') {
			s.add(b)
			s.add(b - 'a' + 'A')
		}
	}
}

// lower drops the upper-case letters, which no lower-cased subject holds.
func (s set) lower() set {
	s[1] &^= ((1<<26 - 1) << ('A' - 64))
	return s
}

func (s set) len() int {
	n := 0
	for _, w := range s {
		n += bits.OnesCount64(w)
	}
	return n
}

// members lists the bytes of the set in ascending order.
func (s set) members() []byte {
	out := make([]byte, 0, s.len())
	for i, w := range s {
		for ; w != 0; w &= w - 1 {
			out = append(out, byte(i<<6+bits.TrailingZeros64(w)))
		}
	}
	return out
}

func setOf(bytes ...byte) set {
	var s set
	for _, b := range bytes {
		s.add(b)
	}
	return s
}

func rangeSet(pairs ...byte) set {
	var s set
	for i := 0; i < len(pairs); i += 2 {
		s.addRange(pairs[i], pairs[i+1])
	}
	return s
}

func not(s set) set {
	s.negate()
	return s
}

// The classes of PCRE in byte mode: bytes from 0x80 on are no letters, digits or blanks.
var (
	digits   = rangeSet('0', '9')
	words    = rangeSet('0', '9', 'A', 'Z', 'a', 'z', '_', '_')
	blanks   = setOf(' ', '\t', '\n', '\v', '\f', '\r')
	anything = not(setOf('\n'))
)

func (s *set) meets(t *set) bool {
	return s[0]&t[0]|s[1]&t[1]|s[2]&t[2]|s[3]&t[3] != 0
}
