package verify

import (
	"maps"
	"slices"
	"strings"
)

// footprint is what a side's statements have written, by table (with the prefix).
type footprint map[string]*touched

// touched is one table of a footprint.
type touched struct {
	changes bool            // rows that were there before may be other ones now
	values  map[string]bool // whatever stands in the statements, and may be the key of a row
}

// note adds what a message to the server writes. Values are what was bound to it.
func (f footprint) note(sql string, values []string) {
	tokens := scan(sql)
	for len(tokens) > 0 {
		n := slices.IndexFunc(tokens, func(t token) bool { return t.kind == punct && t.text == ";" })
		statement := tokens
		if n >= 0 {
			statement, tokens = tokens[:n], tokens[n+1:]
		} else {
			tokens = nil
		}
		bound := min(marks(statement), len(values))
		own := values[:bound]
		values = values[bound:]
		if n < 0 {
			own = append(slices.Clone(own), values...) // named parameters have no marks
		}
		f.add(statement, own)
	}
}

// marks is how many parameters a statement has.
func marks(statement []token) (n int) {
	for _, t := range statement {
		if t.kind == punct && t.text == "?" {
			n++
		}
	}
	return n
}

// fillers may stand between what a statement does and the table to which it does it.
var fillers = []string{"LOW_PRIORITY", "HIGH_PRIORITY", "DELAYED", "QUICK", "IGNORE", "INTO", "FROM", "TABLE", "ONLY"}

func (f footprint) add(statement []token, bound []string) {
	if len(statement) == 0 {
		return
	}
	verb := strings.ToUpper(statement[0].text)
	if !slices.Contains([]string{"INSERT", "REPLACE", "UPDATE", "DELETE", "TRUNCATE"}, verb) {
		return
	}
	i := 1
	for i < len(statement) && statement[i].kind == word && slices.Contains(fillers, strings.ToUpper(statement[i].text)) {
		i++
	}
	for i+2 < len(statement) && statement[i+1].text == "." { // the database's name
		i += 2
	}
	if i == len(statement) {
		return
	}
	t := f.table(statement[i].text)
	t.changes = t.changes || verb != "INSERT" || updatesDuplicates(statement)
	for _, token := range statement[i+1:] {
		if token.kind == literal {
			t.values[token.text] = true
		}
	}
	for _, value := range bound {
		t.values[value] = true
	}
}

func updatesDuplicates(statement []token) bool {
	return slices.ContainsFunc(statement, func(t token) bool {
		return t.kind == word && strings.EqualFold(t.text, "DUPLICATE")
	})
}

func (f footprint) table(name string) *touched {
	if f[name] == nil {
		f[name] = &touched{values: make(map[string]bool)}
	}
	return f[name]
}

// union is what both have written.
func (f footprint) union(o footprint) footprint {
	both := make(footprint)
	for _, side := range []footprint{f, o} {
		for name, t := range side {
			u := both.table(name)
			u.changes = u.changes || t.changes
			maps.Copy(u.values, t.values)
		}
	}
	return both
}

// without is what f has written beyond o.
func (f footprint) without(o footprint) footprint {
	rest := make(footprint)
	for name, t := range f {
		u := rest.table(name)
		u.changes = t.changes
		for value := range t.values {
			if o[name] == nil || !o[name].values[value] {
				u.values[value] = true
			}
		}
	}
	return rest
}

// token is a part of a statement.
type token struct {
	kind tokenKind
	text string // of a literal: its value
}

type tokenKind int

const (
	word    tokenKind = iota // of SQL, or a name
	literal                  // a number or a text
	punct
)

// scan takes statements apart, as far as it takes to see tables and values in them.
func scan(sql string) (tokens []token) {
	for i := 0; i < len(sql); {
		c := sql[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case strings.HasPrefix(sql[i:], "/*"):
			end := strings.Index(sql[i+2:], "*/")
			if end < 0 {
				return tokens
			}
			i += end + 4
		case c == '#' || strings.HasPrefix(sql[i:], "-- "):
			end := strings.IndexByte(sql[i:], '\n')
			if end < 0 {
				return tokens
			}
			i += end
		case c == '\'' || c == '"' || c == '`':
			text, n := quoted(sql[i:])
			kind := literal
			if c == '`' {
				kind = word
			}
			tokens = append(tokens, token{kind, text})
			i += n
		case isNameByte(c):
			n := i
			for n < len(sql) && isNameByte(sql[n]) {
				n++
			}
			kind := word
			if c >= '0' && c <= '9' {
				kind = literal
			}
			tokens = append(tokens, token{kind, sql[i:n]})
			i = n
		default:
			tokens = append(tokens, token{punct, sql[i : i+1]})
			i++
		}
	}
	return tokens
}

func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= 0x80
}

// quoted is the text of what begins with a quote, and its length in the statement.
func quoted(sql string) (text string, length int) {
	var b strings.Builder
	for i := 1; i < len(sql); i++ {
		switch {
		case sql[i] == '\\' && sql[0] != '`' && i+1 < len(sql):
			i++
			b.WriteByte(sql[i])
		case sql[i] == sql[0] && i+1 < len(sql) && sql[i+1] == sql[0]:
			i++
			b.WriteByte(sql[i])
		case sql[i] == sql[0]:
			return b.String(), i + 1
		default:
			b.WriteByte(sql[i])
		}
	}
	return b.String(), len(sql)
}
