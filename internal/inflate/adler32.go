package inflate

import "encoding/binary"

// adler32 is the checksum of zlib streams: the sum of the bytes plus one, and the sum of these sums after each byte. It goes on by words
// of eight bytes, of which the even and the odd ones are added in four lanes of 16 bits each.
func adler32(p []byte) uint32 {
	const (
		modulo    = 65521
		wordBytes = 8
		block     = 8 * wordBytes // more could overflow a lane
		lanes     = 0x00ff00ff00ff00ff
		sum       = 0x0001000100010001
		evenSum   = 0x0008000600040002 // times the bytes left in the word, the byte itself included
		oddSum    = 0x0007000500030001
	)
	a, b := uint64(1), uint64(0)
	for len(p) >= wordBytes {
		n := min(len(p)&^(wordBytes-1), block)
		var even, odd, before uint64
		for i := 0; i+wordBytes <= n; i += wordBytes {
			word := binary.LittleEndian.Uint64(p[i:])
			before += even + odd
			even += word & lanes
			odd += word >> 8 & lanes
		}
		b += uint64(n)*a + wordBytes*(before*sum>>48) + even*evenSum>>48 + odd*oddSum>>48
		a += even*sum>>48 + odd*sum>>48
		a, b = a%modulo, b%modulo
		p = p[n:]
	}
	for _, c := range p {
		a += uint64(c)
		b += a
	}
	return uint32(b%modulo)<<16 | uint32(a%modulo)
}
