package php

import (
	"regexp"
	"time"
)

// Placeholders for the surface of the package; each moves to the file of its topic.

func StrToTime(s string, now int64) (int64, bool)     { return 0, false }
func LoadLocation(name string) *time.Location         { return time.UTC }
func LocalDate(unix int64, loc *time.Location) string { return "" }
func DateTime(unix int64) string                      { return "" }
func ParseDateTime(s string) (int64, bool)            { return 0, false }

type Regexp struct{ re *regexp.Regexp }

func CompileRegexp(pattern string, ignoreCase bool) (*Regexp, error) { return nil, nil }
func CompileLiteral(s string) (*Regexp, error)                       { return nil, nil }
func (r *Regexp) Match(s string) bool                                { return false }
func (r *Regexp) FindSubmatch(s string) []string                     { return nil }
