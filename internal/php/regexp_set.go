package php

import (
	"slices"
	"unicode"
)

// runeSet is a set of characters as sorted pairs of first and last one. Without the modifier u a character is a byte.
type runeSet []rune

func (s runeSet) add(low, high rune) runeSet { return append(s, low, high) }

// normal sorts the pairs and joins those that touch.
func (s runeSet) normal() runeSet {
	type pair struct{ low, high rune }
	pairs := make([]pair, 0, len(s)/2)
	for i := 0; i < len(s); i += 2 {
		pairs = append(pairs, pair{s[i], s[i+1]})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return int(a.low - b.low) })
	var joined runeSet
	for _, p := range pairs {
		if n := len(joined); n > 0 && p.low <= joined[n-1]+1 {
			joined[n-1] = max(joined[n-1], p.high)
			continue
		}
		joined = joined.add(p.low, p.high)
	}
	return joined
}

// negate is what is missing up to limit.
func (s runeSet) negate(limit rune) runeSet {
	var out runeSet
	next := rune(0)
	s = s.normal()
	for i := 0; i < len(s); i += 2 {
		if s[i] > next {
			out = out.add(next, s[i]-1)
		}
		next = s[i+1] + 1
	}
	if next <= limit {
		out = out.add(next, limit)
	}
	return out
}

// upTo leaves out what is beyond limit.
func (s runeSet) upTo(limit rune) runeSet {
	var out runeSet
	for i := 0; i < len(s); i += 2 {
		if s[i] <= limit {
			out = out.add(s[i], min(s[i+1], limit))
		}
	}
	return out
}

// fold adds the other cases of the letters: all of Unicode's with the modifier u, ASCII ones without.
func (s runeSet) fold(utf bool) runeSet {
	out := slices.Clone(s)
	for i := 0; i < len(s); i += 2 {
		if utf {
			for r := s[i]; r <= s[i+1]; r++ {
				for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
					out = out.add(f, f)
				}
			}
			continue
		}
		out = foldASCII(foldASCII(out, s[i], s[i+1], 'a', 'A'), s[i], s[i+1], 'A', 'a')
	}
	return out.normal()
}

// foldASCII adds to out the letters from "to" on that correspond to those between low and high from "from" on.
func foldASCII(out runeSet, low, high, from, to rune) runeSet {
	low, high = max(low, from), min(high, from+25)
	if low > high {
		return out
	}
	return out.add(low-from+to, high-from+to)
}

func setOfTable(table *unicode.RangeTable) runeSet {
	var s runeSet
	for _, r := range table.R16 {
		s = s.addStrided(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	for _, r := range table.R32 {
		s = s.addStrided(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	return s
}

func (s runeSet) addStrided(low, high, stride rune) runeSet {
	if stride == 1 {
		return s.add(low, high)
	}
	for r := low; r <= high; r += stride {
		s = s.add(r, r)
	}
	return s
}

// The classes that escapes stand for, in ASCII.
var (
	digitSet      = runeSet{'0', '9'}
	wordSet       = runeSet{'0', '9', 'A', 'Z', '_', '_', 'a', 'z'}
	spaceSet      = runeSet{'\t', '\r', ' ', ' '}
	horizontalSet = runeSet{'\t', '\t', ' ', ' ', 0xa0, 0xa0, 0x1680, 0x1680, 0x180e, 0x180e, 0x2000, 0x200a, 0x202f, 0x202f, 0x205f, 0x205f, 0x3000, 0x3000}
	verticalSet   = runeSet{'\n', '\r', 0x85, 0x85, 0x2028, 0x2029}
	newlineSet    = runeSet{'\n', '\n'}
)

var posixSets = map[string]runeSet{
	"alnum":  {'0', '9', 'A', 'Z', 'a', 'z'},
	"alpha":  {'A', 'Z', 'a', 'z'},
	"ascii":  {0, 127},
	"blank":  {'\t', '\t', ' ', ' '},
	"cntrl":  {0, 31, 127, 127},
	"digit":  digitSet,
	"graph":  {'!', '~'},
	"lower":  {'a', 'z'},
	"print":  {' ', '~'},
	"punct":  {'!', '/', ':', '@', '[', '`', '{', '~'},
	"space":  spaceSet,
	"upper":  {'A', 'Z'},
	"word":   wordSet,
	"xdigit": {'0', '9', 'A', 'F', 'a', 'f'},
}

// unicodeSets replaces classes when the modifier u is on.
var unicodeSets = map[string][]*unicode.RangeTable{
	"alnum": {unicode.L, unicode.N},
	"alpha": {unicode.L},
	"digit": {unicode.Nd},
	"lower": {unicode.Ll},
	"upper": {unicode.Lu},
	"space": {unicode.Z},
	"word":  {unicode.L, unicode.N},
}

// namedSet is a POSIX class, which is also what \d, \s and \w stand for.
func namedSet(name string, utf bool) (runeSet, bool) {
	set, ok := posixSets[name]
	if !utf || !ok {
		return set, ok
	}
	switch name {
	case "alnum", "alpha", "digit", "lower", "upper":
		set = nil
	case "space":
		set = append(slices.Clone(spaceSet), 0x85, 0x85)
	}
	for _, table := range unicodeSets[name] {
		set = append(slices.Clip(set), setOfTable(table)...)
	}
	return set, true
}

// propertySet is the set of \p{name}.
func propertySet(name string) (runeSet, bool) {
	switch name {
	case "Any":
		return runeSet{0, unicode.MaxRune}, true
	case "L&":
		return slices.Concat(setOfTable(unicode.Lu), setOfTable(unicode.Ll), setOfTable(unicode.Lt)), true
	}
	table, ok := unicode.Categories[name]
	if !ok {
		table, ok = unicode.Scripts[name]
	}
	if !ok {
		return nil, false
	}
	return setOfTable(table), true
}
