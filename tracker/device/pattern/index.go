package pattern

import (
	"math/bits"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// Index knows for many patterns which ones a text can match at all: those of which it holds a literal that every match
// needs. Patterns are numbered in the order in which they are added. An Index is not changed any more once subjects are
// made.
type Index struct {
	patterns []*Pattern
	always   []uint64                         // bit set: patterns without a literal
	grams    [maxGram + 1]map[uint32][]uint32 // by length: packed bytes -> patterns
	pairs    [1 << 16 / 64]uint64             // first two bytes of all grams
}

// Add checks and adds an expression and returns its number.
func (x *Index) Add(expr string, boundary Boundary) (int, error) {
	p, root, err := newPattern(expr, boundary)
	if err != nil {
		return 0, err
	}
	id := len(x.patterns)
	x.patterns = append(x.patterns, p)
	if len(x.always)*64 < len(x.patterns) {
		x.always = append(x.always, 0)
	}
	var literals []string
	if root != nil {
		n := analyse(root)
		literals = better(n.any, n.exact)
	}
	if literals == nil {
		x.always[id>>6] |= 1 << (id & 63)
	}
	for _, s := range literals {
		part, _ := gram(s)
		x.note(part, uint32(id))
	}
	return id, nil
}

// Len is the number of patterns.
func (x *Index) Len() int { return len(x.patterns) }

func (x *Index) note(gram string, id uint32) {
	if x.grams[len(gram)] == nil {
		x.grams[len(gram)] = map[uint32][]uint32{}
	}
	byGram := x.grams[len(gram)]
	ids := byGram[pack(gram)]
	if n := len(ids); n > 0 && ids[n-1] == id {
		return
	}
	byGram[pack(gram)] = append(ids, id)
	pair := pack(gram[:2])
	x.pairs[pair>>6] |= 1 << (pair & 63)
}

func pack(s string) uint32 {
	var v uint32
	for i := 0; i < len(s); i++ {
		v = v<<8 | uint32(s[i])
	}
	return v
}

// possible is the set of the patterns that text, which is lower-cased, can match.
func (x *Index) possible(text string) []uint64 {
	out := make([]uint64, len(x.always))
	copy(out, x.always)
	for i := 0; i+2 <= len(text); i++ {
		v := pack(text[i : i+2])
		if x.pairs[v>>6]&(1<<(v&63)) == 0 {
			continue
		}
		for size := 2; ; size++ {
			for _, id := range x.grams[size][v] {
				out[id>>6] |= 1 << (id & 63)
			}
			if size == maxGram || i+size >= len(text) {
				break
			}
			v = v<<8 | uint32(text[i+size])
		}
	}
	return out
}

// Subject is a text that patterns are tried on. It is for one goroutine.
type Subject struct {
	index   *Index
	text    string
	allowed []uint64
	starts  [boundaries][]int32 // where a match can begin, in the order in which PCRE gets there
	first   [boundaries]set     // the bytes at these places
	machine machine
}

// Subject prepares a text.
func (x *Index) Subject(text string) *Subject {
	s := &Subject{index: x, text: text, machine: machine{text: php.ToLower(text), budget: subjectLimit}}
	s.allowed = x.possible(s.machine.text)
	s.starts[AfterWord] = wordStarts(s.machine.text)
	s.starts[AfterLetter] = letterStarts(s.machine.text)
	for b := range s.starts {
		for _, pos := range s.starts[b] {
			if int(pos) < len(text) {
				s.first[b].add(s.machine.text[pos])
			}
		}
	}
	return s
}

// Match tries one pattern of the index.
func (s *Subject) Match(id int) (Groups, bool) {
	if s.allowed[id>>6]&(1<<(id&63)) == 0 {
		return nil, false
	}
	return s.Try(s.index.patterns[id])
}

// First finds the first pattern that matches among those numbered from, from+1 … to-1.
func (s *Subject) First(from, to int) (id int, groups Groups, ok bool) {
	for w := from >> 6; w<<6 < to; w++ {
		for word := s.allowed[w]; word != 0; word &= word - 1 {
			id := w<<6 + bits.TrailingZeros64(word)
			if id < from {
				continue
			}
			if id >= to {
				return 0, nil, false
			}
			if groups, ok := s.Try(s.index.patterns[id]); ok {
				return id, groups, true
			}
		}
	}
	return 0, nil, false
}

// Try tries a pattern, which need not be in the index.
func (s *Subject) Try(p *Pattern) (Groups, bool) {
	if p.foreign != nil {
		return s.tryForeign(p)
	}
	prog := p.program()
	if !prog.empty && !prog.first.meets(&s.first[p.boundary]) {
		return nil, false
	}
	if !s.machine.search(prog, s.starts[p.boundary]) {
		return nil, false
	}
	return newGroups(s.text, s.machine.registers[:2*(prog.groups+1)]), true
}

func (s *Subject) tryForeign(p *Pattern) (Groups, bool) {
	for _, pos := range s.starts[p.boundary] {
		if registers, ok := p.foreign.match(s.text, int(pos)); ok {
			return newGroups(s.text, registers), true
		}
	}
	return nil, false
}

// Groups are the texts of the capturing groups, the first group at 0. As in PHP a group that took no part is empty, and
// those after the last one that took part are left out.
type Groups []string

func newGroups(text string, registers []int32) Groups {
	var groups Groups
	for i := 2; i+1 < len(registers); i += 2 {
		if registers[i+1] < 0 {
			continue
		}
		for len(groups) < i/2 {
			groups = append(groups, "")
		}
		groups[i/2-1] = text[registers[i]:registers[i+1]]
	}
	return groups
}
