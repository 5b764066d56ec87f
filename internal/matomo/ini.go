package matomo

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// parseINI reads PHP's INI format as Matomo does (specification §13.1): sections become arrays, values are typed (true, yes and on
// are booleans, null is null, integers without loss are integers, all else is text) and HTML entities in them are decoded.
// A section that occurs twice counts as written the second time. env resolves ${NAME}.
//
// Different from PHP: the operators & | ^ ~ ! ( ) in an unquoted value are kept as text instead of being calculated, and the names of
// PHP constants stand for themselves. No setting of Matomo's uses either.
func parseINI(text string, env func(string) (string, bool)) (*php.Array, error) {
	p := iniParser{text: strings.TrimPrefix(text, "\ufeff"), line: 1, env: env}
	sections := &php.Array{}
	current := sections
	for {
		p.skipBlank()
		if p.end() {
			return sections, nil
		}
		if p.text[p.pos] == '[' {
			name, err := p.sectionName()
			if err != nil {
				return nil, err
			}
			current = &php.Array{}
			sections.Set(name, php.ArrayValue(current))
			continue
		}
		if err := p.entry(current); err != nil {
			return nil, err
		}
	}
}

type iniParser struct {
	text string
	pos  int
	line int
	env  func(string) (string, bool)
}

func (p *iniParser) end() bool { return p.pos >= len(p.text) }

func (p *iniParser) errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: %s", p.line, fmt.Sprintf(format, args...))
}

// skipBlank moves over white space, line ends and comments.
func (p *iniParser) skipBlank() {
	for ; !p.end(); p.pos++ {
		switch p.text[p.pos] {
		case ' ', '\t':
		case '\r', '\n':
			p.countLine()
		case ';':
			p.skipLine()
			p.pos-- // the line end is the next round's
		default:
			return
		}
	}
}

// countLine counts the line end at pos; "\r\n" counts once.
func (p *iniParser) countLine() {
	if p.text[p.pos] == '\r' && p.pos+1 < len(p.text) && p.text[p.pos+1] == '\n' {
		p.pos++
	}
	p.line++
}

// skipLine moves to the end of the line.
func (p *iniParser) skipLine() {
	if i := strings.IndexAny(p.text[p.pos:], "\r\n"); i >= 0 {
		p.pos += i
	} else {
		p.pos = len(p.text)
	}
}

func (p *iniParser) sectionName() (string, error) {
	p.pos++
	rest := p.text[p.pos:]
	i := strings.IndexAny(rest, "]\r\n")
	if i < 0 || rest[i] != ']' {
		return "", p.errorf("section without closing bracket")
	}
	p.pos += i + 1
	return unquote(strings.Trim(rest[:i], " \t")), nil
}

// entry reads "key = value", "key[] = value" or "key[index] = value". A key alone is ignored, as PHP does.
func (p *iniParser) entry(section *php.Array) error {
	key, err := p.label()
	if err != nil {
		return err
	}
	index, indexed, err := p.offset()
	if err != nil {
		return err
	}
	p.skipSpaces()
	if p.end() || p.text[p.pos] != '=' {
		if indexed {
			return p.errorf("%s[…] without a value", key)
		}
		return p.lineEnd(key)
	}
	p.pos++
	p.skipSpaces()
	value, err := p.value(key)
	if err != nil {
		return err
	}
	if !indexed {
		section.Set(key, value)
		return nil
	}
	list := section.Value(key).Array()
	if list == nil {
		list = &php.Array{}
		section.Set(key, php.ArrayValue(list))
	}
	if index == "" {
		list.Append(value)
	} else {
		list.Set(index, value)
	}
	return nil
}

// label reads a key up to "=", "[" or the end of the line.
func (p *iniParser) label() (string, error) {
	const stop = "=\n\r\t;&|^$~(){}!\"[]\x00"
	rest := p.text[p.pos:]
	n := strings.IndexAny(rest, stop)
	if n < 0 {
		n = len(rest)
	}
	key := strings.TrimRight(rest[:n], " ")
	p.pos += n
	if key == "" {
		return "", p.errorf("unexpected %q", rest[0])
	}
	switch strings.ToLower(key) {
	case "true", "on", "yes", "false", "off", "no", "none", "null":
		return "", p.errorf("%q is not allowed as a key", key)
	}
	return key, nil
}

// offset reads the "[…]" after a key.
func (p *iniParser) offset() (index string, present bool, err error) {
	if p.end() || p.text[p.pos] != '[' {
		return "", false, nil
	}
	rest := p.text[p.pos+1:]
	i := strings.IndexAny(rest, "]\r\n")
	if i < 0 || rest[i] != ']' {
		return "", false, p.errorf("key without closing bracket")
	}
	p.pos += i + 2
	return unquote(strings.Trim(rest[:i], " \t")), true, nil
}

func (p *iniParser) skipSpaces() {
	for !p.end() && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t') {
		p.pos++
	}
}

// lineEnd checks that nothing but a comment is left on the line.
func (p *iniParser) lineEnd(key string) error {
	p.skipSpaces()
	if p.end() {
		return nil
	}
	switch c := p.text[p.pos]; c {
	case ';', '\r', '\n':
		return nil
	default:
		return p.errorf("unexpected %q after %s", c, key)
	}
}

// value reads a value to the end of its line: a sequence of unquoted, "double quoted" and 'single quoted' pieces.
func (p *iniParser) value(key string) (php.Value, error) {
	v := iniValue{}
	for !p.end() {
		switch c := p.text[p.pos]; {
		case c == '\r' || c == '\n' || c == ';':
			return p.typed(key, v)
		case c == '"':
			v.trim() // PHP drops the blanks around double quotes: a "b" c is abc
			if err := p.doubleQuoted(&v); err != nil {
				return php.Null, err
			}
			p.skipSpaces()
		case c == '\'' && p.singleQuoted(&v):
		case c == '=':
			return php.Null, p.errorf("unexpected \"=\" in the value of %s: the value needs quotes", key)
		case c == '$' && strings.HasPrefix(p.text[p.pos:], "${"):
			if err := p.variable(&v); err != nil {
				return php.Null, err
			}
		default:
			v.text = append(v.text, c)
			p.pos++
		}
	}
	return p.typed(key, v)
}

// iniValue is a value under construction. Blanks beyond the last quoted piece are not part of it.
type iniValue struct {
	text   []byte
	fixed  int // bytes of text that are not to be trimmed
	quoted bool
}

func (v *iniValue) trim() {
	for len(v.text) > v.fixed && (v.text[len(v.text)-1] == ' ' || v.text[len(v.text)-1] == '\t') {
		v.text = v.text[:len(v.text)-1]
	}
}

// add appends a piece that is taken as it is.
func (v *iniValue) add(piece string) {
	v.text = append(v.text, piece...)
	v.fixed = len(v.text)
	v.quoted = true
}

// typed gives a value its type.
func (p *iniParser) typed(key string, v iniValue) (php.Value, error) {
	v.trim()
	text := string(v.text)
	if !v.quoted {
		switch strings.ToLower(text) {
		case "true", "on", "yes":
			return php.Bool(true), nil
		case "false", "off", "no":
			return php.Bool(false), nil
		case "none":
			return php.String(""), nil
		case "null":
			return php.Null, nil
		}
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
		return php.Int(n), nil
	}
	if strings.IndexByte(text, 0) >= 0 {
		return php.Null, p.errorf("NUL byte in the value of %s", key)
	}
	// Matomo decodes twice, so that what its writer stores as "&amp;lt;" is read back as "<".
	return php.String(decodeEntities(decodeEntities(text))), nil
}

// decodeEntities is html_entity_decode with ENT_COMPAT: references to the apostrophe stay.
func decodeEntities(s string) string {
	if !strings.Contains(s, "&") || !utf8.ValidString(s) {
		return s
	}
	return php.Unsanitize(php.Sanitize(keepApostrophes.Replace(s)))
}

var keepApostrophes = strings.NewReplacer("&#039;", "&amp;#039;", "&#39;", "&amp;#39;", "&#x27;", "&amp;#x27;", "&#X27;", "&amp;#X27;")

// doubleQuoted reads a "…" piece, which may span lines. A backslash escapes ", \ and '; before other characters it stands for itself.
// A quote that is escaped at the end of a line ends the text all the same: path = "C:\data\".
func (p *iniParser) doubleQuoted(v *iniValue) error {
	start := p.line
	v.add("")
	for p.pos++; !p.end(); {
		switch c := p.text[p.pos]; {
		case c == '"':
			p.pos++
			return nil
		case c == '\\' && p.pos+1 < len(p.text):
			v.add(p.escaped())
		case c == '$' && strings.HasPrefix(p.text[p.pos:], "${"):
			if err := p.variable(v); err != nil {
				return err
			}
		default:
			if c == '\n' {
				p.line++
			}
			v.add(p.text[p.pos : p.pos+1])
			p.pos++
		}
	}
	return fmt.Errorf("line %d: quote without end", start)
}

// escaped reads a backslash and what it escapes.
func (p *iniParser) escaped() string {
	next, after := p.text[p.pos+1:p.pos+2], p.text[p.pos+2:]
	endsLine := after == "" || after[0] == '\n' || after[0] == '\r'
	if strings.Contains("\"\\'", next) && (next != "\"" || !endsLine) {
		p.pos += 2
		return next
	}
	p.pos++
	return "\\"
}

// singleQuoted reads a '…' piece if the quote opens one: it must stand at the start of the value or after a blank, and a blank or the
// end of the value must follow it. Otherwise (it's, 'a'b) the quote is an ordinary character.
func (p *iniParser) singleQuoted(v *iniValue) bool {
	if !strings.ContainsRune(" \t=\"'", rune(p.text[p.pos-1])) {
		return false
	}
	piece, rest, closed := strings.Cut(p.text[p.pos+1:], "'")
	if !closed || rest != "" && !strings.ContainsRune(" \t\r\n;\"'", rune(rest[0])) {
		return false
	}
	p.line += strings.Count(piece, "\n")
	v.add(piece)
	p.pos = len(p.text) - len(rest)
	return true
}

// variable replaces ${NAME} or ${NAME:-fallback}; an unknown name gives nothing.
func (p *iniParser) variable(v *iniValue) error {
	rest := p.text[p.pos+2:]
	i := strings.IndexAny(rest, "}\r\n")
	if i < 0 || rest[i] != '}' {
		return p.errorf("${ without }")
	}
	p.pos += 2 + i + 1
	name, fallback, _ := strings.Cut(rest[:i], ":-")
	value, ok := p.env(strings.Trim(name, " \t"))
	if !ok {
		value = unquote(fallback)
	}
	v.add(value)
	return nil
}

// unquote removes one pair of quotes around s.
func unquote(s string) string {
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] {
		return s[1 : n-1]
	}
	return s
}
