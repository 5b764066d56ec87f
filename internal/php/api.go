package php

import (
	"regexp"
)

// Placeholders for the surface of the package; each moves to the file of its topic.

func StrToTime(s string, now int64) (int64, bool) { return 0, false }

type Regexp struct{ re *regexp.Regexp }

func CompileRegexp(pattern string, ignoreCase bool) (*Regexp, error) { return nil, nil }
func CompileLiteral(s string) (*Regexp, error)                       { return nil, nil }
func (r *Regexp) Match(s string) bool                                { return false }
func (r *Regexp) FindSubmatch(s string) []string                     { return nil }
