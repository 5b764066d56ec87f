package php

import (
	"regexp"
	"time"
)

// Placeholders for the surface of the package; each moves to the file of its topic.

func DecodeJSON(s string) (Value, error)    { return Null, nil }
func EncodeJSON(v Value) (string, error)    { return "", nil }
func Unserialize(s string) (Value, error)   { return Null, nil }
func Serialize(v Value) string              { return "" }
func Base64Decode(s string) string          { return s }
func ParseIP(s string) (ip []byte, ok bool) { return nil, false }
func FormatIP(ip []byte) string             { return "" }

type IPRange struct{ Low, High []byte }

func ParseIPRange(s string) (IPRange, bool)           { return IPRange{}, false }
func (r IPRange) Contains(ip []byte) bool             { return false }
func StrToTime(s string, now int64) (int64, bool)     { return 0, false }
func LoadLocation(name string) *time.Location         { return time.UTC }
func LocalDate(unix int64, loc *time.Location) string { return "" }
func DateTime(unix int64) string                      { return "" }
func ParseDateTime(s string) (int64, bool)            { return 0, false }
func VersionCompare(a, b string) int                  { return 0 }

type Regexp struct{ re *regexp.Regexp }

func CompileRegexp(pattern string, ignoreCase bool) (*Regexp, error) { return nil, nil }
func CompileLiteral(s string) (*Regexp, error)                       { return nil, nil }
func (r *Regexp) Match(s string) bool                                { return false }
func (r *Regexp) FindSubmatch(s string) []string                     { return nil }
