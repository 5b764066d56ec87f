package php

import "strings"

// classItem is one item of a bracketed class: a character or a class of its own.
type classItem struct {
	char    rune
	set     runeSet
	isClass bool
}

// class reads what follows an opening bracket. A POSIX class such as [:alpha:] is an error outside of brackets of its own.
func (p *parser) class() (*node, error) {
	p.pos--
	if _, posix, err := p.posixClass(); posix || err != nil {
		return nil, errPattern
	}
	p.pos++
	negated := p.take("^")
	var set runeSet
	for first := true; ; first = false {
		end, err := p.classEnds(first)
		if err != nil {
			return nil, err
		}
		if end {
			break
		}
		if set, err = p.classRange(set); err != nil {
			return nil, err
		}
	}
	set = set.normal()
	if p.flags.caseless {
		set = set.fold(p.flags.utf)
	}
	if negated {
		set = set.negate(p.limit())
	}
	return &node{op: opSet, set: set}, nil
}

// classEnds takes the closing bracket; as the first item it stands for itself.
func (p *parser) classEnds(first bool) (bool, error) {
	p.skipQuoting()
	if p.done() {
		return false, errPattern
	}
	if p.literal || first || p.s[p.pos] != ']' {
		return false, nil
	}
	p.pos++
	return true, nil
}

// skipQuoting skips \Q and \E.
func (p *parser) skipQuoting() {
	for {
		switch {
		case p.take(`\E`):
			p.literal = false
		case !p.literal && p.take(`\Q`):
			p.literal = true
		default:
			return
		}
	}
}

// classRange reads one item or a range of two.
func (p *parser) classRange(set runeSet) (runeSet, error) {
	low, err := p.classItem()
	if err != nil {
		return nil, err
	}
	p.skipQuoting()
	if p.literal || !p.rangeFollows() {
		return append(set, low.asSet()...), nil
	}
	p.pos++
	p.skipQuoting()
	if low.isClass || p.done() {
		return nil, errPattern
	}
	high, err := p.classItem()
	if err != nil || high.isClass || high.char < low.char {
		return nil, errPattern
	}
	return set.add(low.char, high.char), nil
}

// rangeFollows reports whether a hyphen comes next that is not the last item.
func (p *parser) rangeFollows() bool {
	rest := p.s[p.pos:]
	return len(rest) > 1 && rest[0] == '-' && rest[1] != ']'
}

func (i classItem) asSet() runeSet {
	if i.isClass {
		return i.set
	}
	return runeSet{i.char, i.char}
}

func (p *parser) classItem() (classItem, error) {
	if !p.literal {
		if item, ok, err := p.posixClass(); ok || err != nil {
			return item, err
		}
	}
	c := p.next()
	if c != '\\' || p.literal {
		return classItem{char: c}, nil
	}
	if p.done() {
		return classItem{}, errPattern
	}
	if p.s[p.pos] == 'b' {
		p.pos++
		return classItem{char: '\b'}, nil
	}
	set, ok, err := p.classEscape()
	if ok || err != nil {
		return classItem{set: set, isClass: true}, err
	}
	if c := p.s[p.pos]; c == '8' || c == '9' || c == 'g' {
		p.pos++
		return classItem{char: rune(c)}, nil
	}
	c, err = p.charEscape()
	return classItem{char: c}, err
}

// posixClass reads [:alpha:] and [:^alpha:]; the collating forms [.a.] and [=a=] are errors.
func (p *parser) posixClass() (item classItem, ok bool, err error) {
	rest := p.s[p.pos:]
	if len(rest) < 2 || rest[0] != '[' || strings.IndexByte(":.=", rest[1]) < 0 {
		return item, false, nil
	}
	name, _, found := strings.Cut(rest[2:], rest[1:2]+"]")
	if !found || strings.ContainsAny(name, `]\`) {
		return item, false, nil
	}
	if rest[1] != ':' {
		return item, false, errPattern
	}
	p.pos += len(name) + 4
	name, negated := strings.CutPrefix(name, "^")
	if p.flags.caseless && (name == "lower" || name == "upper") {
		name = "alpha"
	}
	set, known := namedSet(name, p.flags.utf)
	if !known {
		return item, false, errPattern
	}
	if negated {
		set = set.negate(p.limit())
	}
	return classItem{set: set, isClass: true}, true, nil
}
