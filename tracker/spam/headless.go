package spam

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/device"
	"github.com/queuedtracking/queuedtracking/tracker/exclude/needles"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// headless are what user agents of browsers without a window and of load tests contain, whatever the case of letters.
var headless = needles.New([]string{
	"HeadlessChrome", "PhantomJS", "Electron", "ApacheBench", "Siege/", "https://k6.io/", "Radview", "Locust", "Cypress",
})

// isHeadless looks for them in the user agent, and in the JSON text of the client hints.
func isHeadless(r *request.Request) bool {
	return headless.In(r.UserAgent()) || r.Context().Behaviours.SpamHints && hasHeadlessHint(r)
}

// hasHeadlessHint writes the hints as JSON only where they may contain one of the words; a backslash may hide it.
func hasHeadlessHint(r *request.Request) bool {
	raw := r.Params().Value("uadata")
	if text := raw.Str(); text != "" && !headless.In(text) && !strings.Contains(text, `\`) {
		return false
	}
	hints, present := r.JSON("uadata")
	if !present {
		hints = php.SanitizeValue(php.ArrayValue(device.HintHeaders(r.Env().Server)))
	}
	if hints.Array().Len() == 0 {
		return false
	}
	text, err := php.EncodeJSON(hints)
	return err == nil && headless.In(text)
}
