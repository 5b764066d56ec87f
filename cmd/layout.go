package cmd

import (
	"io"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/terminal"
)

// device is what a stream of the program leads to.
func (p *program) device(stream any) terminal.Device {
	d := terminal.Look(stream, p.lookupEnv)
	switch {
	case p.flags.ansi:
		return d.Plainly(false)
	case p.flags.noANSI:
		return d.Plainly(true)
	}
	return d
}

// fit makes lines of a sentence for a terminal of that many columns, one line where there is no limit. Lines that are
// longer than those of help texts are hard to read.
func fit(sentence string, columns int) string {
	if columns > 0 {
		sentence = terminal.Wrap(sentence, min(columns, helpWidth), "")
	}
	return sentence + "\n"
}

// entry is a name and what is said of it, in one line if the terminal has room for it. Otherwise the explanation
// stands below, behind indent.
func (p *program) entry(name, explanation, indent string) string {
	columns := p.device(p.stdout).Width()
	if line := strings.TrimRight(name+explanation, " "); columns == 0 || terminal.Width(line) <= columns {
		return line
	}
	return strings.TrimRight(name, " ") + "\n" + indent + terminal.Wrap(explanation, columns, indent)
}

// item is a name, and what is said of it behind the name, in several lines on a terminal that is too narrow for one.
func (p *program) item(name, text string) string {
	if columns := p.device(p.stdout).Width(); columns > 0 {
		return terminal.Entry(name, text, columns)
	}
	return name + text
}

// sentences is stdout for lines of text: on a terminal those that are too long for it are wrapped between words.
func (p *program) sentences() io.Writer {
	if p.device(p.stdout).IsTerminal() {
		return wrapper{p}
	}
	return p.stdout
}

// wrapper wraps each line that is written to it. A line has to be written at once.
type wrapper struct{ *program }

func (w wrapper) Write(text []byte) (int, error) {
	columns := w.device(w.stdout).Width()
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		line, end := strings.CutSuffix(line, "\n")
		if terminal.Width(line) > columns {
			words := strings.TrimLeft(line, " ")
			indent := line[:len(line)-len(words)]
			line = indent + terminal.Wrap(words, columns, indent+"  ")
		}
		b.WriteString(line)
		if end {
			b.WriteByte('\n')
		}
	}
	if _, err := io.WriteString(w.stdout, b.String()); err != nil {
		return 0, err
	}
	return len(text), nil
}
