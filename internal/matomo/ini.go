package matomo

import (
	"fmt"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// parseINI reads PHP's INI format as Matomo does (spec §13.1): sections become arrays, values are typed (true, yes and
// on are booleans, null is null, integers without loss are integers, all else is text) and HTML entities in them are
// decoded. A section that occurs twice counts as written the second time. env resolves ${NAME}. The names of PHP
// constants stand for themselves.
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
			p.pos++
			name, err := p.bracketed("section")
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

// entry reads "key = value", "key[] = value" or "key[index] = value". A key alone is ignored, as PHP does.
func (p *iniParser) entry(section *php.Array) error {
	key, err := p.label()
	if err != nil {
		return err
	}
	index, indexed := "", !p.end() && p.text[p.pos] == '['
	if indexed {
		p.pos++
		p.skipSpaces()
		if index, err = p.bracketed("key"); err != nil {
			return err
		}
	}
	p.skipSpaces()
	if p.end() || p.text[p.pos] != '=' {
		if indexed {
			return p.errorf("%s[…] without a value", key)
		}
		return nil
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
	const stop = "=\n\r\t;&|^$~(){}!\"[\x00"
	rest := p.text[p.pos:]
	n := strings.IndexAny(rest, stop)
	if n < 0 {
		n = len(rest)
	}
	key := strings.TrimRight(rest[:n], " ")
	p.pos += n
	if key == "" {
		return "", p.errorf("unexpected %q", rest[:1])
	}
	switch strings.ToLower(key) {
	case "true", "on", "yes", "false", "off", "no", "none", "null":
		return "", p.errorf("%q is not allowed as a key", key)
	}
	return key, nil
}

func (p *iniParser) skipSpaces() {
	for !p.end() && (p.text[p.pos] == ' ' || p.text[p.pos] == '\t') {
		p.pos++
	}
}

// bracketed reads a section's name or an index up to the closing bracket. Pieces may be quoted.
func (p *iniParser) bracketed(what string) (string, error) {
	var name strings.Builder
	for !p.end() {
		switch c := p.text[p.pos]; c {
		case ']':
			p.pos++
			return name.String(), nil
		case '\r', '\n', ';':
			return "", p.errorf("%s without closing bracket", what)
		case '"':
			piece, err := p.doubleQuoted()
			if err != nil {
				return "", err
			}
			name.WriteString(piece)
		case '\'':
			piece, rest, closed := strings.Cut(p.text[p.pos+1:], "'")
			if !closed {
				return "", p.errorf("%s with a quote without end", what)
			}
			name.WriteString(piece)
			p.pos = len(p.text) - len(rest)
		default:
			name.WriteByte(c)
			p.pos++
		}
	}
	return "", p.errorf("%s without closing bracket", what)
}
