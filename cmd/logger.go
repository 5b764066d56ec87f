package cmd

import (
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/redact"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/replay"
)

// logger writes diagnostics to stderr, or wherever a progress bar wants them to go meanwhile.
type logger struct {
	*slog.Logger
	level *slog.LevelVar
	json  bool // one JSON object per line
	to    *redirect
}

func newLogger(stderr io.Writer) *logger {
	l := &logger{level: new(slog.LevelVar), to: &redirect{to: stderr}}
	l.level.Set(slog.LevelWarn)
	l.Logger = l.from(l.level)
	return l
}

func (l *logger) from(level slog.Leveler) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: cleanAttr}
	if l.json {
		return slog.New(slog.NewJSONHandler(l.to, options))
	}
	return slog.New(slog.NewTextHandler(l.to, options))
}

// always writes whatever -q and -v say.
func (l *logger) always() *slog.Logger { return l.from(slog.LevelInfo) }

// logFormat is the setting --log-format.
func (l *logger) logFormat() override {
	return override{
		"log-format", "form of diagnostics on stderr: text or json, one object per line", false,
		func(format string) error {
			if format != "text" && format != "json" {
				return errors.New("neither text nor json")
			}
			l.json = format == "json"
			l.Logger = l.from(l.level)
			return nil
		},
	}
}

// setVerbosity is -q, -v, -vv, -vvv.
func (l *logger) setVerbosity(quiet bool, verbose int) {
	switch {
	case quiet:
		l.level.Set(slog.LevelError)
	case verbose == 1:
		l.level.Set(slog.LevelInfo)
	case verbose == 2:
		l.level.Set(slog.LevelDebug)
	case verbose > 2:
		l.level.Set(replay.LevelTrace)
	}
}

// cleanAttr makes what comes from requests and servers fit to be logged, and names levels.
func cleanAttr(groups []string, a slog.Attr) slog.Attr {
	switch v := a.Value.Any().(type) {
	case error:
		a.Value = slog.StringValue(printable(v))
	case string:
		a.Value = slog.StringValue(clean(v))
	case time.Duration: // with its unit, in JSON as well
		a.Value = slog.StringValue(v.String())
	case slog.Level:
		if v == replay.LevelTrace && len(groups) == 0 && a.Key == slog.LevelKey {
			a.Value = slog.StringValue("TRACE")
		}
	}
	return a
}

// clean escapes text of strangers and masks tokens in it.
func clean(s string) string { return terminal.Escape(redact.Text(s)) }

func printable(err error) string { return clean(err.Error()) }

// redirect is a Writer whose target can be changed.
type redirect struct {
	mu sync.Mutex
	to io.Writer
}

func (r *redirect) Write(text []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.to.Write(text)
}

func (r *redirect) set(to io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to = to
}
