package pattern

import "strings"

// needs is what any text that an expression matches must hold.
type needs struct {
	exact []string // all texts that it matches, nil when they are too many
	any   []string // at least one of these is in every text that it matches, nil when nothing is known
}

const (
	maxClass = 4   // bytes of a set that is spelt out
	maxExact = 96  // texts of an exact list
	maxGram  = 4   // bytes of a literal that the index looks at
	nothing  = 0   // score of a literal that is of no use
	rareness = 100 // score that a gram gains when ordinary user agents do not hold it
)

// ordinary holds what most user agents contain; a literal found here tells little.
const ordinary = "mozilla/5.0 (windows nt 10.0; win64; x64) applewebkit/537.36 (khtml, like gecko) chrome/120.0.0.0 " +
	"mobile safari/537.36 " +
	"(linux; android 10; k) build/ version/4.0 (iphone; cpu iphone os 16_5 like mac os x) (macintosh; intel mac os x " +
	"10_15_7) (compatible; "

var blank = []string{""}

func analyse(n *node) needs {
	switch n.kind {
	case kindSet:
		return analyseSet(n.set)
	case kindConcat:
		return analyseConcat(n.subs)
	case kindAlternate:
		return analyseAlternate(n.subs)
	case kindCapture, kindAtomic:
		return analyse(n.subs[0])
	case kindRepeat:
		return analyseRepeat(n)
	}
	return needs{exact: blank}
}

func analyseSet(s set) needs {
	members := s.lower().members()
	if len(members) > maxClass {
		return needs{}
	}
	exact := make([]string, len(members))
	for i, b := range members {
		exact[i] = string([]byte{b})
	}
	return needs{exact: exact}
}

func analyseConcat(subs []*node) needs {
	var best []string
	current, whole := blank, true
	for _, sub := range subs {
		r := analyse(sub)
		if r.exact != nil && len(current)*len(r.exact) <= maxExact {
			current = cross(current, r.exact)
			continue
		}
		whole = false
		best = better(best, current)
		best = better(best, r.any)
		if current = r.exact; current == nil {
			current = blank
		}
	}
	n := needs{any: better(best, current)}
	if whole {
		n.exact = current
	}
	return n
}

func cross(a, b []string) []string {
	out := make([]string, 0, len(a)*len(b))
	for _, x := range a {
		for _, y := range b {
			out = append(out, x+y)
		}
	}
	return out
}

func analyseAlternate(subs []*node) needs {
	var all needs
	exact, known := true, true
	for _, sub := range subs {
		r := analyse(sub)
		best := better(r.any, r.exact)
		known = known && best != nil
		exact = exact && r.exact != nil
		all.any = append(all.any, best...)
		all.exact = append(all.exact, r.exact...)
	}
	if !known {
		all.any = nil
	}
	if !exact || len(all.exact) > maxExact {
		all.exact = nil
	}
	return all
}

func analyseRepeat(n *node) needs {
	r := analyse(n.subs[0])
	switch {
	case n.min == 1 && n.max == 1:
		return r
	case n.min == 0 && n.max == 1 && r.exact != nil:
		return needs{exact: append([]string{""}, r.exact...)}
	case n.min == 0:
		return needs{}
	}
	return needs{any: better(r.any, r.exact)}
}

// better is the list that filters best, nil when neither is of use.
func better(a, b []string) []string {
	x, y := score(a), score(b)
	switch {
	case x == nothing && y == nothing:
		return nil
	case x > y, x == y && len(a) <= len(b):
		return a
	}
	return b
}

// score is the usefulness of a list, which is that of its weakest member.
func score(list []string) int {
	if len(list) == 0 {
		return nothing
	}
	least := -1
	for _, s := range list {
		if _, points := gram(s); least < 0 || points < least {
			least = points
		}
	}
	return least
}

// gram is the part of a literal, of 2 to maxGram bytes, that tells most.
func gram(s string) (part string, points int) {
	size := min(len(s), maxGram)
	if size < 2 {
		return "", nothing
	}
	for i := 0; i+size <= len(s); i++ {
		window := s[i : i+size]
		if !strings.Contains(ordinary, window) {
			return window, rareness + size
		}
		if part == "" {
			part = window
		}
	}
	return part, size
}
