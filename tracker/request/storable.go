package request

import (
	"strings"
	"unicode/utf8"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// firstFourByte is the lowest byte with which a character of four bytes begins.
const firstFourByte = 0xf0

// storable is text as the database can store it: with a charset other than utf8mb4, characters of four bytes become
// U+FFFD (spec §1.2).
func (r *Request) storable(text string) string {
	if r.ctx.Settings.CharsetUTF8MB4 {
		return text
	}
	return storableText(text)
}

// storableText leaves text alone that is not UTF-8, as PHP's /u does.
func storableText(text string) string {
	if !hasFourByte(text) || !utf8.ValidString(text) {
		return text
	}
	return strings.Map(func(c rune) rune {
		if c > 0xffff {
			return utf8.RuneError
		}
		return c
	}, text)
}

func hasFourByte(text string) bool {
	for i := 0; i < len(text); i++ {
		if text[i] >= firstFourByte {
			return true
		}
	}
	return false
}

func storableValue(v php.Value) php.Value {
	switch {
	case v.IsString():
		return php.String(storableText(v.Str()))
	case v.IsArray():
		return php.ArrayValue(storableArray(v.Array()))
	}
	return v
}

// storableArray leaves keys as they are. An array in which nothing changes is returned itself.
func storableArray(a *php.Array) *php.Array {
	if isStorable(a) {
		return a
	}
	changed := php.NewArray(a.Len())
	for key, v := range a.All() {
		changed.Set(key, storableValue(v))
	}
	return changed
}

func isStorable(a *php.Array) bool {
	for _, v := range a.All() {
		if v.IsString() && hasFourByte(v.Str()) || v.IsArray() && !isStorable(v.Array()) {
			return false
		}
	}
	return true
}
