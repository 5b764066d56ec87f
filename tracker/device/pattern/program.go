package pattern

type op uint8

const (
	opMatch    op = iota
	opByte        // a: the byte
	opSet         // a: index of a set
	opText        // a: index of a text
	opJump        // a: target
	opSplit       // a: first choice, b: second choice, c: set that the first choice needs, or -1
	opBranch      // a: index of a branch table
	opRun         // a: index of a run
	opSave        // a: register
	opProgress    // a: register; leaves a loop for b when the position has not moved since it was saved
	opLook        // a: index of a look, b: what follows
	opAtomic      // b: what follows; the body stands between
	opBegin
	opEnd
	opTextEnd
	opWord
	opNotWord
)

type inst struct {
	op      op
	a, b, c int32
}

// run repeats one set.
type run struct {
	set      set
	min, max int
	lazy     bool
}

// look is an assertion. Each body stands for one alternative of a look-behind; a look-ahead has one body and length 0.
type look struct {
	negative bool
	bodies   []body
}

type body struct {
	length int // bytes to step back
	pc     int32
}

// branchTable tells, by the next byte, which alternatives can match; index 256 is the end of the subject.
type branchTable struct {
	index [257]uint16
	lists [][]int32
}

// program is the compiled form of an expression.
type program struct {
	insts     []inst
	sets      []set
	texts     []string
	tables    []*branchTable
	runs      []run
	looks     []look
	registers int // two for each group, then those that watch the progress of loops
	groups    int
	first     set  // bytes a match can begin with
	empty     bool // a match can be empty
}

type compiler struct{ program }

func compile(root *node, groups int) *program {
	c := &compiler{program{groups: groups, registers: 2 * (groups + 1)}}
	c.first, c.empty = first(root)
	c.emit(root)
	c.add(inst{op: opMatch})
	return &c.program
}

func (c *compiler) add(in inst) int32 {
	c.insts = append(c.insts, in)
	return int32(len(c.insts) - 1)
}

func (c *compiler) here() int32 { return int32(len(c.insts)) }

func (c *compiler) emit(n *node) {
	switch n.kind {
	case kindSet:
		c.emitSet(n.set)
	case kindConcat:
		c.emitConcat(n.subs)
	case kindAlternate:
		c.emitAlternate(n)
	case kindRepeat:
		c.emitRepeat(n)
	case kindCapture:
		c.add(inst{op: opSave, a: int32(2 * n.group)})
		c.emit(n.subs[0])
		c.add(inst{op: opSave, a: int32(2*n.group + 1)})
	case kindLook:
		c.emitLook(n)
	case kindAtomic:
		at := c.add(inst{op: opAtomic})
		c.emit(n.subs[0])
		c.add(inst{op: opMatch})
		c.insts[at].b = c.here()
	case kindBegin:
		c.add(inst{op: opBegin})
	case kindEnd:
		c.add(inst{op: opEnd})
	case kindTextEnd:
		c.add(inst{op: opTextEnd})
	case kindWord:
		c.add(inst{op: opWord})
	case kindNotWord:
		c.add(inst{op: opNotWord})
	}
}

func (c *compiler) emitSet(s set) {
	s = s.lower()
	if m := s.members(); len(m) == 1 {
		c.add(inst{op: opByte, a: int32(m[0])})
		return
	}
	c.sets = append(c.sets, s)
	c.add(inst{op: opSet, a: int32(len(c.sets) - 1)})
}

// emitConcat joins neighbouring single bytes to texts.
func (c *compiler) emitConcat(subs []*node) {
	for i := 0; i < len(subs); {
		text := leadingText(subs[i:])
		if len(text) < 2 {
			c.emit(subs[i])
			i++
			continue
		}
		c.texts = append(c.texts, text)
		c.add(inst{op: opText, a: int32(len(c.texts) - 1)})
		i += len(text)
	}
}

func leadingText(subs []*node) string {
	var text []byte
	for _, n := range subs {
		if n.kind != kindSet {
			break
		}
		m := n.set.lower().members()
		if len(m) != 1 {
			break
		}
		text = append(text, m[0])
	}
	return string(text)
}

func (c *compiler) emitAlternate(n *node) {
	at := c.add(inst{op: opBranch, a: int32(len(c.tables))})
	c.tables = append(c.tables, nil)
	starts := make([]int32, len(n.subs))
	jumps := make([]int32, len(n.subs))
	for i, s := range n.subs {
		starts[i] = c.here()
		c.emit(s)
		jumps[i] = c.add(inst{op: opJump})
	}
	for _, j := range jumps {
		c.insts[j].a = c.here()
	}
	c.tables[c.insts[at].a] = newBranchTable(n.subs, starts)
}

func newBranchTable(subs []*node, starts []int32) *branchTable {
	firsts := make([]set, len(subs))
	empties := make([]bool, len(subs))
	for i, s := range subs {
		firsts[i], empties[i] = first(s)
	}
	t := &branchTable{}
	known := map[string]uint16{}
	for b := range t.index {
		var list []int32
		var key []byte
		for i := range subs {
			if empties[i] || b < 256 && firsts[i].has(byte(b)) {
				list = append(list, starts[i])
				key = append(key, byte(i>>8), byte(i))
			}
		}
		id, ok := known[string(key)]
		if !ok {
			id = uint16(len(t.lists))
			known[string(key)] = id
			t.lists = append(t.lists, list)
		}
		t.index[b] = id
	}
	return t
}

func (c *compiler) emitRepeat(n *node) {
	sub := n.subs[0]
	if sub.kind == kindSet {
		c.runs = append(c.runs, run{sub.set.lower(), n.min, n.max, n.lazy})
		c.add(inst{op: opRun, a: int32(len(c.runs) - 1)})
		return
	}
	for range n.min {
		c.emit(sub)
	}
	if n.max == unlimited {
		c.emitLoop(sub, n.lazy)
		return
	}
	var splits []int32
	for range n.max - n.min {
		splits = append(splits, c.split(sub))
		c.emit(sub)
	}
	for _, at := range splits {
		c.choose(at, at+1, c.here(), n.lazy)
	}
}

func (c *compiler) emitLoop(sub *node, lazy bool) {
	_, empty := first(sub)
	at := c.split(sub)
	if empty {
		register := int32(c.registers)
		c.registers++
		c.add(inst{op: opSave, a: register})
		c.emit(sub)
		c.add(inst{op: opProgress, a: register, b: c.here() + 2})
	} else {
		c.emit(sub)
	}
	c.add(inst{op: opJump, a: at})
	c.choose(at, at+1, c.here(), lazy)
}

// split reserves the choice whether to enter sub; c holds the set without which sub cannot match.
func (c *compiler) split(sub *node) int32 {
	need := int32(-1)
	if s, empty := first(sub); !empty {
		c.sets = append(c.sets, s)
		need = int32(len(c.sets) - 1)
	}
	return c.add(inst{op: opSplit, c: need})
}

// choose fills in a split; a lazy one keeps no needed set, because its first choice is to go on.
func (c *compiler) choose(at, enter, leave int32, lazy bool) {
	in := &c.insts[at]
	in.a, in.b = enter, leave
	if lazy {
		in.a, in.b, in.c = leave, enter, -1
	}
}

func (c *compiler) emitLook(n *node) {
	l := look{negative: n.negative}
	at := c.add(inst{op: opLook})
	bodies := []*node{n.subs[0]}
	if n.behind {
		bodies = branches(n.subs[0])
	}
	for _, b := range bodies {
		length := 0
		if n.behind {
			length, _ = fixedLength(b)
		}
		l.bodies = append(l.bodies, body{length, c.here()})
		c.emit(b)
		c.add(inst{op: opMatch})
	}
	c.looks = append(c.looks, l)
	c.insts[at].a, c.insts[at].b = int32(len(c.looks)-1), c.here()
}
