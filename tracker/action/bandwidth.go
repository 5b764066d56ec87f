package action

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Bandwidth is what plugin Bandwidth writes for every action: the number of bytes that the request names, as PHP makes
// an integer of text (spec §P2).
func Bandwidth(r *request.Request) store.NullInt {
	text := r.PlainText("bw_bytes")
	if !php.IsNumeric(text) {
		return store.NullInt{}
	}
	return store.Int(php.StringToInt(text))
}
