package php

import "strings"

// escape reads what follows a backslash outside of a class.
func (p *parser) escape() (n *node, repeatable bool, err error) {
	if p.done() {
		return nil, false, errPattern
	}
	switch c := p.s[p.pos]; c {
	case 'b', 'B':
		p.pos++
		return &node{op: opBoundary, negated: c == 'B'}, false, nil
	case 'A', 'G':
		p.pos++
		return &node{op: opStart}, false, nil
	case 'Z':
		p.pos++
		return &node{op: opEndLine}, false, nil
	case 'z':
		p.pos++
		return &node{op: opEnd}, false, nil
	case 'R':
		p.pos++
		return lineBreak(p.limit()), true, nil
	case 'N':
		p.pos++
		if _, _, end := p.braces(p.pos); end == 0 && p.take("{") {
			return nil, false, errPattern
		}
		return &node{op: opSet, set: newlineSet.negate(p.limit())}, true, nil
	case 'K':
		if p.looking > 0 { // PCRE2's versions differ
			return nil, false, ErrUnsupported
		}
		p.pos++
		return &node{op: opConcat}, false, nil // only the beginning of what is found changes
	case 'X', 'C':
		return nil, false, ErrUnsupported
	case 'g', 'k', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		n, err = p.backref()
		return n, true, err
	}
	if set, ok, err := p.classEscape(); ok || err != nil {
		return &node{op: opSet, set: set}, true, err
	}
	c, err := p.charEscape()
	return p.char(c), true, err
}

// lineBreak is \R: any line break, \r\n as one.
func lineBreak(limit rune) *node {
	pair := &node{op: opConcat, subs: []*node{{op: opSet, set: runeSet{'\r', '\r'}}, {op: opSet, set: newlineSet}}}
	single := &node{op: opSet, set: verticalSet.upTo(limit)}
	return &node{op: opAtomic, subs: []*node{{op: opAlternate, subs: []*node{pair, single}}}}
}

// backref reads \1, \g1, \g{-1}, \g{name}, \k<name>, \k'name', \k{name}. A number of two digits or more that is no group yet is octal.
func (p *parser) backref() (*node, error) {
	switch {
	case p.take("k<"):
		return p.namedBackref(">")
	case p.take("k'"):
		return p.namedBackref("'")
	case p.take("k{"):
		return p.namedBackref("}")
	case p.take("g{"):
		if p.done() || !isDigit(p.s[p.pos]) && p.s[p.pos] != '-' && p.s[p.pos] != '+' {
			return p.namedBackref("}")
		}
		n, err := p.numberedBackref()
		if err == nil && !p.take("}") {
			err = errPattern
		}
		return n, err
	case p.take("g<"), p.take("g'"):
		return nil, ErrUnsupported
	case p.take("g"):
		return p.numberedBackref()
	case p.s[p.pos] == 'k':
		return nil, errPattern
	}
	end := skipDigits(p.s, p.pos)
	index, _ := leadingDigits(p.s[p.pos:end])
	if index >= 10 && p.s[p.pos] < '8' && index > p.captures {
		c, err := p.octal(3)
		return p.char(c), err
	}
	p.pos = end
	return p.backrefTo(index), nil
}

// numberedBackref reads a number; with a sign it counts from here.
func (p *parser) numberedBackref() (*node, error) {
	back, ahead := p.take("-"), false
	if !back {
		ahead = p.take("+")
	}
	end := skipDigits(p.s, p.pos)
	index, ok := leadingDigits(p.s[p.pos:end])
	p.pos = end
	switch {
	case back:
		index = p.captures + 1 - index
	case ahead:
		index += p.captures
	}
	if !ok || index <= 0 {
		return nil, errPattern
	}
	return p.backrefTo(index), nil
}

func (p *parser) backrefTo(index int) *node {
	p.backrefs = append(p.backrefs, index)
	return &node{op: opBackref, index: index, caseless: p.flags.caseless}
}

// classEscape reads an escape that stands for a class, such as \d.
func (p *parser) classEscape() (set runeSet, ok bool, err error) {
	c := p.s[p.pos]
	switch c {
	case 'd', 'D':
		set, _ = namedSet("digit", p.flags.utf)
	case 'w', 'W':
		set, _ = namedSet("word", p.flags.utf)
	case 's', 'S':
		set, _ = namedSet("space", p.flags.utf)
	case 'h', 'H':
		set = horizontalSet
	case 'v', 'V':
		set = verticalSet
	case 'p', 'P':
		p.pos++
		set, err = p.property(c == 'P')
		return set, err == nil, err
	default:
		return nil, false, nil
	}
	p.pos++
	if c < 'a' {
		return set.negate(p.limit()), true, nil
	}
	return set.upTo(p.limit()).normal(), true, nil
}

// property reads what follows \p or \P.
func (p *parser) property(negated bool) (runeSet, error) {
	name, ok := "", true
	switch {
	case p.take("{"):
		name, ok = p.takeUntil("}")
	case p.done():
		ok = false
	default:
		name = string(p.next())
	}
	if rest, is := strings.CutPrefix(name, "^"); is {
		negated, name = !negated, rest
	}
	set, known := propertySet(name)
	if !ok || !known {
		return nil, errPattern
	}
	if negated {
		return set.negate(p.limit()).upTo(p.limit()), nil
	}
	return set.upTo(p.limit()).normal(), nil
}

// charEscape reads an escape that stands for one character.
func (p *parser) charEscape() (rune, error) {
	c := p.next()
	switch c {
	case 'a':
		return 7, nil
	case 'e':
		return 27, nil
	case 'f':
		return '\f', nil
	case 'n':
		return '\n', nil
	case 'r':
		return '\r', nil
	case 't':
		return '\t', nil
	case '0', '1', '2', '3', '4', '5', '6', '7':
		p.pos--
		return p.octal(3)
	case 'o':
		return p.bracedNumber(8)
	case 'x':
		return p.hexEscape()
	case 'c':
		return p.controlEscape()
	}
	if c < 0x80 && isAlphaNumeric(byte(c)) {
		return 0, errPattern
	}
	return c, nil
}

func (p *parser) octal(digits int) (rune, error) {
	c := rune(0)
	for ; digits > 0 && !p.done() && p.s[p.pos] >= '0' && p.s[p.pos] <= '7'; digits-- {
		c = c*8 + rune(p.s[p.pos]-'0')
		p.pos++
	}
	if c > p.limit() {
		return 0, errPattern
	}
	return c, nil
}

// hexEscape reads up to two digits, or any number in braces.
func (p *parser) hexEscape() (rune, error) {
	if strings.HasPrefix(p.s[p.pos:], "{") {
		return p.bracedNumber(16)
	}
	c := rune(0)
	for digits := 2; digits > 0 && !p.done() && hexDigit(p.s[p.pos]) >= 0; digits-- {
		c = c*16 + rune(hexDigit(p.s[p.pos]))
		p.pos++
	}
	return c, nil
}

func (p *parser) bracedNumber(base int) (rune, error) {
	if !p.take("{") {
		return 0, errPattern
	}
	body, ok := p.takeUntil("}")
	if !ok || body == "" {
		return 0, errPattern
	}
	c := rune(0)
	for i := range len(body) {
		digit := hexDigit(body[i])
		if digit < 0 || digit >= base {
			return 0, errPattern
		}
		if c = c*rune(base) + rune(digit); c > p.limit() {
			return 0, errPattern
		}
	}
	return c, nil
}

// controlEscape is \cA: a printable ASCII character with one bit changed.
func (p *parser) controlEscape() (rune, error) {
	if p.done() || p.s[p.pos] < ' ' || p.s[p.pos] > '~' {
		return 0, errPattern
	}
	c := p.s[p.pos]
	p.pos++
	if lower(c) != c {
		return rune(c ^ 0x40), nil
	}
	if 'a' <= c && c <= 'z' {
		c -= 'a' - 'A'
	}
	return rune(c ^ 0x40), nil
}
