package action

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/pageurl"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

func newPageview(r *request.Request) *Action {
	settings := r.Settings()
	a := &Action{Type: TypePageURL}
	a.setURL(r)
	a.Name = pageurl.CleanString(cleanTitle(r.Text("action_name"), settings.TitleDelimiter), settings.PageMaximumLength)
	a.lookUp(FieldName, TypePageTitle, a.Name)
	a.lookUpNormalizedURL(TypePageURL)
	return a
}

// cleanTitle trims the parts of a title and drops empty ones: " a /  / b" becomes "a/b" (spec §6.2). The delimiter is
// looked for in text with HTML entities, so that one that holds ">" never splits (spec §H.12).
func cleanTitle(title, delimiter string) string {
	if delimiter == "" {
		return title
	}
	parts := strings.Split(title, delimiter)
	kept := parts[:0]
	for _, part := range parts {
		if part = php.Trim(part); part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, delimiter)
}
