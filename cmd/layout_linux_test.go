package cmd

import (
	"fmt"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

func TestLongSentencesAreWrappedOnATerminalOnly(t *testing.T) {
	p := newProgram(nil)
	user, tty := openTerminal(t)
	setWidth(t, tty, 30)
	s := watchTerminal(user)
	p.stdout = tty
	fmt.Fprint(p.sentences(), "Tracked: 579 of 601 requests (121 new visits)\n  1 put aside as a dead letter\nend\n")
	s.await(t, "end")
	want := "Tracked: 579 of 601 requests\r\n  (121 new visits)\r\n  1 put aside as a dead letter\r\nend\r\n"
	if got := s.String(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	pipe := new(testserver.Buffer)
	p.stdout = pipe
	fmt.Fprint(p.sentences(), "a line that has more than thirty columns\n")
	if got := pipe.String(); got != "a line that has more than thirty columns\n" {
		t.Errorf("%q", got)
	}
}
