package phpsource

import "strings"

// Outline is what can be told of a file without understanding its code. Names of classes are whole, without the first
// backslash.
type Outline struct {
	Classes []Class
	Strings []string // what stands in quotes, escapes undone; those with variables in them and heredocs as written
	Keys    []string // what stands before a =>, if it is a string or the name of a class
}

// Class is a class, a trait, an interface or an enumeration.
type Class struct {
	Name    string // "" of a class without a name
	Extends string // "" of none
	Traits  []string
	Methods []string // in lower case: PHP does not tell them apart
}

// Outlined makes the outline of the text of a PHP file.
func Outlined(source string) Outline {
	o := outliner{lexer: newLexer(source), imports: map[string]string{}}
	o.run()
	return o.outline
}

// outliner goes through the tokens of a file once.
type outliner struct {
	lexer     lexer
	outline   Outline
	namespace string
	imports   map[string]string // by their name here, in lower case
	scopes    []int             // for each open brace the class whose body it opens, noClass for all others
	begins    bool              // the next { begins the body of the last class
	open      int               // parentheses that are open
}

const noClass = -1

func (o *outliner) run() {
	var before, last token
	for {
		t := o.lexer.next()
		switch t.kind {
		case endOfText:
			return
		case text:
			o.outline.Strings = append(o.outline.Strings, o.quoted(t))
		case opaque:
			o.outline.Strings = append(o.outline.Strings, o.lexer.text(t))
		case operator:
			o.operator(t, last, before)
		case word:
			if !o.lexer.is(last, "::") && !o.lexer.is(last, "->") && !o.lexer.is(last, "?->") {
				o.word(t, last)
			}
		}
		before, last = last, t
	}
}

// quoted is the value of a string, or what stands between its quotes where the value is not known.
func (o *outliner) quoted(t token) string {
	raw := o.lexer.text(t)
	if value, ok := unquote(raw); ok {
		return value
	}
	return strings.Trim(raw, raw[:1])
}

func (o *outliner) operator(t, last, before token) {
	switch o.lexer.text(t) {
	case "(":
		o.open++
	case ")":
		o.open = max(0, o.open-1)
	case "{":
		scope := noClass
		if o.begins {
			scope = len(o.outline.Classes) - 1
		}
		o.scopes, o.begins = append(o.scopes, scope), false
	case "}":
		o.scopes = o.scopes[:max(0, len(o.scopes)-1)]
	case "?":
		if o.lexer.has(">") {
			o.lexer.skipOutside()
		}
	case "=>":
		switch {
		case last.kind == text:
			o.outline.Keys = append(o.outline.Keys, o.quoted(last))
		case last.kind == word && strings.EqualFold(o.lexer.text(last), "class"):
			if name := o.classBefore(last, before); name != "" {
				o.outline.Keys = append(o.outline.Keys, o.resolve(name))
			}
		}
	}
}

// classBefore is the X of X::class, whose last tokens are given.
func (o *outliner) classBefore(last, colons token) string {
	if !o.lexer.is(colons, "::") {
		return ""
	}
	end := len(strings.TrimRight(o.lexer.source[:colons.from], " \t\r\n"))
	from := end
	for from > 0 && inName(o.lexer.source[from-1]) {
		from--
	}
	return o.lexer.source[from:end]
}

func inName(c byte) bool { return startsWord(c) || isDigit(c) || c == '\\' }

// class is the class in whose body the outliner is, nil outside of all and within their methods.
func (o *outliner) class() *Class {
	if len(o.scopes) == 0 || o.scopes[len(o.scopes)-1] == noClass {
		return nil
	}
	return &o.outline.Classes[o.scopes[len(o.scopes)-1]]
}

func (o *outliner) word(t, last token) {
	switch strings.ToLower(o.lexer.text(t)) {
	case "namespace":
		ahead := o.lexer
		if n := ahead.next(); n.kind == word {
			o.namespace, o.lexer = ahead.text(n), ahead
		} else {
			o.namespace = ""
		}
		clear(o.imports)
	case "use":
		if c := o.class(); c != nil {
			c.Traits = append(c.Traits, o.names()...)
		} else if len(o.scopes) <= 1 && !o.lexer.is(last, ")") {
			o.imported()
		}
	case "class", "interface", "trait", "enum":
		o.declared()
	case "extends":
		if o.begins {
			if names := o.names(); len(names) > 0 {
				o.outline.Classes[len(o.outline.Classes)-1].Extends = names[0]
			}
		}
	case "function":
		ahead := o.lexer
		n := ahead.next()
		if ahead.is(n, "&") {
			n = ahead.next()
		}
		if c := o.class(); c != nil && n.kind == word {
			c.Methods = append(c.Methods, strings.ToLower(ahead.text(n)))
			o.lexer = ahead // a method may have the name of a keyword
		}
	}
}

// declared notes a class, if one follows.
func (o *outliner) declared() {
	ahead := o.lexer
	n := ahead.next()
	name := ""
	switch {
	case n.kind == word && !isKeyword(ahead.text(n)):
		name = ahead.text(n)
		if o.namespace != "" {
			name = o.namespace + `\` + name
		}
		o.lexer = ahead
	case n.kind != word && !ahead.is(n, "{") && !ahead.is(n, "("):
		return
	}
	o.outline.Classes = append(o.outline.Classes, Class{Name: name})
	o.begins = true
}

// names reads names with commas between them.
func (o *outliner) names() (names []string) {
	for {
		ahead := o.lexer
		n := ahead.next()
		if n.kind != word {
			return names
		}
		names, o.lexer = append(names, o.resolve(ahead.text(n))), ahead
		if !ahead.is(ahead.next(), ",") {
			return names
		}
		o.lexer = ahead
	}
}

// imported reads what stands behind a use outside of classes.
func (o *outliner) imported() {
	group, name, alias := "", "", ""
	note := func() {
		if name != "" {
			whole := strings.TrimPrefix(group+name, `\`)
			if alias == "" {
				alias = whole[strings.LastIndexByte(whole, '\\')+1:]
			}
			o.imports[strings.ToLower(alias)] = whole
		}
		name, alias = "", ""
	}
	for as := false; ; {
		t := o.lexer.next()
		is := o.lexer.text(t)
		switch {
		case t.kind == endOfText || is == ";":
			note()
			return
		case is == ",":
			note()
			as = false
		case is == "{":
			group, name = name, ""
		case is == "}":
			note()
			group = ""
		case t.kind != word:
			return
		case strings.EqualFold(is, "as"):
			as = true
		case as:
			alias = is
		default:
			name = is // of "function a" and "const a", which are no classes, the last word
		}
	}
}

// resolve makes the name of a class whole.
func (o *outliner) resolve(name string) string {
	if rest, ok := strings.CutPrefix(name, `\`); ok {
		return rest
	}
	first, rest, deeper := strings.Cut(name, `\`)
	whole, ok := o.imports[strings.ToLower(first)]
	switch {
	case strings.EqualFold(first, "namespace") && deeper:
		name = rest
	case ok && deeper:
		return whole + `\` + rest
	case ok:
		return whole
	}
	if o.namespace == "" {
		return name
	}
	return o.namespace + `\` + name
}
