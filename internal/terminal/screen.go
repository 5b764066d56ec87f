package terminal

import (
	"bytes"
	"io"
	"os"
	"strings"

	"golang.org/x/term"
)

// IsTerminal reports whether a stream is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// Screen is a terminal's second screen, on which something is refreshed in place. Close brings back what was there before.
type Screen struct {
	out     io.Writer
	restore func() error
	keys    chan Key
}

// OpenScreen switches the terminal out to its second screen. Keys are read when in is a terminal, too; an interrupt key is then a key
// like others (KeyInterrupt).
func OpenScreen(in io.Reader, out io.Writer) (*Screen, error) {
	s := &Screen{out: out, restore: func() error { return nil }}
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
	_, err := io.WriteString(out, "\x1b[?1049h\x1b[?25l")
	return s, err
}

// Keys delivers the keys that are pressed; it is nil when there is no keyboard.
func (s *Screen) Keys() <-chan Key { return s.keys }

// Show replaces what is on the screen by the lines of text.
func (s *Screen) Show(text string) error {
	var b bytes.Buffer
	b.WriteString("\x1b[H")
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimSuffix(line, "\n") + "\x1b[K\r\n")
	}
	b.WriteString("\x1b[J")
	_, err := s.out.Write(b.Bytes())
	return err
}

// Close gives the terminal back as it was.
func (s *Screen) Close() error {
	_, err := io.WriteString(s.out, "\x1b[?25h\x1b[?1049l")
	if e := s.restore(); err == nil {
		err = e
	}
	return err
}
