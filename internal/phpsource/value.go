package phpsource

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// maxWeight bounds a value with all that it refers to: one for each entry and for each byte of text. Constants that
// refer twice to another one, which does the same, would otherwise grow without bound.
const maxWeight = 16 << 20

// syntaxError is a place in a value that is not plain.
type syntaxError struct {
	at     int
	reason string
}

func (e *syntaxError) Error() string { return e.reason }

// reader reads one value.
type reader struct {
	file   *File
	lexer  lexer
	token  token // the one to be read next
	class  string
	depth  int
	weight int
}

// evaluate reads a value once. Depth is how deep the value stands that refers to it.
func (f *File) evaluate(v *value, depth int) {
	if v.known {
		return
	}
	v.reading = true
	r := &reader{file: f, lexer: lexer{f.source, v.at}, class: v.class, depth: depth}
	r.advance()
	v.result, v.err = r.expression()
	if v.err == nil && !r.ended() {
		v.err = r.unexpected()
	}
	v.weight, v.known, v.reading = r.weight, true, false
}

func (r *reader) advance()          { r.token = r.lexer.next() }
func (r *reader) is(op string) bool { return r.lexer.is(r.token, op) }

// ended reports whether a declaration can end here. A property may have hooks, in braces.
func (r *reader) ended() bool {
	return r.is(";") || r.is(",") || r.is("{") || r.is("?") && r.lexer.has(">") || r.token.kind == endOfText
}

func (r *reader) fail(reason string) error { return &syntaxError{r.token.from, reason} }

func (r *reader) unexpected() error {
	if r.token.kind == endOfText {
		return r.fail("the text ends within the value")
	}
	shown := r.lexer.text(r.token)
	if len(shown) > 40 {
		shown = shown[:40] + "…"
	}
	return r.fail("not a plain value: " + shown)
}

func (r *reader) grow(by int) error {
	if r.weight += by; r.weight > maxWeight {
		return r.fail("the value is too large")
	}
	return nil
}

// expression reads a term, or several that are joined with dots.
func (r *reader) expression() (php.Value, error) {
	v, err := r.term()
	if err != nil || !r.is(".") {
		return v, err
	}
	var joined strings.Builder
	for {
		if v.IsArray() {
			return php.Null, r.fail("an array is joined with a dot")
		}
		joined.WriteString(php.ToString(v))
		if !r.is(".") {
			return php.String(joined.String()), nil
		}
		r.advance()
		if v, err = r.term(); err != nil {
			return php.Null, err
		}
	}
}

func (r *reader) term() (php.Value, error) {
	if r.depth++; r.depth > deepest {
		return php.Null, r.fail("the value is nested too deeply")
	}
	defer func() { r.depth-- }()
	switch t := r.token; t.kind {
	case text:
		s, ok := unquote(r.lexer.text(t))
		if !ok {
			return php.Null, r.fail("a string with variables")
		}
		r.advance()
		return php.String(s), r.grow(1 + len(s))
	case number:
		v, ok := parseNumber(r.lexer.text(t))
		if !ok {
			return php.Null, r.unexpected()
		}
		r.advance()
		return v, r.grow(1)
	case word:
		return r.word()
	case operator:
		switch r.lexer.text(t) {
		case "[":
			return r.array("]")
		case "(":
			r.advance()
			v, err := r.expression()
			if err == nil && !r.is(")") {
				err = r.unexpected()
			}
			r.advance()
			return v, err
		case "-", "+":
			return r.signed(r.is("-"))
		}
	}
	return php.Null, r.unexpected()
}

func (r *reader) signed(minus bool) (php.Value, error) {
	r.advance()
	if r.token.kind != number {
		return php.Null, r.unexpected()
	}
	v, err := r.term()
	switch {
	case err != nil || !minus:
		return v, err
	case v.Kind() == php.KindInt:
		return php.Int(-v.Int()), nil
	}
	return php.Float(-v.Float()), nil
}

func (r *reader) word() (php.Value, error) {
	name := r.lexer.text(r.token)
	start := *r
	r.advance()
	switch strings.TrimPrefix(strings.ToLower(name), `\`) {
	case "true":
		return php.Bool(true), r.grow(1)
	case "false":
		return php.Bool(false), r.grow(1)
	case "null":
		return php.Null, r.grow(1)
	case "array":
		if r.is("(") {
			return r.array(")")
		}
	}
	class := ""
	if r.is("::") {
		if class = r.class; !strings.EqualFold(name, "self") && !strings.EqualFold(name, "static") {
			class = name[strings.LastIndexByte(name, '\\')+1:]
		}
		r.advance()
		if name = r.lexer.text(r.token); r.token.kind != word || strings.EqualFold(name, "class") {
			return php.Null, start.unexpected()
		}
		r.advance()
	}
	return r.constant(declaration{class, name}, &start)
}

// constant is the value of another constant of the file.
func (r *reader) constant(d declaration, start *reader) (php.Value, error) {
	v := r.file.values[d]
	if v == nil {
		return php.Null, start.fail("constant " + strings.TrimPrefix(d.class+"::"+d.name, "::") + " is not in this file")
	}
	if v.reading || r.is("(") {
		return php.Null, start.unexpected()
	}
	r.file.evaluate(v, r.depth)
	if v.err != nil {
		return php.Null, v.err
	}
	return v.result, r.grow(v.weight)
}

// array reads the entries of an array up to its closing sign.
func (r *reader) array(closing string) (php.Value, error) {
	r.advance()
	a := &php.Array{}
	for !r.is(closing) {
		v, err := r.expression()
		if err != nil {
			return php.Null, err
		}
		if r.is("=>") {
			if err = r.keyed(a, v); err != nil {
				return php.Null, err
			}
		} else {
			a.Append(v)
		}
		if err := r.grow(1); err != nil {
			return php.Null, err
		}
		if r.is(",") {
			r.advance()
		} else if !r.is(closing) {
			return php.Null, r.unexpected()
		}
	}
	r.advance()
	return php.ArrayValue(a), nil
}

func (r *reader) keyed(a *php.Array, key php.Value) error {
	if key.IsArray() {
		return r.fail("an array is a key")
	}
	switch key.Kind() {
	case php.KindBool, php.KindFloat:
		key = php.Int(php.ToInt(key))
	}
	r.advance()
	v, err := r.expression()
	if err == nil {
		a.Set(php.ToString(key), v)
	}
	return err
}
