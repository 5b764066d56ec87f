package php

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// trimmed are the bytes that PHP's trim removes by default (spec §A.1).
const trimmed = " \t\n\r\x00\x0b"

// Trim removes blanks, tabs, line breaks, NUL bytes and vertical tabs from both ends: PHP's trim (spec §A.1).
func Trim(s string) string { return RTrim(LTrim(s)) }

// LTrim is Trim for the start of s.
func LTrim(s string) string {
	for len(s) > 0 && strings.IndexByte(trimmed, s[0]) >= 0 {
		s = s[1:]
	}
	return s
}

// RTrim is Trim for the end of s.
func RTrim(s string) string {
	for len(s) > 0 && strings.IndexByte(trimmed, s[len(s)-1]) >= 0 {
		s = s[:len(s)-1]
	}
	return s
}

// lower is the ASCII lower case of b.
func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// ToLower lower-cases ASCII letters only: PHP's strtolower (spec §A.11).
func ToLower(s string) string {
	for i := 0; i < len(s); i++ {
		if lower(s[i]) == s[i] {
			continue
		}
		b := []byte(s)
		for ; i < len(b); i++ {
			b[i] = lower(b[i])
		}
		return string(b)
	}
	return s
}

// MBToLower lower-cases all letters of Unicode, without a rule for the final sigma (PHP 8.2). Bytes that are not UTF-8
// become "?": one for each broken sequence, as in "\xE4\xF6" -> "??" (spec §A.11, §H.7).
func MBToLower(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return mbToLower(s)
		}
	}
	return ToLower(s)
}

func mbToLower(s string) string {
	b := make([]byte, 0, len(s)+8)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n <= 1:
			b = append(b, '?')
			n = brokenLen(s[i:])
		case r == 'İ':
			b = append(b, "i\u0307"...)
		default:
			b = utf8.AppendRune(b, unicode.ToLower(r))
		}
		i += n
	}
	return string(b)
}

// brokenLen is the length of the broken UTF-8 sequence at the start of s: what could still have become a character.
func brokenLen(s string) int {
	want, low, high := 0, byte(0x80), byte(0xbf)
	switch c := s[0]; {
	case 0xc2 <= c && c <= 0xdf:
		want = 1
	case c == 0xe0:
		want, low = 2, 0xa0
	case c == 0xed:
		want, high = 2, 0x9f
	case 0xe0 < c && c <= 0xef:
		want = 2
	case c == 0xf0:
		want, low = 3, 0x90
	case c == 0xf4:
		want, high = 3, 0x8f
	case 0xf0 < c && c < 0xf4:
		want = 3
	}
	n := 1
	for n <= want && n < len(s) && low <= s[n] && s[n] <= high {
		n++
		low, high = 0x80, 0xbf
	}
	return n
}

// EqualFold compares with ASCII letters' case ignored: strcasecmp(a, b) === 0 (spec §A.11).
func EqualFold(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := 0; i < len(a); i++ {
		if a[i] != b[i] && lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

// ContainsFold looks for sub in s with ASCII letters' case ignored: stripos(s, sub) !== false. An empty sub is found
// everywhere.
func ContainsFold(s, sub string) bool {
	if sub == "" {
		return true
	}
	first := lower(sub[0])
	for i := 0; i+len(sub) <= len(s); i++ {
		if lower(s[i]) == first && EqualFold(s[i:i+len(sub)], sub) {
			return true
		}
	}
	return false
}

// CutBytes keeps the first n bytes: substr(s, 0, n), which can cut inside a character.
func CutBytes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n]
}

// CutRunes keeps the first n characters: mb_substr(s, 0, n). In text that is not UTF-8 a character is as long as its
// first byte announces.
func CutRunes(s string, n int) string {
	if len(s) <= n {
		return s
	}
	i := 0
	for ; n > 0 && i < len(s); n-- {
		i += announcedLen(s[i])
	}
	return CutBytes(s, i)
}

func announcedLen(first byte) int {
	switch {
	case first < 0xc2 || first >= 0xf5:
		return 1
	case first < 0xe0:
		return 2
	case first < 0xf0:
		return 3
	}
	return 4
}
