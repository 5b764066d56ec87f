package php

import (
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/dlclark/regexp2/v2"
)

// matchTimeout ends a match that goes back and forth too long; PCRE has a limit of steps instead. Either way there is no match.
const matchTimeout = 250 * time.Millisecond

// Regexp is a regular expression that somebody wrote for PCRE (§A.14). It matches bytes: those from 0x80 on are neither letters nor
// white space; with the modifier u it matches characters. It is safe for concurrent use.
//
// An automaton does the work where it gives the same result as PCRE; expressions with look-around, back references, atomic groups
// or anchors of lines are left to an engine that goes back as PCRE does. Recursion, conditions, \X and (*verbs) are not supported.
type Regexp struct {
	fast    *regexp.Regexp // nil when only the other engine will do
	lineEnd bool           // an anchor looks at a line break at the end, which fast cannot
	full    func() *regexp2.Regexp
	groups  int
	utf     bool
}

// CompileRegexp compiles a pattern without delimiters. The error says that PHP would refuse the pattern, or is ErrUnsupported.
func CompileRegexp(pattern string, ignoreCase bool) (*Regexp, error) {
	return compileRegexp(pattern, flags{caseless: ignoreCase})
}

func compileRegexp(pattern string, f flags) (*Regexp, error) {
	root, groups, err := parsePattern(pattern, f)
	if err != nil {
		return nil, err
	}
	r := &Regexp{groups: groups, utf: f.utf, lineEnd: root.looksAtLineEnd()}
	if root.isRegular() && !(f.utf && hasBoundary(root)) {
		// A repetition beyond the automaton's limits is an error here and none for the other engine.
		r.fast, _ = regexp.Compile("(?s)" + emit(root, f.utf, false))
	}
	full := emit(root, f.utf, true)
	if r.fast != nil {
		r.full = sync.OnceValue(func() *regexp2.Regexp {
			re, _ := compileFull(full)
			return re
		})
		return r, nil
	}
	re, err := compileFull(full)
	if err != nil {
		return nil, err
	}
	r.full = func() *regexp2.Regexp { return re }
	return r, nil
}

func compileFull(pattern string) (*regexp2.Regexp, error) {
	re, err := regexp2.Compile(pattern, regexp2.Singleline)
	if err != nil {
		return nil, ErrUnsupported
	}
	re.MatchTimeout = matchTimeout
	return re, nil
}

func hasBoundary(n *node) bool {
	if n.op == opBoundary {
		return true
	}
	for _, sub := range n.subs {
		if hasBoundary(sub) {
			return true
		}
	}
	return false
}

// Match reports whether r matches somewhere in s: preg_match(…) === 1. A match that takes too long is none.
func (r *Regexp) Match(s string) bool {
	subject, ok := r.subject(s)
	if !ok {
		return false
	}
	if r.useFast(s) {
		return r.fast.MatchString(subject)
	}
	re := r.full()
	if re == nil {
		return false
	}
	found, err := re.MatchString(subject)
	return err == nil && found
}

// FindSubmatch returns the first match, \K or not, and its groups; groups that took no part are "". It is nil when there is no match.
func (r *Regexp) FindSubmatch(s string) []string {
	subject, ok := r.subject(s)
	if !ok {
		return nil
	}
	var groups []string
	if r.useFast(s) {
		groups = r.fast.FindStringSubmatch(subject)
	} else {
		groups = r.findFull(subject)
	}
	if len(subject) != len(s) {
		for i := range groups {
			groups[i] = unmapBytes(groups[i])
		}
	}
	return groups
}

func (r *Regexp) findFull(subject string) []string {
	re := r.full()
	if re == nil {
		return nil
	}
	m, err := re.FindStringMatch(subject)
	if err != nil || m == nil {
		return nil
	}
	groups := make([]string, r.groups+1)
	for i := range groups {
		// The text of a group that took no part is out of bounds when the match is not at the start: (a)-|B on "xéB".
		if g := m.GroupByNumber(i); g != nil && len(g.Captures) > 0 {
			groups[i] = g.String()
		}
	}
	return groups
}

func (r *Regexp) useFast(s string) bool {
	return r.fast != nil && !(r.lineEnd && strings.HasSuffix(s, "\n"))
}

// subject is s in the form that the engines get. ok is false when s is not UTF-8 but has to be.
func (r *Regexp) subject(s string) (_ string, ok bool) {
	if r.utf {
		return s, utf8.ValidString(s)
	}
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return mapBytes(s), true
		}
	}
	return s, true
}

func mapBytes(s string) string {
	b := make([]byte, 0, len(s)*2)
	for i := range len(s) {
		if s[i] < utf8.RuneSelf {
			b = append(b, s[i])
			continue
		}
		b = utf8.AppendRune(b, highBytes+rune(s[i]))
	}
	return string(b)
}

func unmapBytes(s string) string {
	b := make([]byte, 0, len(s))
	for _, c := range s {
		b = append(b, byte(c))
	}
	return string(b)
}
