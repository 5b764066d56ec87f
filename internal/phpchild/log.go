package phpchild

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/redact"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
)

// What PHP prints is for the log, but a plugin that prints something for each request must not fill the disk.
const (
	linesAtOnce  = 20
	linesPeriod  = 10 * time.Second
	longestLine  = 1000
	longestPrint = 1 << 16 // without a line's end
)

// printed passes on what a child prints, in lines, until it ends.
type printed struct {
	log   atomic.Pointer[slog.Logger]
	clock func() time.Time
	attrs []any
	last  string // line of the last call

	since         time.Time
	lines, hidden int
}

func (p *printed) read(r io.Reader) {
	in := bufio.NewReaderSize(r, longestPrint)
	for {
		line, err := in.ReadSlice('\n')
		if text := strings.TrimSpace(string(line)); text != "" {
			p.print(text)
		}
		if err != nil && err != bufio.ErrBufferFull {
			p.period()
			return
		}
	}
}

func (p *printed) print(text string) {
	text = terminal.Escape(redact.Text(strings.ToValidUTF8(text[:min(len(text), longestLine)], "")))
	p.last = text
	if now := p.clock(); now.Sub(p.since) >= linesPeriod {
		p.period()
		p.since, p.lines = now, 0
	}
	if p.lines++; p.lines > linesAtOnce {
		p.hidden++
		return
	}
	level := slog.LevelWarn
	if strings.HasPrefix(text, "DEBUG") || strings.HasPrefix(text, "INFO") {
		level = slog.LevelDebug
	}
	p.log.Load().Log(context.Background(), level, "PHP prints: "+text, p.attrs...)
}

// period tells how many lines were hidden.
func (p *printed) period() {
	if p.hidden > 0 {
		p.log.Load().Warn("PHP prints more than the log takes", append(p.attrs, "lines", p.hidden)...)
		p.hidden = 0
	}
}
