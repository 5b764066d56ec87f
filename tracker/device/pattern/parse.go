package pattern

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// errUnsupported marks syntax that is valid but beyond this matcher.
var errUnsupported = errors.New("unsupported syntax")

type kind uint8

const (
	kindEmpty kind = iota
	kindSet
	kindConcat
	kindAlternate
	kindRepeat
	kindCapture
	kindLook
	kindAtomic
	kindBegin
	kindEnd
	kindTextEnd
	kindWord
	kindNotWord
)

// unlimited is the maximum of an open repetition.
const unlimited = -1

// maxCount bounds counted repetitions, and maxSize what they expand to.
const (
	maxCount = 1000
	maxSize  = 100_000
)

type node struct {
	kind     kind
	set      set     // kindSet
	subs     []*node // kindConcat, kindAlternate: all; others: one
	min, max int     // kindRepeat
	lazy     bool    // kindRepeat
	negative bool    // kindLook
	behind   bool    // kindLook
	group    int     // kindCapture, from 1
}

type parser struct {
	src    string
	pos    int
	groups int
}

// parse reads an expression. The error wraps errUnsupported when the syntax is PCRE's but not known here.
func parse(src string) (root *node, groups int, err error) {
	p := &parser{src: src}
	root, err = p.alternation()
	switch {
	case err == nil && p.pos < len(src):
		err = p.fail("unmatched )")
	case err == nil && size(root) > maxSize:
		err = p.unsupported("repetitions this long")
	}
	return root, p.groups, err
}

func (p *parser) fail(what string) error { return fmt.Errorf("%s at offset %d", what, p.pos) }

func (p *parser) unsupported(what string) error {
	return fmt.Errorf("%w: %s at offset %d", errUnsupported, what, p.pos)
}

func (p *parser) more() bool { return p.pos < len(p.src) }

func (p *parser) accept(s string) bool {
	if strings.HasPrefix(p.src[p.pos:], s) {
		p.pos += len(s)
		return true
	}
	return false
}

func (p *parser) alternation() (*node, error) {
	var branches []*node
	for {
		n, err := p.concatenation()
		if err != nil {
			return nil, err
		}
		branches = append(branches, n)
		if !p.accept("|") {
			break
		}
	}
	if len(branches) == 1 {
		return branches[0], nil
	}
	return &node{kind: kindAlternate, subs: branches}, nil
}

func (p *parser) concatenation() (*node, error) {
	var items []*node
	for p.more() && p.src[p.pos] != '|' && p.src[p.pos] != ')' {
		n, err := p.atom()
		if err != nil {
			return nil, err
		}
		if n, err = p.quantified(n); err != nil {
			return nil, err
		}
		items = append(items, n)
	}
	switch len(items) {
	case 0:
		return &node{kind: kindEmpty}, nil
	case 1:
		return items[0], nil
	}
	return &node{kind: kindConcat, subs: items}, nil
}

func (p *parser) atom() (*node, error) {
	c := p.src[p.pos]
	switch c {
	case '(':
		return p.parenthesis()
	case '[':
		return p.class()
	case '*', '+', '?':
		return nil, p.fail("nothing to repeat")
	case '\\':
		return p.escape()
	}
	p.pos++
	switch c {
	case '.':
		return &node{kind: kindSet, set: anything}, nil
	case '^':
		return &node{kind: kindBegin}, nil
	case '$':
		return &node{kind: kindEnd}, nil
	}
	return literal(c), nil
}

func literal(b byte) *node {
	s := setOf(b)
	s.fold()
	return &node{kind: kindSet, set: s}
}

func (p *parser) parenthesis() (*node, error) {
	p.pos++
	n := &node{}
	switch {
	case p.accept("?:"):
		n.kind = kindConcat
	case p.accept("?="):
		n.kind = kindLook
	case p.accept("?!"):
		n.kind, n.negative = kindLook, true
	case p.accept("?<="):
		n.kind, n.behind = kindLook, true
	case p.accept("?<!"):
		n.kind, n.behind, n.negative = kindLook, true, true
	case p.accept("?>"):
		n.kind = kindAtomic
	case p.accept("?"), p.accept("*"):
		return nil, p.unsupported("group type")
	default:
		p.groups++
		n.kind, n.group = kindCapture, p.groups
	}
	body, err := p.alternation()
	if err != nil {
		return nil, err
	}
	if !p.accept(")") {
		return nil, p.fail("missing )")
	}
	n.subs = []*node{body}
	if n.behind {
		return n, p.checkLengths(body)
	}
	return n, nil
}

// checkLengths refuses a look-behind whose alternatives are not of fixed length.
func (p *parser) checkLengths(body *node) error {
	for _, b := range branches(body) {
		if _, ok := fixedLength(b); !ok {
			return p.unsupported("look-behind of variable length")
		}
	}
	return nil
}

// quantified wraps n in the repetition that follows it, if one does.
func (p *parser) quantified(n *node) (*node, error) {
	for p.more() {
		lo, hi, ok := p.quantifier()
		if !ok {
			break
		}
		if hi != unlimited && hi < lo {
			return nil, p.fail("repetition out of order")
		}
		if lo > maxCount || hi > maxCount {
			return nil, p.unsupported("long repetition")
		}
		n = &node{kind: kindRepeat, subs: []*node{n}, min: lo, max: hi}
		if p.accept("?") {
			n.lazy = true
		} else if p.accept("+") {
			n = &node{kind: kindAtomic, subs: []*node{n}}
		}
	}
	return n, nil
}

func (p *parser) quantifier() (lo, hi int, ok bool) {
	switch {
	case p.accept("*"):
		return 0, unlimited, true
	case p.accept("+"):
		return 1, unlimited, true
	case p.accept("?"):
		return 0, 1, true
	case p.src[p.pos] != '{':
		return 0, 0, false
	}
	text, _, closed := strings.Cut(p.src[p.pos+1:], "}")
	from, to, ranged := strings.Cut(text, ",")
	lo, err := strconv.Atoi(from)
	if !closed || err != nil || lo < 0 {
		return 0, 0, false
	}
	hi = lo
	switch {
	case ranged && to == "":
		hi = unlimited
	case ranged:
		if hi, err = strconv.Atoi(to); err != nil || hi < 0 {
			return 0, 0, false
		}
	}
	p.pos += len(text) + 2
	return lo, hi, true
}
