package receive

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// PHP's limits on input variables (php.ini), which protect it, and us, from requests made to exhaust memory.
const (
	maxInputVars  = 1000 // max_input_vars; what comes behind is dropped
	maxInputDepth = 64   // max_input_nesting_level; a variable nested deeper is dropped
)

// parseQuery reads a query string or a form as PHP does for $_GET, $_POST and parse_str: names and values are decoded,
// "a[b]=c" makes arrays, of equal names the last value counts in the place of the first.
func parseQuery(query string) *php.Array {
	if query == "" {
		return &php.Array{}
	}
	vars := php.NewArray(min(strings.Count(query, "&")+1, maxInputVars))
	count := 0
	for pair := range strings.SplitSeq(query, "&") {
		if pair == "" {
			continue
		}
		if count++; count > maxInputVars {
			break
		}
		name, value, _ := strings.Cut(pair, "=")
		setVariable(vars, cutNUL(php.URLDecode(name)), php.String(php.URLDecode(value)))
	}
	return vars
}

// parseCookies reads the header Cookie as PHP does for $_COOKIE: names are not decoded, "+" stays, of equal names the
// first one counts.
func parseCookies(header string) *php.Array {
	cookies := &php.Array{}
	count := 0
	for pair := range strings.SplitSeq(header, ";") {
		pair = strings.TrimLeft(pair, " \t\n\v\f\r")
		name, value, _ := strings.Cut(pair, "=")
		if name == "" {
			continue
		}
		if count++; count > maxInputVars {
			break
		}
		if _, twice := cookies.Get(plainName(strings.TrimLeft(name, " "))); twice {
			continue
		}
		setVariable(cookies, cutNUL(name), php.String(rawURLDecode(value)))
	}
	return cookies
}

// rawURLDecode is rawurldecode: like urldecode, but "+" stays.
func rawURLDecode(s string) string {
	if strings.IndexByte(s, '%') < 0 {
		return s
	}
	return php.URLDecode(strings.ReplaceAll(s, "+", "%2B"))
}

// cutNUL ends a name at its first NUL byte, as C does.
func cutNUL(name string) string {
	name, _, _ = strings.Cut(name, "\x00")
	return name
}

// setVariable enters a variable under a name as it came: "a.b" and "a b" become a_b, "a[x][]" an array. Names that are
// empty are dropped.
func setVariable(vars *php.Array, name string, value php.Value) {
	if isPlainName(name) {
		if name != "" {
			vars.Set(name, value)
		}
		return
	}
	name = strings.TrimLeft(name, " ")
	bracket := strings.IndexByte(name, '[')
	if bracket < 0 {
		bracket = len(name)
	}
	root := plainName(name[:bracket])
	switch {
	case root == "":
		return
	case bracket == len(name):
		vars.Set(root, value)
		return
	case strings.IndexByte(name[bracket:], ']') < 0: // "a[b=c" is a_b
		vars.Set(plainName(root+"_"+name[bracket+1:]), value)
		return
	}
	path, ok := splitPath(root, name[bracket:])
	if !ok {
		vars.Delete(root)
		return
	}
	setPath(vars, path, value)
}

// key is one step of a path into nested arrays: a name, or "[]" for the next integer.
type key struct {
	name string
	next bool
}

// splitPath takes "[x][][y]" apart; what follows the last complete bracket is ignored. It reports false when there are
// too many levels.
func splitPath(root, brackets string) ([]key, bool) {
	path := []key{{name: root}}
	for strings.HasPrefix(brackets, "[") {
		if len(path) > maxInputDepth {
			return nil, false
		}
		inside, rest, closed := strings.Cut(brackets[1:], "]")
		if !closed {
			break
		}
		path = append(path, key{inside, inside == "" || len(inside) == 1 && isSpace(inside[0])})
		brackets = rest
	}
	return path, true
}

func isSpace(c byte) bool { return c == ' ' || '\t' <= c && c <= '\r' }

// setPath sets a value in nested arrays, making them where there are none.
func setPath(vars *php.Array, path []key, value php.Value) {
	for _, k := range path[:len(path)-1] {
		var inner php.Value
		if !k.next {
			inner = vars.Value(k.name)
		}
		if !inner.IsArray() {
			inner = php.ArrayValue(nil)
			if k.next {
				vars.Append(inner)
			} else {
				vars.Set(k.name, inner)
			}
		}
		vars = inner.Array()
	}
	last := path[len(path)-1]
	if last.next {
		vars.Append(value)
		return
	}
	vars.Set(last.name, value)
}

// plainName replaces what PHP's variable names cannot hold.
func plainName(name string) string {
	if isPlainName(name) {
		return name
	}
	return strings.NewReplacer(".", "_", " ", "_", "[", "_").Replace(name)
}

func isPlainName(name string) bool {
	for i := range len(name) {
		if c := name[i]; c == '[' || c == '.' || c == ' ' {
			return false
		}
	}
	return true
}

// union is $a + $b: the entries of a, then those of b whose keys a does not have.
func union(a, b *php.Array) *php.Array {
	if b.Len() == 0 {
		return a
	}
	if a.Len() == 0 {
		return b
	}
	both := a.Clone()
	for name, v := range b.All() {
		if _, known := both.Get(name); !known {
			both.Set(name, v)
		}
	}
	return both
}
