package php

// op is the kind of a node.
type op uint8

const (
	opSet       op = iota // one character of node.set
	opConcat              // node.subs one after the other
	opAlternate           // one of node.subs, the first that fits
	opRepeat              // node.subs[0] node.min to node.max times
	opCapture             // node.subs[0] as the group node.index
	opAtomic              // node.subs[0] without going back into it
	opLook                // node.subs[0] ahead or behind, without taking it
	opBackref             // what the group node.index matched
	opStart               // the start of the subject
	opEnd                 // the end of the subject
	opEndLine             // the end of the subject or a line break there
	opLineStart           // the start of a line
	opLineEnd             // the end of a line
	opBoundary            // a word boundary, or none when node.negated
)

// endless is the maximum of a repetition without one.
const endless = -1

// node is a part of a parsed regular expression. Flags are resolved: letters without case are sets of both cases.
type node struct {
	op       op
	set      runeSet
	subs     []*node
	index    int
	min, max int
	lazy     bool
	negated  bool // opLook, opBoundary
	behind   bool // opLook
	caseless bool // opBackref
}

// length is the number of characters that n matches, when it is always the same: the condition for a look-behind.
func (n *node) length() (length int, fixed bool) {
	switch n.op {
	case opSet:
		return 1, true
	case opBackref:
		return 0, false
	case opConcat:
		for _, sub := range n.subs {
			l, ok := sub.length()
			if !ok {
				return 0, false
			}
			length += l
		}
		return length, true
	case opAlternate:
		return n.commonLength()
	case opRepeat:
		l, ok := n.subs[0].length()
		return l * n.min, ok && n.min == n.max
	case opCapture, opAtomic:
		return n.subs[0].length()
	}
	return 0, true
}

func (n *node) commonLength() (length int, fixed bool) {
	for i, sub := range n.subs {
		l, ok := sub.length()
		if !ok || i > 0 && l != length {
			return 0, false
		}
		length = l
	}
	return length, true
}

// fitsBehind reports whether n can stand in a look-behind: each alternative has a length of its own.
func (n *node) fitsBehind() bool {
	if n.op != opAlternate {
		_, fixed := n.length()
		return fixed
	}
	for _, sub := range n.subs {
		if _, fixed := sub.length(); !fixed {
			return false
		}
	}
	return true
}

// canBeEmpty reports whether n can match without taking a character.
func (n *node) canBeEmpty() bool {
	switch n.op {
	case opSet:
		return false
	case opConcat:
		for _, sub := range n.subs {
			if !sub.canBeEmpty() {
				return false
			}
		}
		return true
	case opAlternate:
		for _, sub := range n.subs {
			if sub.canBeEmpty() {
				return true
			}
		}
		return false
	case opRepeat:
		return n.min == 0 || n.subs[0].canBeEmpty()
	case opCapture, opAtomic:
		return n.subs[0].canBeEmpty()
	}
	return true
}

// isRegular reports whether an automaton gives the same match and groups as backtracking does.
func (n *node) isRegular() bool {
	switch n.op {
	case opAtomic, opLook, opBackref, opLineStart, opLineEnd:
		return false
	case opRepeat:
		if n.subs[0].canBeEmpty() {
			return false
		}
	}
	for _, sub := range n.subs {
		if !sub.isRegular() {
			return false
		}
	}
	return true
}

// looksAtLineEnd reports whether a line break at the end of the subject makes a difference for an anchor in n.
func (n *node) looksAtLineEnd() bool {
	if n.op == opEndLine {
		return true
	}
	for _, sub := range n.subs {
		if sub.looksAtLineEnd() {
			return true
		}
	}
	return false
}
