package php

import "strings"

// CompileLiteral compiles a pattern with delimiters and modifiers as preg_match takes it: "/^utm_/i", "{a}x", "#b#". It is an error
// where PHP would refuse the literal, which is also how Matomo tells plain text from expressions.
func CompileLiteral(s string) (*Regexp, error) {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	if s == "" || s[0] == 0 || s[0] == '\\' || isAlphaNumeric(s[0]) {
		return nil, errPattern
	}
	end := closingDelimiter(s)
	if end < 0 {
		return nil, errPattern
	}
	f, err := modifiers(s[end+1:])
	if err != nil {
		return nil, err
	}
	return compileRegexp(s[1:end], f)
}

// closingDelimiter is the position of the delimiter that ends the pattern, -1 when there is none. Brackets may be nested.
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

func modifiers(s string) (f flags, err error) {
	for i := range len(s) {
		switch s[i] {
		case 'i':
			f.caseless = true
		case 'm':
			f.multiline = true
		case 's':
			f.dotAll = true
		case 'x':
			f.extended = true
		case 'A':
			f.anchored = true
		case 'D':
			f.dollarEnd = true
		case 'U':
			f.ungreedy = true
		case 'u':
			f.utf = true
		case 'n':
			f.noCapture = true
		case 'J':
			f.dupNames = true
		case 'S', 'X', ' ', '\n', '\r':
		default:
			return f, errPattern
		}
	}
	return f, nil
}
