package terminal

import (
	"strconv"

	"golang.org/x/term"
)

// file is a stream that has a file descriptor, as those of package os have.
type file interface{ Fd() uintptr }

// usualWidth is the width of a terminal that does not say how wide it is.
const usualWidth = 80

// Device is what a stream leads to, as far as layout depends on it.
type Device struct {
	stream  file // nil: no terminal
	columns int  // that the environment names
	plain   bool
}

// Look finds out what a stream leads to. lookupEnv finds variables: with TERM=dumb, or a NO_COLOR that is not empty,
// the terminal gets text alone, no control sequences. COLUMNS counts only for a terminal that does not know its own
// size, such as a serial line: shells do not export it, so elsewhere it is more often stale than meant.
func Look(stream any, lookupEnv func(name string) (string, bool)) Device {
	if !IsTerminal(stream) {
		return Device{plain: true}
	}
	d := Device{stream: stream.(file)}
	variable := func(name string) string {
		if value, ok := lookupEnv(name); ok {
			return value
		}
		return ""
	}
	d.plain = variable("TERM") == "dumb" || variable("NO_COLOR") != ""
	if n, err := strconv.Atoi(variable("COLUMNS")); err == nil && n > 0 {
		d.columns = n
	}
	return d
}

// IsTerminal reports whether it is a terminal.
func (d Device) IsTerminal() bool { return d.stream != nil }

// IsPlain reports whether it takes text alone: a file, a pipe, or a terminal that knows no control sequences.
func (d Device) IsPlain() bool { return d.plain }

// Plainly returns the device with another answer to IsPlain. What is no terminal stays plain.
func (d Device) Plainly(plain bool) Device {
	d.plain = plain || d.stream == nil
	return d
}

// Width is the number of columns that a line may have at this moment; 0: any number, as in a pipe.
func (d Device) Width() int {
	if d.stream == nil {
		return 0
	}
	columns, _, err := term.GetSize(int(d.stream.Fd()))
	switch {
	case err == nil && columns > 0:
		return columns
	case d.columns > 0:
		return d.columns
	}
	return usualWidth
}

// IsTerminal reports whether a stream is a terminal.
func IsTerminal(stream any) bool {
	f, ok := stream.(file)
	return ok && term.IsTerminal(int(f.Fd()))
}
