// Package pcre matches regular expressions with PCRE2, the library behind PHP's preg_match. It is PCRE2's own C code,
// version 10.40, translated to Go (go.elara.ws/pcre/lib), so that a build needs no C compiler. There is no compiler to
// machine code (JIT) in it: what matches is the same, but it never runs out of JIT's small stack.
//
// The translated code keeps its data outside of Go's memory; matcher.go is the border.
package pcre

import (
	"fmt"
	"runtime"

	"go.elara.ws/pcre/lib"
)

// Option changes how a pattern is read. Options are joined with |.
type Option uint32

// The options that PHP's modifiers stand for.
const (
	Caseless      Option = lib.DPCRE2_CASELESS             // i
	Multiline     Option = lib.DPCRE2_MULTILINE            // m
	DotAll        Option = lib.DPCRE2_DOTALL               // s
	Extended      Option = lib.DPCRE2_EXTENDED             // x
	Anchored      Option = lib.DPCRE2_ANCHORED             // A
	DollarEndOnly Option = lib.DPCRE2_DOLLAR_ENDONLY       // D
	Ungreedy      Option = lib.DPCRE2_UNGREEDY             // U
	UTF           Option = lib.DPCRE2_UTF | lib.DPCRE2_UCP // u
	NoAutoCapture Option = lib.DPCRE2_NO_AUTO_CAPTURE      // n
	DupNames      Option = lib.DPCRE2_DUPNAMES             // J
)

const (
	// matchLimit is PHP's pcre.backtrack_limit.
	matchLimit = 1_000_000
	// depthLimit is PHP's pcre.recursion_limit.
	depthLimit = 100_000
	// memoryLimit is for the memory of one match, in bytes. Patterns with many groups reach it before depthLimit.
	memoryLimit = 32 << 20
)

// Regexp is a compiled pattern. It is safe for concurrent use.
type Regexp struct {
	code  uintptr
	pairs uint32 // offsets of the whole match and of each group
	depth uint32
}

// Compile compiles a pattern. The error is PCRE's, with the place in the pattern.
func Compile(pattern string, options Option) (*Regexp, error) {
	m := borrow()
	defer m.giveBack()
	code, failure, offset := m.compile(pattern, options)
	if code == 0 {
		return nil, fmt.Errorf("%s at offset %d", m.message(failure), offset)
	}
	r := &Regexp{
		code:  code,
		pairs: m.captureCount(code) + 1,
		depth: min(depthLimit, memoryLimit/m.frameSize(code)),
	}
	runtime.AddCleanup(r, free, code)
	return r, nil
}

// Match reports whether r matches somewhere in s. The error says why this could not be found out: the match was given
// up after too many steps, or s has to be UTF-8 and is not.
func (r *Regexp) Match(s string) (bool, error) {
	m := borrow()
	defer m.giveBack()
	defer runtime.KeepAlive(r)
	return m.match(r, s, 0)
}

// Find returns the offsets of the first match that begins at from or later: beginning and end of the whole match and of
// each group, -1 for a group that took no part. They are nil when there is no match. With \K in a look-ahead a match
// may end before it begins.
func (r *Regexp) Find(s string, from int) ([]int, error) {
	m := borrow()
	defer m.giveBack()
	defer runtime.KeepAlive(r)
	found, err := m.match(r, s, from)
	if !found {
		return nil, err
	}
	return m.offsets(r.pairs), nil
}
