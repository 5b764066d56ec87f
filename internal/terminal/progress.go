package terminal

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Progress is a bar with rate and time left on the last line of a terminal. As a Writer it passes text on and keeps
// the bar below it, so that log lines and the bar can share the terminal. A terminal that takes text alone gets a
// line now and then instead. It may be used by several goroutines.
type Progress struct {
	mu      sync.Mutex
	to      io.Writer
	device  Device
	clock   func() time.Time
	total   int64
	done    int64
	started time.Time
	drawn   time.Time
	running bool
}

// How often the bar is drawn at most, and a line written where there can be no bar.
const (
	redrawAfter = 100 * time.Millisecond
	lineAfter   = 10 * time.Second
)

// NewProgress makes a bar that is not drawn before Start. to is the terminal, device what is known of it.
func NewProgress(to io.Writer, device Device, clock func() time.Time) *Progress {
	return &Progress{to: to, device: device, clock: clock}
}

// Start begins a bar for total things.
func (p *Progress) Start(total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock()
	p.total, p.done, p.started, p.drawn, p.running = total, 0, now, now, true
	if !p.device.IsPlain() {
		p.draw()
	}
}

// Add tells that n more things are done. When more is done than there was the total grows with it.
func (p *Progress) Add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	p.total = max(p.total, p.done)
	if !p.running {
		return
	}
	switch since := p.clock().Sub(p.drawn); {
	case p.device.IsPlain() && since >= lineAfter:
		p.drawn = p.clock()
		fmt.Fprintln(p.to, p.numbers())
	case !p.device.IsPlain() && since >= redrawAfter:
		p.draw()
	}
}

// Stop takes the bar away.
func (p *Progress) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running && !p.device.IsPlain() {
		p.clear()
	}
	p.running = false
}

// Write writes text above the bar.
func (p *Progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running || p.device.IsPlain() {
		return p.to.Write(text)
	}
	p.clear()
	n, err := p.to.Write(text)
	p.draw()
	return n, err
}

func (p *Progress) clear() { fmt.Fprint(p.to, "\r\x1b[K") }

func (p *Progress) draw() {
	p.drawn = p.clock()
	fmt.Fprint(p.to, "\r\x1b[K"+noWrap+p.line(p.device.Width())+wrap)
}

// A bar is as long as there is room for, within these bounds; where there is less room there is none.
const (
	longestBar  = 30
	shortestBar = 8
	usualRest   = len("100%  99,999/s  59m 59s left") // so that the bar does not change its length all the time
)

// line is the bar: [=====>    ] 1,200 / 3,400  35%  812/s  3s left, in less than columns columns.
func (p *Progress) line(columns int) string {
	numbers := p.numbers()
	rest := max(len(numbers), len(Number(p.total))*2+len(" /  ")+usualRest)
	size := min(longestBar, columns-len("[]  ")-rest)
	if size < shortestBar {
		return Shorten(numbers, columns-1)
	}
	filled := size
	if p.total > 0 {
		filled = int(int64(size) * p.done / p.total)
	}
	bar := strings.Repeat("=", filled)
	if filled < size {
		bar += ">" + strings.Repeat(" ", size-filled-1)
	}
	return "[" + bar + "] " + numbers
}

// numbers is 1,200 / 3,400  35%  812/s  3s left.
func (p *Progress) numbers() string {
	percent := 100.0
	if p.total > 0 {
		percent = 100 * float64(p.done) / float64(p.total)
	}
	text := fmt.Sprintf("%s / %s %3.0f%%", Number(p.done), Number(p.total), percent)
	elapsed := p.drawn.Sub(p.started)
	if p.done == 0 || elapsed <= 0 {
		return text
	}
	rate := float64(p.done) / elapsed.Seconds()
	left := time.Duration(float64(p.total-p.done) / rate * float64(time.Second))
	return fmt.Sprintf("%s  %s/s  %s left", text, Number(int64(rate)), Span(left))
}
