package pattern

// branches are the top-level alternatives of n.
func branches(n *node) []*node {
	if n.kind == kindAlternate {
		return n.subs
	}
	return []*node{n}
}

// fixedLength is the number of bytes that n matches, if it is always the same.
func fixedLength(n *node) (int, bool) {
	switch n.kind {
	case kindSet:
		return 1, true
	case kindConcat, kindCapture, kindAtomic:
		total := 0
		for _, s := range n.subs {
			l, ok := fixedLength(s)
			if !ok {
				return 0, false
			}
			total += l
		}
		return total, true
	case kindAlternate:
		first, ok := fixedLength(n.subs[0])
		for _, s := range n.subs[1:] {
			l, fixed := fixedLength(s)
			ok = ok && fixed && l == first
		}
		return first, ok
	case kindRepeat:
		l, ok := fixedLength(n.subs[0])
		return l * n.min, ok && n.min == n.max
	}
	return 0, true
}

// size is about the number of steps that n compiles to. It stops counting beyond maxSize.
func size(n *node) int {
	total := 1
	for _, s := range n.subs {
		total += size(s)
	}
	if n.kind == kindRepeat && n.subs[0].kind != kindSet {
		total *= max(n.min, n.max, 1)
	}
	return min(total, maxSize+1)
}

// first returns the bytes that a match of n can begin with, and whether it can be empty.
func first(n *node) (set, bool) {
	switch n.kind {
	case kindSet:
		return n.set.lower(), false
	case kindCapture, kindAtomic:
		return first(n.subs[0])
	case kindRepeat:
		s, empty := first(n.subs[0])
		return s, empty || n.min == 0
	case kindConcat:
		var all set
		for _, sub := range n.subs {
			s, empty := first(sub)
			all.union(s)
			if !empty {
				return all, false
			}
		}
		return all, true
	case kindAlternate:
		var all set
		some := false
		for _, sub := range n.subs {
			s, empty := first(sub)
			all.union(s)
			some = some || empty
		}
		return all, some
	}
	return set{}, true
}
