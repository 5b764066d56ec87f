package phpsource

import "strings"

// scanner goes through the tokens of a file once and notes where values of declarations begin.
type scanner struct {
	file  *File
	lexer lexer

	scopes  []string // for each open brace: the class whose body it opens, "" for a namespace's, inner for anything else
	class   string   // the class whose name was read and whose body did not begin yet
	begins  bool     // the next { begins the body of class
	space   bool     // the next { begins a namespace's
	open    int      // parentheses and brackets that are open
	inConst bool     // between const and ;
}

// inner is the scope of code, which has no declarations. It cannot be the name of a class.
const inner = "{"

func (s *scanner) run() {
	var last token
	for {
		t := s.lexer.next()
		if t.kind == endOfText {
			return
		}
		switch t.kind {
		case operator:
			s.operator(t, last)
		case word:
			s.word(t, last)
		}
		last = t
	}
}

// scope is the class in whose body the scanner is, "" outside of all braces.
func (s *scanner) scope() string {
	if len(s.scopes) == 0 {
		return ""
	}
	return s.scopes[len(s.scopes)-1]
}

func (s *scanner) operator(t, last token) {
	switch s.lexer.text(t) {
	case "(", "[":
		s.open++
	case ")", "]":
		s.open = max(0, s.open-1)
	case "{":
		s.enter()
	case "}":
		s.scopes = s.scopes[:max(0, len(s.scopes)-1)]
		s.open, s.inConst = 0, false
	case ";":
		s.inConst, s.space, s.begins = false, false, false
	case "=":
		s.assignment(last)
	case "?":
		if s.lexer.has(">") {
			s.lexer.skipOutside()
			s.inConst = false
		}
	}
}

func (s *scanner) enter() {
	scope := inner
	switch {
	case s.open > 0:
	case s.begins:
		scope = s.class
	case s.space:
		scope = ""
	}
	s.scopes = append(s.scopes, scope)
	s.begins, s.space, s.inConst = false, false, false
}

// assignment notes the value behind `=` when what stands before it makes it a declaration.
func (s *scanner) assignment(last token) {
	class := s.scope()
	if s.open > 0 || class == inner {
		return
	}
	name := s.lexer.text(last)
	switch {
	case last.kind == variable && class != "":
		s.note(s.file.property, declaration{class, name}, name[1:])
	case last.kind == word && s.inConst:
		s.note(s.file.constant, declaration{class, name}, name)
	}
}

func (s *scanner) word(t, last token) {
	if s.lexer.is(last, "::") || s.lexer.is(last, "->") || s.lexer.is(last, "?->") {
		return
	}
	switch name := s.lexer.text(t); strings.ToLower(name) {
	case "class", "interface", "trait", "enum":
		ahead := s.lexer
		if n := ahead.next(); n.kind == word && !isKeyword(ahead.text(n)) && s.open == 0 && s.scope() == "" {
			s.class, s.begins = ahead.text(n), true
		}
	case "namespace":
		s.space = len(s.scopes) == 0
	case "const":
		s.inConst = s.open == 0
	case "return":
		if s.open == 0 && s.scope() == "" {
			delete(s.file.property, "") // the last one counts
			delete(s.file.values, declaration{})
			s.note(s.file.property, declaration{}, "")
		}
	}
}

// isKeyword reports whether what follows `class` shows that the class has no name.
func isKeyword(s string) bool {
	return strings.EqualFold(s, "extends") || strings.EqualFold(s, "implements")
}

func (s *scanner) note(names map[string]declaration, d declaration, name string) {
	if _, ok := s.file.values[d]; ok || len(s.file.values) >= maxDeclarations {
		return
	}
	s.file.values[d] = &value{at: s.lexer.pos, class: d.class}
	if _, ok := names[name]; !ok {
		names[name] = d
	}
}
