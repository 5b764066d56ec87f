package replay

import (
	"context"
	"log/slog"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/redact"
	"github.com/queuedtracking/queuedtracking/tracker"
)

// LevelTrace is the level at which every request is logged, with its parameters (secrets masked) and what became of it.
const LevelTrace = slog.LevelDebug - 4

// trace logs the requests of a batch.
func (b *batch) trace(result tracker.Result) {
	ctx := context.Background()
	if !b.Log.Enabled(ctx, LevelTrace) || result.Requests == 0 {
		return
	}
	type place struct{ entry, request int }
	refused := make(map[place]tracker.Refusal, len(result.Refusals))
	for _, r := range result.Refusals {
		refused[place{r.Set, r.Request}] = r
	}
	for s, set := range b.sets {
		for i, params := range set.Requests {
			outcome := "taken"
			if r, ok := refused[place{b.positions[s], i}]; ok {
				outcome = r.Err.Error()
			}
			text, err := php.EncodeJSON(php.ArrayValue(redact.Params(params)))
			if err != nil {
				text = err.Error()
			}
			b.Log.Log(ctx, LevelTrace, "request", "queue", b.queue, "offset", b.head.Offset+int64(b.positions[s]), "request", i,
				"outcome", outcome, "params", text)
		}
	}
}
