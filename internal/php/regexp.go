package php

import (
	"errors"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/pcre"
)

// errLiteral is the error of what PHP does not take for a regular expression at all.
var errLiteral = errors.New("no regular expression with delimiters and modifiers")

// Regexp is a regular expression that somebody wrote for preg_match (spec §A.14). It matches bytes: those from 0x80 on
// are neither letters nor white space; with the modifier u it matches characters. It is safe for concurrent use.
type Regexp struct{ re *pcre.Regexp }

// CompileLiteral compiles a pattern with delimiters and modifiers as preg_match takes it: "/^utm_/i", "{a}x", "#b#". It
// is an error where PHP would refuse the literal, which is also how Matomo tells plain text from expressions.
func CompileLiteral(s string) (*Regexp, error) {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	if s == "" || s[0] == 0 || s[0] == '\\' || isAlphaNumeric(s[0]) {
		return nil, errLiteral
	}
	end := closingDelimiter(s)
	if end < 0 {
		return nil, errLiteral
	}
	options, err := modifiers(s[end+1:])
	if err != nil {
		return nil, err
	}
	re, err := pcre.Compile(s[1:end], options)
	if err != nil {
		return nil, err
	}
	return &Regexp{re}, nil
}

// closingDelimiter is the position of the delimiter that ends the pattern, -1 when there is none. Brackets may be
// nested.
func closingDelimiter(s string) int {
	opening, closing := s[0], s[0]
	if i := strings.IndexByte("([{<", opening); i >= 0 {
		closing = ")]}>"[i]
	}
	depth := 1
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case closing:
			if depth--; depth == 0 {
				return i
			}
		case opening:
			depth++
		}
	}
	return -1
}

func modifiers(s string) (options pcre.Option, err error) {
	for i := range len(s) {
		option, known := modifier(s[i])
		if !known {
			return 0, errLiteral
		}
		options |= option
	}
	return options, nil
}

func modifier(c byte) (option pcre.Option, known bool) {
	switch c {
	case 'i':
		return pcre.Caseless, true
	case 'm':
		return pcre.Multiline, true
	case 's':
		return pcre.DotAll, true
	case 'x':
		return pcre.Extended, true
	case 'A':
		return pcre.Anchored, true
	case 'D':
		return pcre.DollarEndOnly, true
	case 'U':
		return pcre.Ungreedy, true
	case 'u':
		return pcre.UTF, true
	case 'n':
		return pcre.NoAutoCapture, true
	case 'J':
		return pcre.DupNames, true
	case 'S', 'X', ' ', '\n', '\r':
		return 0, true
	}
	return 0, false
}

// Match reports whether r matches somewhere in s: preg_match(…) === 1. Where preg_match gives up and returns false
// there is no match: after too many steps, and with the modifier u in a text that is not UTF-8.
func (r *Regexp) Match(s string) bool {
	found, err := r.re.Match(s)
	return err == nil && found
}

// FindSubmatch returns the first match and its groups; groups that took no part are "". It is nil when there is no
// match.
func (r *Regexp) FindSubmatch(s string) []string {
	offsets, err := r.re.Find(s, 0)
	if err != nil || offsets == nil || offsets[0] > offsets[1] { // PHP refuses what ends before it begins
		return nil
	}
	groups := make([]string, len(offsets)/2)
	for i := range groups {
		if from := offsets[2*i]; from >= 0 {
			groups[i] = s[from:offsets[2*i+1]]
		}
	}
	return groups
}
