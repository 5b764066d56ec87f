package matomo

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// iniToken is a part of a value: text, a word such as yes that is a value of its own, or one of the operators | & ^ ~ !
// ( ).
type iniToken struct {
	operator byte // 0: text
	text     string
	word     bool
}

// value reads a value up to the end of its line. Unquoted, "double quoted" and 'single quoted' pieces beside each other
// make one text; operators between texts calculate with integers.
func (p *iniParser) value(key string) (php.Value, error) {
	if rest, quoted := strings.CutPrefix(p.text[p.pos:], "'"); quoted && !strings.Contains(rest, "'") {
		return php.Null, p.errorf("quote without end")
	}
	var tokens []iniToken
	for {
		token, more, err := p.token(key)
		if err != nil {
			return php.Null, err
		}
		if !more {
			break
		}
		tokens = append(tokens, token)
	}
	if len(tokens) == 0 {
		return php.String(""), nil
	}
	if len(tokens) == 1 && tokens[0].word {
		return wordValue(tokens[0].text), nil
	}
	e := iniExpression{tokens: tokens}
	text, ok := e.binary()
	if !ok || len(e.tokens) > 0 {
		return php.Null, p.errorf("the value of %s needs quotes", key)
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && strconv.FormatInt(n, 10) == text {
		return php.Int(n), nil
	}
	// Matomo decodes twice, so that what its writer stores as "&amp;lt;" is read back as "<".
	return php.String(decodeEntities(decodeEntities(text))), nil
}

// token reads the next part of a value; more is false at the value's end.
func (p *iniParser) token(key string) (token iniToken, more bool, err error) {
	start := p.pos
	p.skipSpaces()
	if p.end() {
		return token, false, nil
	}
	switch c := p.text[p.pos]; c {
	case '\r', '\n', ';':
		return token, false, nil
	case '"':
		token.text, err = p.doubleQuoted()
		return token, true, err
	}
	if p.pos > start {
		return iniToken{text: p.text[start:p.pos]}, true, nil
	}
	switch c := p.text[p.pos]; c {
	case '\'':
		token.text, more = p.singleQuoted()
		return token, more, nil
	case '&', '|', '^', '~', '!', '(', ')':
		p.pos++
		p.skipSpaces()
		return iniToken{operator: c}, true, nil
	case '=', 0:
		return token, false, p.errorf("unexpected %q in the value of %s: the value needs quotes", string(c), key)
	}
	if strings.HasPrefix(p.text[p.pos:], "${") {
		token.text, err = p.variable()
		return token, true, err
	}
	token.text = p.bare()
	if isWord(token.text) {
		token.word = true
		p.skipSpaces()
	}
	return token, true, nil
}

// bare reads unquoted text. A dollar sign takes the character after it along, whatever it is: $; is no comment.
func (p *iniParser) bare() string {
	start := p.pos
	for !p.end() {
		c := p.text[p.pos]
		if strings.IndexByte(" \t\r\n;&|^~()!\"'=\x00", c) >= 0 || strings.HasPrefix(p.text[p.pos:], "${") {
			break
		}
		p.pos++
		if c == '$' {
			p.literal()
		}
	}
	return p.text[start:p.pos]
}

// literal moves over the character after a dollar sign, over two when the first is a backslash.
func (p *iniParser) literal() {
	n := 1
	if strings.HasPrefix(p.text[p.pos:], `\`) {
		n = 2
	}
	for ; n > 0 && !p.end(); n-- {
		if p.text[p.pos] == '\n' {
			p.line++
		}
		p.pos++
	}
}

// doubleQuoted reads a "…" piece, which may span lines, and the blanks after it. A backslash escapes ", \ and $; before
// other characters it stands for itself. A quote that is escaped at the end of a line ends the text all the same: path
// = "C:\data\".
func (p *iniParser) doubleQuoted() (string, error) {
	start := p.line
	var text []byte
	for p.pos++; !p.end(); {
		switch c := p.text[p.pos]; {
		case c == '"':
			p.pos++
			p.skipSpaces()
			return string(text), nil
		case c == '\\' && p.pos+1 < len(p.text):
			text = append(text, p.escaped()...)
		case c == 0:
			return "", p.errorf("NUL byte in quotes")
		case strings.HasPrefix(p.text[p.pos:], "${"):
			value, err := p.variable()
			if err != nil {
				return "", err
			}
			text = append(text, value...)
		default:
			if c == '\n' {
				p.line++
			}
			text = append(text, c)
			p.pos++
		}
	}
	p.line = start
	return "", p.errorf("quote without end")
}

// escaped reads a backslash and what it escapes.
func (p *iniParser) escaped() string {
	next, after := p.text[p.pos+1:p.pos+2], p.text[p.pos+2:]
	endsLine := after == "" || after[0] == '\n' || after[0] == '\r'
	if strings.Contains(`"\$`, next) && (next != `"` || !endsLine) {
		p.pos += 2
		return next
	}
	p.pos++
	return `\`
}

// singleQuoted reads a '…' piece, which may span lines. Nothing is escaped. PHP does not take ” for an empty piece: the
// value ends there (k = ” is empty, k = a”b is a). A quote without end takes the rest of the file with it.
func (p *iniParser) singleQuoted() (piece string, more bool) {
	piece, rest, closed := strings.Cut(p.text[p.pos+1:], "'")
	if !closed {
		p.pos = len(p.text)
		return "", false
	}
	if piece == "" {
		p.pos++
		return "", false
	}
	p.line += strings.Count(piece, "\n")
	p.pos = len(p.text) - len(rest)
	return piece, true
}

// variable replaces ${NAME} or ${NAME:-fallback}; an unknown name gives nothing.
func (p *iniParser) variable() (string, error) {
	rest := p.text[p.pos+2:]
	i := strings.IndexAny(rest, "}\r\n")
	if i < 0 || rest[i] != '}' {
		return "", p.errorf("${ without }")
	}
	p.pos += 2 + i + 1
	name, fallback, _ := strings.Cut(rest[:i], ":-")
	if value, ok := p.env(strings.Trim(name, " \t")); ok {
		return value, nil
	}
	return strings.Trim(fallback, `"`), nil
}

// isWord reports whether an unquoted text is one of PHP's words for a value.
func isWord(s string) bool {
	switch strings.ToLower(s) {
	case "true", "on", "yes", "false", "off", "no", "none", "null":
		return true
	}
	return false
}

// wordValue is what Matomo makes of a word: booleans and null only when written in lower case.
func wordValue(word string) php.Value {
	switch word {
	case "true", "on", "yes":
		return php.Bool(true)
	case "false", "off", "no":
		return php.Bool(false)
	case "null":
		return php.Null
	}
	switch strings.ToLower(word) {
	case "true", "on", "yes":
		return php.Int(1)
	default:
		return php.String("")
	}
}

// decodeEntities is html_entity_decode with ENT_COMPAT: references to the apostrophe stay.
func decodeEntities(s string) string {
	if !strings.Contains(s, "&") || !utf8.ValidString(s) {
		return s
	}
	return php.Unsanitize(php.Sanitize(keepApostrophes.Replace(s)))
}

var keepApostrophes = strings.NewReplacer("&#039;", "&amp;#039;", "&#39;", "&amp;#39;", "&#x27;", "&amp;#x27;",
	"&#X27;", "&amp;#X27;")
