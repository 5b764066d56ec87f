package php

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	errPattern = errors.New("invalid regular expression")

	// ErrUnsupported is the error of a regular expression that PHP accepts.
	ErrUnsupported = errors.New("regular expression with a feature that is not supported")
)

// flags are the modifiers of a pattern that matter for matching.
type flags struct {
	caseless, multiline, dotAll, extended, ungreedy, dollarEnd, anchored, utf, noCapture, dupNames bool
}

// maxGroupDepth is PCRE2's limit for nested groups.
const maxGroupDepth = 250

// parser reads PCRE2's syntax.
type parser struct {
	s        string
	pos      int
	flags    flags
	depth    int
	captures int
	names    map[string]int
	backrefs []int
	pending  []namedRef
	literal  bool // between \Q and \E
	looking  int  // depth of look-around
}

// namedRef is a reference by name, resolved at the end because the group may come later.
type namedRef struct {
	node *node
	name string
}

// parsePattern reads a pattern without delimiters. It returns the number of its groups.
func parsePattern(s string, f flags) (root *node, captures int, err error) {
	if f.utf && !utf8.ValidString(s) {
		return nil, 0, errPattern
	}
	p := &parser{s: s, flags: f, names: map[string]int{}}
	root, err = p.alternatives()
	if err == nil && p.pos < len(s) {
		err = errPattern
	}
	if err == nil {
		err = p.resolve()
	}
	if err != nil {
		return nil, 0, fmt.Errorf("%q: %w", s, err)
	}
	if f.anchored {
		root = &node{op: opConcat, subs: []*node{{op: opStart}, root}}
	}
	return root, p.captures, nil
}

// resolve checks that all groups exist that are referred to.
func (p *parser) resolve() error {
	for _, ref := range p.pending {
		index, ok := p.names[ref.name]
		if !ok {
			return errPattern
		}
		ref.node.index = index
	}
	if len(p.backrefs) > 0 && slices.Max(p.backrefs) > p.captures {
		return errPattern
	}
	return nil
}

// limit is the largest character.
func (p *parser) limit() rune {
	if p.flags.utf {
		return unicode.MaxRune
	}
	return 0xff
}

func (p *parser) done() bool { return p.pos >= len(p.s) }

// next takes one character of the pattern.
func (p *parser) next() rune {
	if p.flags.utf {
		r, n := utf8.DecodeRuneInString(p.s[p.pos:])
		p.pos += n
		return r
	}
	p.pos++
	return rune(p.s[p.pos-1])
}

// take moves on if prefix comes next.
func (p *parser) take(prefix string) bool {
	if !strings.HasPrefix(p.s[p.pos:], prefix) {
		return false
	}
	p.pos += len(prefix)
	return true
}

// takeUntil takes what comes before an ending, and the ending.
func (p *parser) takeUntil(ending string) (string, bool) {
	text, _, ok := strings.Cut(p.s[p.pos:], ending)
	if ok {
		p.pos += len(text) + len(ending)
	}
	return text, ok
}

func (p *parser) alternatives() (*node, error) {
	if p.depth++; p.depth > maxGroupDepth {
		return nil, errPattern
	}
	defer func() { p.depth-- }()
	var subs []*node
	for {
		sub, err := p.concat()
		if err != nil {
			return nil, err
		}
		subs = append(subs, sub)
		if !p.take("|") {
			break
		}
	}
	if len(subs) == 1 {
		return subs[0], nil
	}
	return &node{op: opAlternate, subs: subs}, nil
}

func (p *parser) concat() (*node, error) {
	n := &node{op: opConcat}
	for {
		if err := p.skipIgnored(); err != nil {
			return nil, err
		}
		if p.done() || !p.literal && (p.s[p.pos] == '|' || p.s[p.pos] == ')') {
			return n, nil
		}
		sub, repeatable, err := p.item()
		if err != nil {
			return nil, err
		}
		if sub == nil {
			continue
		}
		if err := p.skipIgnored(); err != nil {
			return nil, err
		}
		if sub, err = p.quantified(sub, repeatable); err != nil {
			return nil, err
		}
		n.subs = append(n.subs, sub)
	}
}

// skipIgnored skips comments, \Q and \E, and with the modifier x white space.
func (p *parser) skipIgnored() error {
	for !p.done() {
		switch {
		case p.take(`\E`):
			p.literal = false
		case p.literal:
			return nil
		case p.take(`\Q`):
			p.literal = true
		case p.take("(?#"):
			if _, ok := p.takeUntil(")"); !ok {
				return errPattern
			}
		case p.flags.extended && isSpace(p.s[p.pos]):
			p.pos++
		case p.flags.extended && p.s[p.pos] == '#':
			if _, ok := p.takeUntil("\n"); !ok {
				p.pos = len(p.s)
			}
		default:
			return nil
		}
	}
	return nil
}

// item reads one item, nil when it only changes flags; repeatable tells whether a quantifier may follow.
func (p *parser) item() (n *node, repeatable bool, err error) {
	c := p.next()
	if p.literal {
		return p.char(c), true, nil
	}
	switch c {
	case '\\':
		return p.escape()
	case '[':
		n, err = p.class()
		return n, true, err
	case '(':
		n, err = p.group()
		return n, true, err
	case '.':
		return p.any(), true, nil
	case '^':
		if p.flags.multiline {
			return &node{op: opLineStart}, false, nil
		}
		return &node{op: opStart}, false, nil
	case '$':
		return p.dollar(), false, nil
	case '*', '+', '?':
		return nil, false, errPattern
	case '{':
		if _, _, end := p.braces(p.pos - 1); end > 0 {
			return nil, false, errPattern
		}
	}
	return p.char(c), true, nil
}

func (p *parser) any() *node {
	if p.flags.dotAll {
		return &node{op: opSet, set: runeSet{0, p.limit()}}
	}
	return &node{op: opSet, set: newlineSet.negate(p.limit())}
}

func (p *parser) dollar() *node {
	switch {
	case p.flags.multiline:
		return &node{op: opLineEnd}
	case p.flags.dollarEnd:
		return &node{op: opEnd}
	}
	return &node{op: opEndLine}
}

// char is a node for one character, or its cases.
func (p *parser) char(c rune) *node { return p.oneOf(runeSet{c, c}) }

func (p *parser) oneOf(set runeSet) *node {
	if p.flags.caseless {
		set = set.fold(p.flags.utf)
	}
	return &node{op: opSet, set: set}
}

// quantified adds the quantifier that follows n, if one does.
func (p *parser) quantified(n *node, repeatable bool) (*node, error) {
	if p.done() || p.literal {
		return n, nil
	}
	low, high, end := 0, endless, p.pos+1
	switch p.s[p.pos] {
	case '*':
	case '+':
		low = 1
	case '?':
		high = 1
	case '{':
		if low, high, end = p.braces(p.pos); end == 0 {
			return n, nil
		}
	default:
		return n, nil
	}
	const maxRepeat = 65535
	if !repeatable || low > maxRepeat || high > maxRepeat || high != endless && low > high {
		return nil, errPattern
	}
	p.pos = end
	if err := p.skipIgnored(); err != nil {
		return nil, err
	}
	n = &node{op: opRepeat, min: low, max: high, lazy: p.flags.ungreedy, subs: []*node{n}}
	switch {
	case p.literal:
	case p.take("+"):
		n.lazy = false
		return &node{op: opAtomic, subs: []*node{n}}, nil
	case p.take("?"):
		n.lazy = !n.lazy
	}
	return n, nil
}

// braces reads {n}, {n,} or {n,m} at a position; end is 0 when none is there.
func (p *parser) braces(at int) (low, high, end int) {
	if at >= len(p.s) || p.s[at] != '{' {
		return 0, 0, 0
	}
	body, _, ok := strings.Cut(p.s[at+1:], "}")
	if !ok {
		return 0, 0, 0
	}
	end = at + len(body) + 2
	first, second, comma := strings.Cut(body, ",")
	low, ok = leadingDigits(first)
	switch {
	case !ok:
		return 0, 0, 0
	case !comma:
		return low, low, end
	case second == "":
		return low, endless, end
	}
	if high, ok = leadingDigits(second); !ok {
		return 0, 0, 0
	}
	return low, high, end
}

// leadingDigits reads a number that consists of digits only; large ones count as a million.
func leadingDigits(s string) (int, bool) {
	if s == "" || skipDigits(s, 0) < len(s) {
		return 0, false
	}
	return int(min(StringToInt(s), 1_000_000)), true
}
