package terminal

import (
	"bytes"
	"testing"
)

func TestWhatIsNoTerminalIsPlainAndOfAnyWidth(t *testing.T) {
	d := Look(new(bytes.Buffer), func(name string) (string, bool) { return "40", name == "COLUMNS" })
	if d.IsTerminal() || !d.IsPlain() || d.Width() != 0 || !d.Plainly(false).IsPlain() {
		t.Errorf("%+v, width %d", d, d.Width())
	}
}

func TestWidthOfATerminalThatDoesNotKnowIt(t *testing.T) {
	for columns, want := range map[int]int{0: 80, 132: 132} {
		if got := ofWidth(columns).Width(); got != want {
			t.Errorf("COLUMNS=%d: %d, want %d", columns, got, want)
		}
	}
}
