package pattern

import "strconv"

// escape reads a backslash sequence outside a class.
func (p *parser) escape() (*node, error) {
	if p.pos+1 < len(p.src) {
		k := kindEmpty
		switch p.src[p.pos+1] {
		case 'b':
			k = kindWord
		case 'B':
			k = kindNotWord
		case 'A':
			k = kindBegin
		case 'Z':
			k = kindEnd
		case 'z':
			k = kindTextEnd
		}
		if k != kindEmpty {
			p.pos += 2
			return &node{kind: k}, nil
		}
	}
	s, _, err := p.escapedSet()
	if err != nil {
		return nil, err
	}
	s.fold()
	return &node{kind: kindSet, set: s}, nil
}

// escapedSet reads a backslash sequence that stands for bytes, inside or outside a class. single tells that it is one
// byte, which can be the end of a range.
func (p *parser) escapedSet() (s set, single bool, err error) {
	p.pos++
	if !p.more() {
		return s, false, p.fail("\\ at end of pattern")
	}
	c := p.src[p.pos]
	p.pos++
	switch c {
	case 'd':
		return digits, false, nil
	case 'D':
		return not(digits), false, nil
	case 'w':
		return words, false, nil
	case 'W':
		return not(words), false, nil
	case 's':
		return blanks, false, nil
	case 'S':
		return not(blanks), false, nil
	case 't':
		return setOf('\t'), true, nil
	case 'n':
		return setOf('\n'), true, nil
	case 'r':
		return setOf('\r'), true, nil
	case 'f':
		return setOf('\f'), true, nil
	case 'x':
		return p.hexadecimal()
	}
	if words.has(c) && c != '_' {
		return s, false, p.unsupported("escape \\" + string(rune(c)))
	}
	return setOf(c), true, nil
}

func (p *parser) hexadecimal() (s set, single bool, err error) {
	if p.pos+2 > len(p.src) {
		return s, false, p.unsupported("short \\x")
	}
	v, err := strconv.ParseUint(p.src[p.pos:p.pos+2], 16, 8)
	if err != nil {
		return s, false, p.unsupported("\\x form")
	}
	p.pos += 2
	return setOf(byte(v)), true, nil
}

// class reads a bracket expression.
func (p *parser) class() (*node, error) {
	p.pos++
	negated := p.accept("^")
	var s set
	for first := true; ; first = false {
		if !p.more() {
			return nil, p.fail("missing ]")
		}
		if !first && p.accept("]") {
			break
		}
		item, single, err := p.classItem()
		if err != nil {
			return nil, err
		}
		if single && p.rangeFollows() {
			p.pos++
			end, ok, err := p.classItem()
			if err != nil {
				return nil, err
			}
			lo, hi := item.members()[0], end.members()[0]
			if !ok || hi < lo {
				return nil, p.fail("range out of order")
			}
			item.addRange(lo, hi)
		}
		s.union(item)
	}
	s.fold()
	if negated {
		s.negate()
	}
	return &node{kind: kindSet, set: s}, nil
}

func (p *parser) classItem() (s set, single bool, err error) {
	switch {
	case !p.more():
		return s, false, p.fail("missing ]")
	case p.src[p.pos] == '\\' && p.pos+1 < len(p.src) && p.src[p.pos+1] == 'b':
		p.pos += 2
		return setOf('\b'), true, nil
	case p.src[p.pos] == '\\':
		return p.escapedSet()
	case p.src[p.pos] == '[' && p.pos+1 < len(p.src) &&
		(p.src[p.pos+1] == ':' || p.src[p.pos+1] == '.' || p.src[p.pos+1] == '='):
		return s, false, p.unsupported("named class")
	}
	s.add(p.src[p.pos])
	p.pos++
	return s, true, nil
}

// rangeFollows reports whether a hyphen at the current position joins two ends, instead of standing for itself before
// the bracket or a class such as \d.
func (p *parser) rangeFollows() bool {
	rest := p.src[p.pos:]
	if len(rest) < 2 || rest[0] != '-' || rest[1] == ']' {
		return false
	}
	if rest[1] != '\\' || len(rest) < 3 {
		return true
	}
	switch rest[2] {
	case 'd', 'D', 'w', 'W', 's', 'S':
		return false
	}
	return true
}
