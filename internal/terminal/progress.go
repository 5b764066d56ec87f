package terminal

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// Progress is a bar with rate and time left on the last line of a terminal. As a Writer it passes text on and keeps the bar below it,
// so that log lines and the bar can share the terminal. It may be used by several goroutines.
type Progress struct {
	mu      sync.Mutex
	to      io.Writer
	clock   func() time.Time
	total   int64
	done    int64
	started time.Time
	drawn   time.Time
	running bool
}

// redrawAfter bounds how often the bar is drawn.
const redrawAfter = 100 * time.Millisecond

// NewProgress makes a bar that is not drawn before Start. to is the terminal.
func NewProgress(to io.Writer, clock func() time.Time) *Progress {
	return &Progress{to: to, clock: clock}
}

// Start begins a bar for total things.
func (p *Progress) Start(total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.total, p.done, p.started, p.running = total, 0, p.clock(), true
	p.draw()
}

// Add tells that n more things are done. When more is done than there was the total grows with it.
func (p *Progress) Add(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += n
	p.total = max(p.total, p.done)
	if p.running && p.clock().Sub(p.drawn) >= redrawAfter {
		p.draw()
	}
}

// Stop takes the bar away.
func (p *Progress) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.running {
		p.clear()
	}
	p.running = false
}

// Write writes text above the bar.
func (p *Progress) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.running {
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
	fmt.Fprint(p.to, "\r\x1b[K"+noWrap+p.line()+wrap)
}

const barWidth = 30

// line is the bar: [=====>    ] 1,200 / 3,400  35%  812/s  3s left.
func (p *Progress) line() string {
	filled := 0
	percent := 100.0
	if p.total > 0 {
		filled = int(barWidth * p.done / p.total)
		percent = 100 * float64(p.done) / float64(p.total)
	}
	bar := strings.Repeat("=", filled)
	if filled < barWidth {
		bar += ">" + strings.Repeat(" ", barWidth-filled-1)
	}
	text := fmt.Sprintf("[%s] %s / %s %3.0f%%", bar, Number(p.done), Number(p.total), percent)
	elapsed := p.drawn.Sub(p.started)
	if p.done == 0 || elapsed <= 0 {
		return text
	}
	rate := float64(p.done) / elapsed.Seconds()
	left := time.Duration(float64(p.total-p.done) / rate * float64(time.Second))
	return fmt.Sprintf("%s  %s/s  %s left", text, Number(int64(rate)), Span(left))
}
