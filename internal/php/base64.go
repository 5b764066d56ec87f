package php

import "strings"

const base64Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

// Base64Decode is base64_decode without its strict mode: bytes outside the alphabet are skipped, padding is optional,
// bits that fill no byte are dropped.
func Base64Decode(s string) string {
	b := make([]byte, 0, len(s)*3/4)
	bits, n := uint32(0), 0
	for i := 0; i < len(s); i++ {
		digit := strings.IndexByte(base64Alphabet, s[i])
		if digit < 0 {
			continue
		}
		bits = bits<<6 | uint32(digit)
		if n += 6; n >= 8 {
			n -= 8
			b = append(b, byte(bits>>n))
		}
	}
	return string(b)
}
