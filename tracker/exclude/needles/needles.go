// Package needles finds any of many texts in another text.
package needles

import "github.com/queuedtracking/queuedtracking/internal/php"

// gramLen is the length of the starts by which needles are told apart.
const gramLen = 4

// filterBits is the size of the filter, as a power of two.
const filterBits = 16

// Needles finds any of many texts in another text, with the case of ASCII letters ignored. A filter of the needles'
// first four bytes rules out nearly every place of the text, a map from these bytes to the needles most of the others.
type Needles struct {
	everywhere bool     // there is an empty needle
	short      []string // needles of less than four bytes
	filter     [1 << filterBits / 64]uint64
	byStart    map[uint32][]string
}

// New prepares the search for texts.
func New(texts []string) *Needles {
	n := &Needles{byStart: make(map[uint32][]string, len(texts))}
	for _, text := range texts {
		switch {
		case text == "":
			n.everywhere = true
		case len(text) < gramLen:
			n.short = append(n.short, text)
		default:
			start := gram(text)
			n.byStart[start] = append(n.byStart[start], text)
			slot := filterSlot(start)
			n.filter[slot/64] |= 1 << (slot % 64)
		}
	}
	return n
}

// In reports whether text contains one of the needles.
func (n *Needles) In(text string) bool {
	if n.everywhere {
		return true
	}
	for _, needle := range n.short {
		if php.ContainsFold(text, needle) {
			return true
		}
	}
	if len(text) < gramLen {
		return false
	}
	start := gram(text)
	for i := 0; ; i++ {
		if slot := filterSlot(start); n.filter[slot/64]>>(slot%64)&1 != 0 && n.at(text[i:], start) {
			return true
		}
		if i+gramLen == len(text) {
			return false
		}
		start = start<<8 | uint32(lower(text[i+gramLen]))
	}
}

// at reports whether a needle with this start begins text.
func (n *Needles) at(text string, start uint32) bool {
	for _, needle := range n.byStart[start] {
		if len(needle) <= len(text) && php.EqualFold(text[:len(needle)], needle) {
			return true
		}
	}
	return false
}

// gram packs the first four bytes, in lower case.
func gram(s string) uint32 {
	return uint32(lower(s[0]))<<24 | uint32(lower(s[1]))<<16 | uint32(lower(s[2]))<<8 | uint32(lower(s[3]))
}

func filterSlot(gram uint32) uint32 { return gram * 0x9e3779b1 >> (32 - filterBits) }

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}
