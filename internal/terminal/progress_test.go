package terminal

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// noSize is a terminal that does not know its size: COLUMNS tells it.
type noSize struct{}

func (noSize) Fd() uintptr { return ^uintptr(0) }

// ofWidth is a terminal with that many columns.
func ofWidth(columns int) Device { return Device{stream: noSize{}, columns: columns} }

func TestProgressTellsRateAndTimeLeft(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := NewProgress(&out, ofWidth(100), func() time.Time { return now })
	p.Add(1) // before it starts nothing is shown
	if out.Len() != 0 {
		t.Errorf("%q", out.String())
	}
	p.Start(3000)
	now = now.Add(2 * time.Second)
	p.Add(1000)
	if want := "[==========>                   ] 1,000 / 3,000  33%  500/s  4s left"; !strings.HasSuffix(out.String(),
		want+wrap) {
		t.Errorf("%q", out.String())
	}
	drawn := out.Len()
	p.Add(1) // too soon to draw again
	if out.Len() != drawn {
		t.Error("drawn again at once")
	}
	now = now.Add(time.Second)
	p.Add(2999) // more than there was
	if want := "[==============================] 4,000 / 4,000 100%  1,333/s  0s left"; !strings.HasSuffix(out.String(),
		want+wrap) {
		t.Errorf("%q", out.String())
	}
}

func TestProgressKeepsRateAndTimeLeftOnNarrowTerminals(t *testing.T) {
	p := NewProgress(nil, Device{}, nil)
	p.total, p.done, p.drawn = 123_456, 60_000, p.started.Add(90*time.Second)
	for columns, want := range map[int]string{
		160: "[==============>               ] 60,000 / 123,456  49%  666/s  1m 35s left",
		80:  "[==============>               ] 60,000 / 123,456  49%  666/s  1m 35s left",
		60:  "[====>     ] 60,000 / 123,456  49%  666/s  1m 35s left",
		50:  "60,000 / 123,456  49%  666/s  1m 35s left",
		30:  "60,000 / 123,456  49%  666/s…",
	} {
		got := p.line(columns)
		if got != want {
			t.Errorf("%d columns: %q, want %q", columns, got, want)
		}
		if Width(got) >= columns {
			t.Errorf("%d columns: %q has %d", columns, got, Width(got))
		}
	}
}

func TestProgressWritesLinesWhereNothingCanBeDrawn(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := NewProgress(&out, ofWidth(80).Plainly(true), func() time.Time { return now })
	p.Start(3000)
	now = now.Add(time.Second)
	p.Add(100)
	if _, err := p.Write([]byte("between\n")); err != nil {
		t.Error(err)
	}
	now = now.Add(9 * time.Second)
	p.Add(900)
	p.Stop()
	if want := "between\n1,000 / 3,000  33%  100/s  20s left\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestTextGoesAboveTheBar(t *testing.T) {
	var out bytes.Buffer
	p := NewProgress(&out, ofWidth(80), time.Now)
	write := func(text string) {
		if n, err := p.Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("%d %v", n, err)
		}
	}
	write("before\n")
	p.Start(0)
	out.Reset()
	write("between\n")
	if got := out.String(); !strings.HasPrefix(got, "\r\x1b[Kbetween\n\r\x1b[K"+noWrap+"[") {
		t.Errorf("%q", got)
	}
	p.Stop()
	p.Stop()
	out.Reset()
	write("after\n")
	if out.String() != "after\n" {
		t.Errorf("%q", out.String())
	}
}
