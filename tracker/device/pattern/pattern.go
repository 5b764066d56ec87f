// Package pattern matches the regular expressions of Matomo's device data as PHP's PCRE does without the u modifier: on
// bytes, ignoring the case of ASCII letters, with look-around. It is made for thousands of expressions tried on one
// short text: an expression is compiled when it is first needed, an Index tells which expressions can match at all, and
// a match is tried only where the text allows one to begin.
//
// Expressions that this matcher does not know (back references, conditions, named groups) are handed to PCRE,
// which would take three times as long for all of them.
package pattern

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// Boundary is what must stand before a match (spec §10.2).
type Boundary uint8

const (
	// AfterWord: the beginning of the text, a byte other than letter, digit, '_' and '-', an underscore after something
	// else, or one of the prefixes "sprd-" and "MZ-".
	AfterWord Boundary = iota
	// AfterLetter: the beginning of the text or a byte other than letter, '_' and '-'.
	AfterLetter

	boundaries = 2
)

// Pattern is one expression. It is safe for concurrent use.
type Pattern struct {
	expr     string
	boundary Boundary
	compiled atomic.Pointer[program]
	foreign  *foreign
}

// New checks an expression. The error says what is wrong with it and where.
func New(expr string, boundary Boundary) (*Pattern, error) {
	p, _, err := newPattern(expr, boundary)
	return p, err
}

func newPattern(expr string, boundary Boundary) (*Pattern, *node, error) {
	p := &Pattern{expr: expr, boundary: boundary}
	root, _, err := parse(expr)
	switch {
	case errors.Is(err, errUnsupported):
		if p.foreign, err = newForeign(expr); err == nil {
			return p, nil, nil
		}
		fallthrough
	case err != nil:
		return nil, nil, fmt.Errorf("pattern %q: %w", expr, err)
	}
	return p, root, nil
}

// String is the expression.
func (p *Pattern) String() string { return p.expr }

// program compiles p when it is first used.
func (p *Pattern) program() *program {
	if prog := p.compiled.Load(); prog != nil {
		return prog
	}
	root, groups, _ := parse(p.expr) // New has seen that it parses
	prog := compile(root, groups)
	p.compiled.Store(prog)
	return prog
}
