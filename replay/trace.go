package replay

import (
	"context"
	"log/slog"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/redact"
	"github.com/queuedtracking/queuedtracking/internal/terminal"
	"github.com/queuedtracking/queuedtracking/tracker"
)

// LevelTrace, shown as TRACE, is the level at which every request is logged, with its parameters (secrets masked) and
// what became of it.
const LevelTrace = slog.LevelDebug - 4

// trace logs the requests of a batch.
func (j *job) trace(result tracker.Result) {
	ctx := context.Background()
	if !j.options.Log.Enabled(ctx, LevelTrace) || result.Requests == 0 {
		return
	}
	type place struct{ entry, request int }
	refused := make(map[place]tracker.Refusal, len(result.Refusals))
	for _, r := range result.Refusals {
		refused[place{r.Set, r.Request}] = r
	}
	for _, entry := range j.entries {
		for i, params := range entry.Set.Requests {
			outcome := "taken"
			if r, ok := refused[place{entry.Position, i}]; ok {
				outcome = r.Err.Error()
			}
			offset := j.head.Offset + int64(entry.Position)
			j.options.Log.LogAttrs(ctx, LevelTrace, "request", slog.Int("queue", j.queue), slog.Int64("offset", offset),
				slog.Int("request", i), slog.String("outcome", outcome),
				slog.Attr{Key: "params", Value: paramsValue(params)})
		}
	}
}

// paramsValue has the parameters without secrets as a group, so that a log shows each by its name.
func paramsValue(params *php.Array) slog.Value {
	var attrs []slog.Attr
	for name, value := range redact.Params(params).All() {
		attrs = append(attrs, slog.Attr{Key: terminal.Escape(name), Value: paramValue(value)})
	}
	return slog.GroupValue(attrs...)
}

func paramValue(v php.Value) slog.Value {
	if v.Kind() == php.KindArray {
		return paramsValue(v.Array())
	}
	return slog.StringValue(php.ToString(v))
}
