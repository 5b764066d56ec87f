package location

import (
	"errors"
	"fmt"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// parsePHPArray reads a PHP file that returns one array of texts, integers, booleans and further arrays, as var_export writes it.
func parsePHPArray(source string) (*php.Array, error) {
	_, code, ok := strings.Cut(source, "return")
	if !ok {
		return nil, errors.New("no return")
	}
	p := phpParser{source: code}
	v, err := p.value()
	if err != nil {
		return nil, fmt.Errorf("byte %d: %w", len(source)-len(p.source), err)
	}
	if !v.IsArray() {
		return nil, errors.New("no array")
	}
	return v.Array(), nil
}

// phpParser holds what is left of the source.
type phpParser struct{ source string }

var errSyntax = errors.New("neither array nor text, integer or boolean")

// skip removes white space and comments.
func (p *phpParser) skip() {
	for {
		p.source = strings.TrimLeft(p.source, " \t\r\n")
		if !strings.HasPrefix(p.source, "//") && !strings.HasPrefix(p.source, "#") {
			return
		}
		_, p.source, _ = strings.Cut(p.source, "\n")
	}
}

// take removes a token, if it is next.
func (p *phpParser) take(token string) bool {
	p.skip()
	rest, ok := strings.CutPrefix(p.source, token)
	if ok {
		p.source = rest
	}
	return ok
}

func (p *phpParser) value() (php.Value, error) {
	switch {
	case p.take("["):
		return p.array("]")
	case p.take("array"):
		if !p.take("(") {
			return php.Null, errSyntax
		}
		return p.array(")")
	case p.take("'"):
		return p.text()
	case p.take("true"):
		return php.Bool(true), nil
	case p.take("false"):
		return php.Bool(false), nil
	}
	digits := len(p.source) - len(strings.TrimLeft(p.source, "0123456789"))
	if digits == 0 {
		return php.Null, errSyntax
	}
	v := php.Int(php.StringToInt(p.source[:digits]))
	p.source = p.source[digits:]
	return v, nil
}

// array reads the entries up to the closing bracket.
func (p *phpParser) array(closing string) (php.Value, error) {
	a := &php.Array{}
	for !p.take(closing) {
		v, err := p.value()
		if err != nil {
			return php.Null, err
		}
		if p.take("=>") {
			key := php.ToString(v)
			if v, err = p.value(); err != nil {
				return php.Null, err
			}
			a.Set(key, v)
		} else {
			a.Append(v)
		}
		if p.take(",") {
			continue
		}
		if p.skip(); !strings.HasPrefix(p.source, closing) {
			return php.Null, fmt.Errorf("%q expected", closing)
		}
	}
	return php.ArrayValue(a), nil
}

// text reads up to the closing quote; a backslash stands before a quote or a backslash.
func (p *phpParser) text() (php.Value, error) {
	var b strings.Builder
	s := p.source
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\'':
			p.source = s[i+1:]
			return php.String(b.String()), nil
		case s[i] == '\\' && i+1 < len(s) && (s[i+1] == '\'' || s[i+1] == '\\'):
			i++
		}
		b.WriteByte(s[i])
	}
	return php.Null, errors.New("text without end")
}
