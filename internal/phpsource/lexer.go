package phpsource

import "strings"

type tokenKind uint8

const (
	endOfText tokenKind = iota
	word                // a name, maybe with namespace
	variable            // $name
	number
	text   // a quoted string
	opaque // a string whose value is not known before it runs: heredoc, backquotes
	operator
)

// token is the part from to end of the source.
type token struct {
	kind      tokenKind
	from, end int
}

// lexer cuts source into tokens, comments and what stands outside of <?php left out. Copying it saves the place.
type lexer struct {
	source string
	pos    int
}

// newLexer starts behind the first <?php.
func newLexer(source string) lexer {
	l := lexer{source: source}
	l.skipOutside()
	return l
}

// operators are those of more than one character that must not be taken for `=`, `.` or `-`, longest first.
var operators = strings.Fields(`<=> === !== **= ... <<= >>= ??= ?->
	== != => <= >= :: -> .= += -= *= /= %= &= |= ^= ++ -- && || ??`)

func (l *lexer) next() token {
	l.skipBlank()
	from := l.pos
	if from >= len(l.source) {
		return token{endOfText, from, from}
	}
	switch c := l.source[from]; {
	case c == '\'':
		l.skipQuoted()
		return token{text, from, l.pos}
	case c == '"' || c == '`':
		l.skipDouble(c, 0)
		if c == '`' {
			return token{opaque, from, l.pos}
		}
		return token{text, from, l.pos}
	case c == '$' && from+1 < len(l.source) && startsWord(l.source[from+1]):
		l.pos++
		l.skipWord()
		return token{variable, from, l.pos}
	case startsWord(c) || c == '\\':
		l.skipWord()
		if strings.EqualFold(l.source[from:l.pos], "__halt_compiler") {
			l.pos = len(l.source)
			return token{endOfText, from, from}
		}
		return token{word, from, l.pos}
	case isDigit(c) || c == '.' && from+1 < len(l.source) && isDigit(l.source[from+1]):
		l.skipNumber()
		return token{number, from, l.pos}
	case c == '<' && l.skipHeredoc():
		return token{opaque, from, l.pos}
	}
	l.pos++
	for _, op := range operators {
		if strings.HasPrefix(l.source[from:], op) {
			l.pos = from + len(op)
			break
		}
	}
	return token{operator, from, l.pos}
}

func (l *lexer) text(t token) string { return l.source[t.from:t.end] }

// is reports whether t is the operator op.
func (l *lexer) is(t token, op string) bool { return t.kind == operator && l.text(t) == op }

// has reports whether the source goes on with s.
func (l *lexer) has(s string) bool { return strings.HasPrefix(l.source[l.pos:], s) }

// skipTo goes behind the next s, or to the end.
func (l *lexer) skipTo(s string) {
	if i := strings.Index(l.source[l.pos:], s); i >= 0 {
		l.pos += i + len(s)
		return
	}
	l.pos = len(l.source)
}

// skipOutside skips what PHP would print as it is.
func (l *lexer) skipOutside() {
	for i := l.pos; ; i += 2 {
		k := strings.Index(l.source[i:], "<?")
		if k < 0 {
			l.pos = len(l.source)
			return
		}
		i += k
		switch rest := l.source[i+2:]; {
		case len(rest) >= 3 && strings.EqualFold(rest[:3], "php"):
			l.pos = i + 5
			return
		case strings.HasPrefix(rest, "="):
			l.pos = i + 3
			return
		}
	}
}

// skipBlank skips white space and comments. `#[` begins an attribute, which is code.
func (l *lexer) skipBlank() {
	for l.pos < len(l.source) {
		switch c := l.source[l.pos]; {
		case c == ' ' || '\t' <= c && c <= '\r':
			l.pos++
		case l.has("/*"):
			l.pos += 2
			l.skipTo("*/")
		case l.has("//") || c == '#' && !l.has("#["):
			l.skipLine()
		default:
			return
		}
	}
}

// skipLine goes to the end of a comment of one line: `?>` ends it too.
func (l *lexer) skipLine() {
	for ; l.pos < len(l.source); l.pos++ {
		if c := l.source[l.pos]; c == '\n' || c == '\r' || l.has("?>") {
			return
		}
	}
}

func (l *lexer) skipQuoted() {
	for l.pos++; l.pos < len(l.source); l.pos++ {
		switch l.source[l.pos] {
		case '\\':
			l.pos++
		case '\'':
			l.pos++
			return
		}
	}
	l.pos = len(l.source)
}

// deepest is how far strings in expressions in strings, and arrays in arrays, are followed.
const deepest = 64

// skipDouble goes behind a string in double quotes (or backquotes). In {$…} and ${…} quotes are those of further
// strings.
func (l *lexer) skipDouble(quote byte, depth int) {
	for l.pos++; l.pos < len(l.source); l.pos++ {
		switch c := l.source[l.pos]; {
		case c == '\\':
			l.pos++
		case c == quote:
			l.pos++
			return
		case (l.has("{$") || l.has("${")) && depth < deepest:
			l.skipExpression(depth + 1)
		}
	}
	l.pos = len(l.source)
}

// skipExpression goes to the brace that ends an expression in a string.
func (l *lexer) skipExpression(depth int) {
	open := 0
	for l.pos < len(l.source) {
		switch c := l.source[l.pos]; c {
		case '\'':
			l.skipQuoted()
			continue
		case '"', '`':
			l.skipDouble(c, depth)
			continue
		case '{':
			open++
		case '}':
			if open--; open == 0 {
				return
			}
		}
		l.pos++
	}
}

func (l *lexer) skipWord() {
	for l.pos < len(l.source) && (startsWord(l.source[l.pos]) || isDigit(l.source[l.pos]) || l.source[l.pos] == '\\') {
		l.pos++
	}
}

// skipNumber takes all that can belong to a number; whether it is one is decided when its value is wanted.
func (l *lexer) skipNumber() {
	hex := l.has("0x") || l.has("0X")
	for dots := 0; l.pos < len(l.source); l.pos++ {
		switch c := l.source[l.pos]; {
		case isDigit(c) || startsWord(c) && c < 0x80:
		case c == '.' && dots == 0 && !hex && !l.has("..."):
			dots++
		case (c == '+' || c == '-') && !hex && l.source[l.pos-1]|0x20 == 'e':
		default:
			return
		}
	}
}

// skipHeredoc goes behind a heredoc or nowdoc, if one begins here.
func (l *lexer) skipHeredoc() bool {
	if !l.has("<<<") {
		return false
	}
	line, rest, found := strings.Cut(l.source[l.pos+3:], "\n")
	label := strings.TrimSpace(line)
	if n := len(label); n > 2 && (label[0] == '"' || label[0] == '\'') && label[n-1] == label[0] {
		label = label[1 : n-1]
	}
	if !found || !isName(label) {
		return false
	}
	l.pos = len(l.source) - len(rest)
	for l.pos < len(l.source) {
		for l.pos < len(l.source) && (l.source[l.pos] == ' ' || l.source[l.pos] == '\t') {
			l.pos++
		}
		if l.has(label) {
			end := l.pos + len(label)
			if end == len(l.source) || !startsWord(l.source[end]) && !isDigit(l.source[end]) {
				l.pos = end
				return true
			}
		}
		l.skipTo("\n")
	}
	return true
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func startsWord(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_' || c >= 0x80 }

func isName(s string) bool {
	for i := range len(s) {
		if !startsWord(s[i]) && (i == 0 || !isDigit(s[i])) {
			return false
		}
	}
	return s != ""
}
