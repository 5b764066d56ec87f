// Package php reproduces the PHP semantics that rows depend on.
package php

import (
	"errors"
	"regexp"
	"time"
)

// Placeholders for the surface of the package; each moves to the file of its topic.

// ErrType is PHP's TypeError.
var ErrType = errors.New("array where text is expected")

func Trim(s string) string                                                 { return s }
func LTrim(s string) string                                                { return s }
func RTrim(s string) string                                                { return s }
func ToLower(s string) string                                              { return s }
func MBToLower(s string) string                                            { return s }
func ContainsFold(s, sub string) bool                                      { return false }
func EqualFold(a, b string) bool                                           { return a == b }
func CutRunes(s string, n int) string                                      { return s }
func CutBytes(s string, n int) string                                      { return s }
func Empty(v Value) bool                                                   { return false }
func EmptyString(s string) bool                                            { return s == "" || s == "0" }
func IsNumeric(s string) bool                                              { return false }
func ToInt(v Value) int64                                                  { return 0 }
func StringToInt(s string) int64                                           { return 0 }
func ToFloat(v Value) float64                                              { return 0 }
func StringToFloat(s string) float64                                       { return 0 }
func ToString(v Value) string                                              { return v.str }
func ToBool(v Value) bool                                                  { return false }
func LooseEqual(a, b Value) bool                                           { return false }
func LooseEqualStrings(a, b string) bool                                   { return false }
func FloatString(f float64) string                                         { return "" }
func Round(f float64, places int) float64                                  { return f }
func Sanitize(s string) string                                             { return s }
func SanitizeValue(v Value) Value                                          { return v }
func SanitizeInput(s string) string                                        { return s }
func Unsanitize(s string) string                                           { return s }
func UnsanitizeValue(v Value) Value                                        { return v }
func ReadString(params *Array, name, def string) string                    { return def }
func ReadInt(params *Array, name string, def int64) int64                  { return def }
func ReadFloat(params *Array, name string) (f float64, ok bool, err error) { return 0, false, nil }
func ReadJSON(params *Array, name string) (v Value, present bool)          { return Null, false }

type URL struct {
	Scheme, User, Pass, Host, Path, Query, Fragment                               string
	Port                                                                          int
	HasScheme, HasUser, HasPass, HasHost, HasPort, HasPath, HasQuery, HasFragment bool
}

func ParseURL(s string) (URL, bool)         { return URL{}, false }
func URLDecode(s string) string             { return s }
func URLEncode(s string) string             { return s }
func HTTPBuildQuery(a *Array) string        { return "" }
func DecodeJSON(s string) (Value, error)    { return Null, nil }
func EncodeJSON(v Value) (string, error)    { return "", nil }
func Unserialize(s string) (Value, error)   { return Null, nil }
func Serialize(v Value) string              { return "" }
func Base64Decode(s string) string          { return s }
func QueryToMap(query string) *Array        { return &Array{} }
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
