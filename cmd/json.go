package cmd

import (
	"bytes"
	"encoding/json"
	"io"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
)

// printJSON prints a value as one line of JSON.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// indented is JSON with a line for each member, behind the first line's prefix.
func indented(text json.RawMessage, prefix string) (string, error) {
	var b bytes.Buffer
	err := json.Indent(&b, text, prefix, "  ")
	return b.String(), err
}

// rawJSON is an array as JSON that people can read. What would control a terminal, or cannot be seen, is escaped.
func rawJSON(a *php.Array) json.RawMessage {
	encoded, err := php.EncodeJSON(php.ArrayValue(a))
	if err != nil {
		encoded = strconv.Quote("not printable: " + err.Error())
	}
	return json.RawMessage(readable(encoded))
}

// readable takes out of PHP's JSON, which is all ASCII, the escapes that nobody needs: \/, and \u of what can be seen.
func readable(encoded string) string {
	var b strings.Builder
	for len(encoded) > 0 {
		plain := strings.IndexByte(encoded, '\\')
		if plain < 0 || plain+1 == len(encoded) {
			break
		}
		b.WriteString(encoded[:plain])
		encoded = encoded[plain:]
		escape := 2
		switch encoded[1] {
		case '/':
			b.WriteByte('/')
		case 'u':
			var c rune
			if c, escape = unescaped(encoded); c >= utf8.RuneSelf && utf8.ValidRune(c) &&
				terminal.Escape(string(c)) == string(c) {
				b.WriteRune(c)
				break
			}
			b.WriteString(encoded[:escape])
		default:
			b.WriteString(encoded[:escape])
		}
		encoded = encoded[escape:]
	}
	return b.String() + encoded
}

// unescaped is the character of the \uXXXX, or of the two that are a surrogate pair, with which a text begins, and the
// length of that.
func unescaped(text string) (c rune, length int) {
	const one = len(`\u0000`)
	c, ok := hexRune(text)
	if !ok {
		return 0, min(one, len(text))
	}
	if low, ok := hexRune(text[one:]); ok && utf16.IsSurrogate(c) {
		if both := utf16.DecodeRune(c, low); both != utf8.RuneError {
			return both, 2 * one
		}
	}
	return c, one
}

func hexRune(text string) (rune, bool) {
	digits, ok := strings.CutPrefix(text, `\u`)
	if !ok || len(digits) < 4 {
		return 0, false
	}
	n, err := strconv.ParseUint(digits[:4], 16, 16)
	return rune(n), err == nil
}
