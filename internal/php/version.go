package php

import (
	"cmp"
	"strings"
)

// anyNumber stands for a number when it is compared with text.
const anyNumber = "#N#"

// VersionCompare is version_compare (spec §A.12): -1, 0 or 1. Text orders dev < alpha < beta < RC < number < pl, other
// text is before dev; "1.0" is before "1.0.0".
func VersionCompare(a, b string) int {
	if a == "" || b == "" {
		return cmp.Compare(min(len(a), 1), min(len(b), 1))
	}
	restA, restB := dottedVersion(a), dottedVersion(b)
	moreA, moreB := true, true
	for restA != "" && moreA && restB != "" && moreB {
		var partA, partB string
		partA, restA, moreA = strings.Cut(restA, ".")
		partB, restB, moreB = strings.Cut(restB, ".")
		if c := compareVersionParts(partA, partB); c != 0 {
			return c
		}
	}
	switch {
	case moreA && startsWithDigit(restA):
		return 1
	case moreA:
		return VersionCompare(restA, anyNumber)
	case moreB && startsWithDigit(restB):
		return -1
	case moreB:
		return VersionCompare(anyNumber, restB)
	}
	return 0
}

func startsWithDigit(s string) bool { return s != "" && isDigit(s[0]) }

func compareVersionParts(a, b string) int {
	if startsWithDigit(a) && startsWithDigit(b) {
		return cmp.Compare(StringToInt(a), StringToInt(b))
	}
	if startsWithDigit(a) {
		a = anyNumber
	}
	if startsWithDigit(b) {
		b = anyNumber
	}
	return cmp.Compare(versionForm(a), versionForm(b))
}

// versionForms are the words with a meaning. A part has the first form that it begins with.
var versionForms = []struct {
	prefix string
	order  int
}{{"dev", 0}, {"alpha", 1}, {"a", 1}, {"beta", 2}, {"b", 2}, {"RC", 3}, {"rc", 3}, {"#", 4}, {"pl", 5}, {"p", 5}}

func versionForm(part string) int {
	for _, form := range versionForms {
		if strings.HasPrefix(part, form.prefix) {
			return form.order
		}
	}
	return -1
}

// dottedVersion puts single dots in place of everything that is no letter or digit, and between letters and digits:
// "1.0-rc1" becomes "1.0.rc.1". A text that starts with "#" stays as it is, and so does every first byte.
func dottedVersion(s string) string {
	if s[0] == '#' {
		return s
	}
	b := []byte{s[0]}
	for i := 1; i < len(s); i++ {
		last, c := s[i-1], s[i]
		changes := !isVersionMark(c) &&
			(isDigit(last) && !isDigit(c) && c != '.' || !isDigit(last) && last != '.' && isDigit(c))
		if (changes || !isAlphaNumeric(c)) && b[len(b)-1] != '.' {
			b = append(b, '.')
		}
		if changes || isAlphaNumeric(c) {
			b = append(b, c)
		}
	}
	return string(b)
}

func isVersionMark(b byte) bool { return b == '-' || b == '_' || b == '+' }
