package referrer

import (
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// assistants finds the first domain of the list of AI assistants that is in a URL between "start, dot or slash" and
// "slash or end". Unlike those of social networks it is no pattern: https://chatgpt.com?a is none,
// https://example.com/chatgpt.com/ is ChatGPT (spec §V2.2.1).
type assistants []domain

func (l assistants) find(url string) (name string, found bool) {
	for i := range l {
		if l[i].isIn(url) {
			return l[i].name, true
		}
	}
	return "", false
}

func (d *domain) isIn(url string) bool {
	for start := 0; start <= len(url); start++ {
		i := strings.Index(url[start:], d.text)
		if i < 0 {
			return false
		}
		start += i
		rest := url[start+len(d.text):]
		ends := rest == "" || rest == "\n" || rest[0] == '/' // PHP's $ also matches in front of a line break at the end
		if ends && (start == 0 || isBoundary(url[start-1])) {
			return true
		}
	}
	return false
}

// sourceParameter is the parameter in which AI assistants name themselves.
var sourceParameter = []string{"utm_source"}

// assistant is the AI assistant of the referrer, else the one that the landing page's utm_source names, as ChatGPT's
// links do. The type of the result is NULL when there is none. A list is a TypeError in PHP.
func (s *detection) assistant() (Result, error) {
	name, found := s.refPage.findAssistant(s.d)
	if !found && s.d.behaviours.AIReferrersByCampaign && mayHave(s.landing.Query, sourceParameter) {
		source := php.QueryToMap(s.landing.Query).Value(sourceParameter[0])
		if source.IsArray() {
			return Result{}, wrongType("utm_source")
		}
		if !php.Empty(source) {
			name, found = s.d.assistants.find(source.Str())
		}
	}
	if !found {
		return Result{}, nil
	}
	r := typed(AIAssistant)
	r.Name, r.Keyword = store.Text(php.CutRunes(name, maxText)), store.Text("")
	return r, nil
}
