package php

import (
	"strconv"
	"strings"
)

// highBytes is where the bytes from 0x80 on are mapped to in patterns and subjects without the modifier u: characters for private
// use are no letters, digits or white space, as these bytes are not for PCRE.
const highBytes = 0xe000

// emitter writes a parsed expression in the syntax of one of the two engines.
type emitter struct {
	b    strings.Builder
	utf  bool
	full bool // for the engine that goes back, not for the automaton
}

func emit(n *node, utf, full bool) string {
	e := &emitter{utf: utf, full: full}
	e.node(n)
	return e.b.String()
}

func (e *emitter) node(n *node) {
	switch n.op {
	case opSet:
		e.set(n.set)
	case opConcat:
		for _, sub := range n.subs {
			e.grouped(sub, sub.op == opAlternate)
		}
	case opAlternate:
		for i, sub := range n.subs {
			if i > 0 {
				e.b.WriteByte('|')
			}
			e.node(sub)
		}
	case opRepeat:
		e.repeat(n)
	case opCapture:
		e.wrap("(", n.subs[0])
	case opAtomic:
		e.wrap("(?>", n.subs[0])
	case opLook:
		e.wrap(lookOpening(n), n.subs[0])
	case opBackref:
		e.backref(n)
	default:
		e.assertion(n)
	}
}

func (e *emitter) wrap(opening string, n *node) {
	e.b.WriteString(opening)
	e.node(n)
	e.b.WriteByte(')')
}

func (e *emitter) grouped(n *node, group bool) {
	if group {
		e.wrap("(?:", n)
		return
	}
	e.node(n)
}

func lookOpening(n *node) string {
	switch {
	case n.behind && n.negated:
		return "(?<!"
	case n.behind:
		return "(?<="
	case n.negated:
		return "(?!"
	}
	return "(?="
}

func (e *emitter) backref(n *node) {
	if n.caseless {
		e.b.WriteString(`(?i:\`)
	} else {
		e.b.WriteString(`(?:\`)
	}
	e.b.WriteString(strconv.Itoa(n.index) + ")")
}

func (e *emitter) repeat(n *node) {
	e.grouped(n.subs[0], n.subs[0].op != opSet && n.subs[0].op != opCapture)
	switch {
	case n.min == 0 && n.max == endless:
		e.b.WriteByte('*')
	case n.min == 1 && n.max == endless:
		e.b.WriteByte('+')
	case n.min == 0 && n.max == 1:
		e.b.WriteByte('?')
	default:
		e.b.WriteString("{" + strconv.Itoa(n.min))
		if n.max != n.min {
			e.b.WriteByte(',')
			if n.max != endless {
				e.b.WriteString(strconv.Itoa(n.max))
			}
		}
		e.b.WriteByte('}')
	}
	if n.lazy {
		e.b.WriteByte('?')
	}
}

func (e *emitter) assertion(n *node) {
	switch n.op {
	case opStart:
		e.b.WriteString(`\A`)
	case opEnd:
		e.b.WriteString(`\z`)
	case opEndLine:
		if e.full {
			e.b.WriteString(`(?=\n?\z)`)
		} else {
			e.b.WriteString(`\z`)
		}
	case opLineStart:
		e.b.WriteString(`(?:\A|(?<=\n)(?!\z))`)
	case opLineEnd:
		e.b.WriteString(`(?=\n|\z)`)
	case opBoundary:
		e.boundary(n.negated)
	}
}

func (e *emitter) boundary(negated bool) {
	if !e.utf {
		if negated {
			e.b.WriteString(`\B`)
		} else {
			e.b.WriteString(`\b`)
		}
		return
	}
	word, _ := namedSet("word", true)
	set := &emitter{utf: true, full: true}
	set.set(word.normal())
	w := set.b.String()
	if negated {
		e.b.WriteString("(?:(?<=" + w + ")(?=" + w + ")|(?<!" + w + ")(?!" + w + "))")
		return
	}
	e.b.WriteString("(?:(?<=" + w + ")(?!" + w + ")|(?<!" + w + ")(?=" + w + "))")
}

func (e *emitter) set(s runeSet) {
	switch {
	case len(s) == 0:
		if e.full {
			e.b.WriteString(`(?!)`)
		} else {
			e.b.WriteString(`[^\x00-\x{10FFFF}]`)
		}
		return
	case len(s) == 2 && s[0] == s[1]:
		e.rune(s[0])
		return
	}
	e.b.WriteByte('[')
	for i := 0; i < len(s); i += 2 {
		e.span(s[i], s[i+1])
	}
	e.b.WriteByte(']')
}

// span writes a range within a class. One that reaches beyond ASCII is split where the mapping has a gap.
func (e *emitter) span(low, high rune) {
	if !e.utf && low < 0x80 && high >= 0x80 {
		e.span(low, 0x7f)
		low = 0x80
	}
	e.rune(low)
	if high > low {
		e.b.WriteByte('-')
		e.rune(high)
	}
}

func (e *emitter) rune(r rune) {
	if !e.utf && r >= 0x80 {
		r += highBytes
	}
	switch {
	case r < 0x80 && isAlphaNumeric(byte(r)):
		e.b.WriteRune(r)
	case !e.full:
		e.b.WriteString(`\x{` + strconv.FormatInt(int64(r), 16) + "}")
	case r <= 0xffff:
		e.b.WriteString(`\u` + strconv.FormatInt(int64(r)+0x10000, 16)[1:])
	default:
		e.b.WriteRune(r)
	}
}
