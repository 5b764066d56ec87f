package php

import "strings"

// group reads what follows an opening parenthesis. It is nil when it only sets flags.
func (p *parser) group() (*node, error) {
	if strings.HasPrefix(p.s[p.pos:], "*") {
		return nil, ErrUnsupported
	}
	if !p.take("?") {
		if p.flags.noCapture {
			return p.groupBody(&node{op: opConcat})
		}
		return p.capture("")
	}
	switch {
	case p.take(":"):
		return p.groupBody(&node{op: opConcat})
	case p.take(">"):
		return p.groupBody(&node{op: opAtomic})
	case p.take("="):
		return p.look(&node{op: opLook})
	case p.take("!"):
		return p.look(&node{op: opLook, negated: true})
	case p.take("<="):
		return p.lookBehind(false)
	case p.take("<!"):
		return p.lookBehind(true)
	case p.take("P<"), p.take("<"):
		return p.namedCapture(">")
	case p.take("'"):
		return p.namedCapture("'")
	case p.take("P="):
		return p.namedBackref(")")
	}
	return p.flagGroup()
}

// groupBody reads up to the closing parenthesis into n. Flags that are set within end there.
func (p *parser) groupBody(n *node) (*node, error) {
	outer := p.flags
	body, err := p.alternatives()
	if err != nil {
		return nil, err
	}
	if !p.take(")") {
		return nil, errPattern
	}
	p.flags = outer
	n.subs = []*node{body}
	return n, nil
}

func (p *parser) capture(name string) (*node, error) {
	p.captures++
	if name != "" {
		if _, twice := p.names[name]; twice && !p.flags.dupNames {
			return nil, errPattern
		}
		p.names[name] = p.captures
	}
	return p.groupBody(&node{op: opCapture, index: p.captures})
}

func (p *parser) namedCapture(ending string) (*node, error) {
	name, err := p.groupName(ending)
	if err != nil {
		return nil, err
	}
	return p.capture(name)
}

// groupName reads a name of up to 32 letters, digits and underscores that does not begin with a digit.
func (p *parser) groupName(ending string) (string, error) {
	name, ok := p.takeUntil(ending)
	if !ok || name == "" || len(name) > 32 || isDigit(name[0]) {
		return "", errPattern
	}
	for i := range len(name) {
		if !isAlphaNumeric(name[i]) && name[i] != '_' {
			return "", errPattern
		}
	}
	return name, nil
}

func (p *parser) namedBackref(ending string) (*node, error) {
	name, err := p.groupName(ending)
	if err != nil {
		return nil, err
	}
	n := &node{op: opBackref, caseless: p.flags.caseless}
	p.pending = append(p.pending, namedRef{n, name})
	return n, nil
}

func (p *parser) look(n *node) (*node, error) {
	p.looking++
	defer func() { p.looking-- }()
	return p.groupBody(n)
}

func (p *parser) lookBehind(negated bool) (*node, error) {
	n, err := p.look(&node{op: opLook, behind: true, negated: negated})
	if err == nil && !n.subs[0].fitsBehind() {
		return nil, errPattern
	}
	return n, err
}

// flagGroup reads (?flags) and (?flags:…).
func (p *parser) flagGroup() (*node, error) {
	inner := p.flags
	if p.take("^") {
		inner.caseless, inner.multiline, inner.dotAll, inner.extended, inner.noCapture = false, false, false, false, false
	}
	on := true
	for !p.done() {
		c := p.s[p.pos]
		p.pos++
		switch c {
		case 'i':
			inner.caseless = on
		case 'm':
			inner.multiline = on
		case 's':
			inner.dotAll = on
		case 'x':
			inner.extended = on
		case 'n':
			inner.noCapture = on
		case 'J':
			inner.dupNames = on
		case 'U':
			inner.ungreedy = on
		case '-':
			if !on {
				return nil, errPattern
			}
			on = false
		case ')':
			p.flags = inner
			return nil, nil
		case ':':
			return p.groupWithFlags(inner)
		default:
			return nil, p.unknownGroup(c)
		}
	}
	return nil, errPattern
}

func (p *parser) groupWithFlags(inner flags) (*node, error) {
	outer := p.flags
	p.flags = inner
	n, err := p.groupBody(&node{op: opConcat})
	p.flags = outer
	return n, err
}

// unknownGroup tells recursion, conditions, callouts and the like, which PCRE has and we have not, from mistakes.
func (p *parser) unknownGroup(c byte) error {
	if isDigit(c) || strings.IndexByte("|(RC&+P", c) >= 0 {
		return ErrUnsupported
	}
	return errPattern
}
