package pattern

import "strings"

const (
	// stepLimit ends the search for a pattern that backtracks too much, as PHP's pcre.backtrack_limit does: it counts as
	// no match.
	stepLimit = 1_000_000
	// subjectLimit ends all matching on one subject, so that no text, however long, can hold a worker up.
	subjectLimit = 5 * stepLimit
	// bytesPerStep is how many bytes a simple loop passes at the price of one step.
	bytesPerStep = 8
)

type frameKind uint8

const (
	frameGoto frameKind = iota // continue at pc, pos
	frameUndo                  // registers[pc] was pos
	frameList                  // the branches after number left of the table at pc
	frameRun                   // a greedy run that can give bytes back, down to left
	frameLazy                  // a lazy run that can take bytes, up to left
)

type frame struct {
	kind    frameKind
	pc, pos int32
	left    int32
}

// machine runs programs over one subject by backtracking. Its memory is used again for each match.
type machine struct {
	text      string // lower-cased
	prog      *program
	registers []int32
	stack     []frame
	steps     int // left for this pattern
	budget    int // left for the subject
}

// search tries the places in turn and leaves the groups of the first match in the registers.
func (m *machine) search(prog *program, places []int32) bool {
	m.prog = prog
	m.registers = m.registers[:0]
	for range prog.registers {
		m.registers = append(m.registers, -1)
	}
	limit := min(stepLimit, m.budget)
	m.steps = limit - len(places)/bytesPerStep
	found := false
	for _, pos := range places {
		if int(pos) < len(m.text) && prog.first.has(m.text[pos]) || prog.empty {
			m.steps--
			m.stack = m.stack[:0]
			if _, found = m.run(0, pos); found || m.steps < 0 {
				break
			}
		}
	}
	m.budget -= limit - m.steps
	return found && m.steps >= 0
}

// run executes from pc until opMatch and returns the position reached. The frames it leaves on the stack allow to
// backtrack into it.
func (m *machine) run(pc, pos int32) (int32, bool) {
	base := len(m.stack)
	prog := m.prog
	size := int32(len(m.text))
	for {
		ok := false
		in := &prog.insts[pc]
		switch in.op {
		case opMatch:
			return pos, true
		case opByte, opSet, opText:
			length := m.consume(in, pos)
			ok = length > 0
			pos, pc = pos+length, pc+1
		case opJump:
			ok, pc = true, in.a
		case opSplit:
			ok = true
			if in.c >= 0 && (pos == size || !prog.sets[in.c].has(m.text[pos])) {
				pc = in.b
			} else {
				m.stack = append(m.stack, frame{frameGoto, in.b, pos, 0})
				pc = in.a
			}
		case opBranch:
			pc, ok = m.branch(pc, pos, 0)
		case opRun:
			pc, pos, ok = m.repeat(pc, pos)
		case opSave:
			m.stack = append(m.stack, frame{frameUndo, in.a, m.registers[in.a], 0})
			m.registers[in.a] = pos
			ok = true
			pc++
		case opProgress:
			ok = true
			if pc++; m.registers[in.a] == pos {
				pc = in.b
			}
		case opLook:
			ok = m.look(&prog.looks[in.a], pos)
			pc = in.b
		case opAtomic:
			next := in.b
			pos, ok = m.isolated(pc+1, pos)
			pc = next
		default:
			ok = m.assert(in.op, pos)
			pc++
		}
		if !ok {
			if pc, pos, ok = m.backtrack(base); !ok {
				return 0, false
			}
		}
	}
}

// consume is the number of bytes that an instruction takes at pos, 0 when they do not fit.
func (m *machine) consume(in *inst, pos int32) int32 {
	if int(pos) == len(m.text) {
		return 0
	}
	switch in.op {
	case opByte:
		if m.text[pos] == byte(in.a) {
			return 1
		}
	case opSet:
		if m.prog.sets[in.a].has(m.text[pos]) {
			return 1
		}
	case opText:
		if text := m.prog.texts[in.a]; strings.HasPrefix(m.text[pos:], text) {
			return int32(len(text))
		}
	}
	return 0
}

// branch enters the alternative with the given number among those that the next byte allows.
func (m *machine) branch(pc, pos, number int32) (int32, bool) {
	table := m.prog.tables[m.prog.insts[pc].a]
	next := 256
	if int(pos) < len(m.text) {
		next = int(m.text[pos])
	}
	list := table.lists[table.index[next]]
	if int(number) >= len(list) {
		return 0, false
	}
	if int(number)+1 < len(list) {
		m.stack = append(m.stack, frame{frameList, pc, pos, number + 1})
	}
	return list[number], true
}

func (m *machine) repeat(pc, pos int32) (int32, int32, bool) {
	r := &m.prog.runs[m.prog.insts[pc].a]
	limit := int32(len(m.text))
	if r.max != unlimited && pos+int32(r.max) < limit {
		limit = pos + int32(r.max)
	}
	least := pos + int32(r.min)
	if least > limit {
		return 0, 0, false
	}
	end := pos
	stop := limit
	if r.lazy {
		stop = least
	}
	for end < stop && r.set.has(m.text[end]) {
		end++
	}
	m.steps -= int(end-pos) / bytesPerStep
	switch {
	case end < least:
		return 0, 0, false
	case r.lazy && end < limit:
		m.stack = append(m.stack, frame{frameLazy, pc, end, limit})
	case !r.lazy && end > least:
		m.stack = append(m.stack, frame{frameRun, pc, end, least})
	}
	return pc + 1, end, true
}

// backtrack goes back to the last choice made above base.
func (m *machine) backtrack(base int) (pc, pos int32, ok bool) {
	if m.steps--; m.steps < 0 {
		m.stack = m.stack[:base]
		return 0, 0, false
	}
	for len(m.stack) > base {
		top := len(m.stack) - 1
		f := &m.stack[top]
		switch f.kind {
		case frameGoto:
			m.stack = m.stack[:top]
			return f.pc, f.pos, true
		case frameUndo:
			m.registers[f.pc] = f.pos
			m.stack = m.stack[:top]
		case frameList:
			pc, pos, number := f.pc, f.pos, f.left
			m.stack = m.stack[:top]
			if pc, ok = m.branch(pc, pos, number); ok {
				return pc, pos, true
			}
		case frameRun:
			if m.giveBack(f) {
				return f.pc + 1, f.pos, true
			}
			m.stack = m.stack[:top]
		case frameLazy:
			r := &m.prog.runs[m.prog.insts[f.pc].a]
			if f.pos < f.left && r.set.has(m.text[f.pos]) {
				f.pos++
				return f.pc + 1, f.pos, true
			}
			m.stack = m.stack[:top]
		}
	}
	return 0, 0, false
}

// giveBack shortens a greedy run to the next position from which its successor can match.
func (m *machine) giveBack(f *frame) bool {
	next := &m.prog.insts[f.pc+1]
	for f.pos > f.left {
		f.pos--
		if next.op != opByte || m.text[f.pos] == byte(next.a) {
			return true
		}
	}
	return false
}

// isolated runs the body at pc and forgets the choices made inside; the groups it has set are kept.
func (m *machine) isolated(pc, pos int32) (int32, bool) {
	base := len(m.stack)
	end, ok := m.run(pc, pos)
	if !ok {
		return 0, false
	}
	kept := m.stack[:base]
	for _, f := range m.stack[base:] {
		if f.kind == frameUndo {
			kept = append(kept, f)
		}
	}
	m.stack = kept
	return end, true
}

func (m *machine) look(l *look, pos int32) bool {
	for _, b := range l.bodies {
		if pos < int32(b.length) {
			continue
		}
		if _, ok := m.isolated(b.pc, pos-int32(b.length)); ok {
			return !l.negative
		}
	}
	return l.negative
}

func (m *machine) assert(o op, pos int32) bool {
	size := int32(len(m.text))
	switch o {
	case opBegin:
		return pos == 0
	case opEnd:
		return pos == size || pos == size-1 && m.text[pos] == '\n'
	case opTextEnd:
		return pos == size
	}
	before := pos > 0 && words.has(m.text[pos-1])
	after := pos < size && words.has(m.text[pos])
	return (before != after) == (o == opWord)
}
