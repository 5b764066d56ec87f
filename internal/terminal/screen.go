package terminal

import (
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// Screen is a terminal's second screen, on which something is refreshed in place. Close brings back what was there
// before.
type Screen struct {
	out     io.Writer
	restore func() error
	rows    func() int // that the terminal has; 0: nobody knows
	keys    chan Key
}

// OpenScreen switches the terminal out to its second screen. Keys are read when in is a terminal, too; an interrupt key
// is then a key like others (KeyInterrupt).
func OpenScreen(in io.Reader, out io.Writer) (*Screen, error) {
	s := &Screen{out: out, restore: func() error { return nil }, rows: rowsOf(out)}
	if f, ok := in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fd := int(f.Fd())
		state, err := term.MakeRaw(fd)
		if err != nil {
			return nil, err
		}
		s.restore = func() error { return term.Restore(fd, state) }
		s.keys = make(chan Key)
		go readKeys(f, s.keys)
	}
	_, err := io.WriteString(out, "\x1b[?1049h\x1b[?25l"+noWrap)
	return s, err
}

// What does not fit into a line is cut off, or goes on in the next one.
const (
	noWrap = "\x1b[?7l"
	wrap   = "\x1b[?7h"
)

func rowsOf(out io.Writer) func() int {
	return func() int {
		f, ok := out.(file)
		if !ok {
			return 0
		}
		_, rows, err := term.GetSize(int(f.Fd()))
		if err != nil {
			return 0
		}
		return rows
	}
}

// Keys delivers the keys that are pressed; it is nil when there is no keyboard.
func (s *Screen) Keys() <-chan Key { return s.keys }

// Show replaces what is on the screen by the lines of text, or by the last ones that there is room for.
func (s *Screen) Show(text string) error {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if rows := s.rows(); rows > 0 && len(lines) > rows {
		lines = lines[len(lines)-rows:]
	}
	_, err := io.WriteString(s.out, "\x1b[H"+strings.Join(lines, "\x1b[K\r\n")+"\x1b[J")
	return err
}

// Close gives the terminal back as it was.
func (s *Screen) Close() error {
	_, err := io.WriteString(s.out, wrap+"\x1b[?25h\x1b[?1049l")
	if e := s.restore(); err == nil {
		err = e
	}
	return err
}
