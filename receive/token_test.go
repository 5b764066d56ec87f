package receive

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker"
)

// sent is an HTTP request with tokens in it.
type sent struct{ query, form, json, bearer string }

func (s sent) request() *http.Request {
	method, body, kind := "GET", "", ""
	switch {
	case s.form != "":
		method, body, kind = "POST", s.form, "application/x-www-form-urlencoded"
	case s.json != "":
		method, body, kind = "POST", s.json, "application/json"
	}
	r := httptest.NewRequest(method, "/matomo.php?"+s.query, strings.NewReader(body))
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	if s.bearer != "" {
		r.Header.Set("Authorization", s.bearer)
	}
	return r
}

// TestTokensOfEntries shows both sides of the behaviours EmptyTokenInEntries, BearerTokens and ConflictingTokens.
func TestTokensOfEntries(t *testing.T) {
	const none, refused = "false", "400"
	bulk := func(more string) string { return `{"requests":["?idsite=1"]` + more + `}` }
	tests := []struct {
		name       string
		in         sent
		v3, v4, v8 string // tokenAuth of the entry of Matomo 5.3, 5.4, 5.8
	}{
		{"GET without a token", sent{query: "idsite=1"}, none, "", ""},
		{"GET", sent{query: "idsite=1&token_auth=a"}, "a", "a", "a"},
		{"GET, raw", sent{query: "idsite=1&token_auth=a%26%3C"}, "a&amp;&lt;", "a&<", "a&<"},
		{"GET, a list", sent{query: "idsite=1&token_auth[]=a"}, none, "", ""},
		{"POST", sent{form: "idsite=1&token_auth=a"}, "a", "a", "a"},
		{"POST and GET", sent{query: "token_auth=get", form: "idsite=1&token_auth=post"}, "get", "post", refused},
		{"POST and GET, the same", sent{query: "token_auth=a", form: "idsite=1&token_auth=a"}, "a", "a", "a"},
		{"POST and GET, one empty", sent{query: "token_auth=0", form: "idsite=1&token_auth=post"}, "0", "post", "post"},
		{"header", sent{query: "idsite=1", bearer: "Bearer a"}, none, "a", "a"},
		{"header, two blanks", sent{query: "idsite=1", bearer: "Bearer  a"}, none, " a", " a"},
		{"header in lower case", sent{query: "idsite=1", bearer: "bearer a"}, none, "", ""},
		{"Basic", sent{query: "idsite=1", bearer: "Basic YTpi"}, none, "", ""},
		{"header and GET", sent{query: "idsite=1&token_auth=get", bearer: "Bearer a"}, "get", "a", refused},
		{"JSON body of a single request", sent{query: "idsite=1", json: `{"token_auth":"a"}`}, none, "a", "a"},
		{"JSON body and GET", sent{query: "idsite=1&token_auth=get", json: `{"token_auth":"a"}`}, "get", "a", refused},
		{"JSON body with a number", sent{query: "idsite=1", json: `{"token_auth":5}`}, none, "", ""},
		{"JSON body with a blank in front", sent{query: "idsite=1", json: ` {"token_auth":"a"}`}, none, "", ""},
		{"no JSON", sent{query: "idsite=1", json: `{"token_auth":"a"`}, none, "", ""},

		{"bulk without a token", sent{json: bulk("")}, "", "", ""},
		{"bulk", sent{json: bulk(`,"token_auth":"a"`)}, "a", "a", "a"},
		{"bulk, raw", sent{json: bulk(`,"token_auth":"a&<"`)}, "a&amp;&lt;", "a&<", "a&<"},
		{"bulk, blank in front", sent{json: " " + bulk(`,"token_auth":"a&<"`)}, "a&amp;&lt;", "a&amp;&lt;", "a&amp;&lt;"},
		{
			"bulk over several lines",
			sent{json: strings.ReplaceAll(bulk(`,"token_auth":"a&<"`), ",", ",\n")},
			"a&amp;&lt;",
			"a&<", "a&<",
		},
		{"bulk, a number", sent{json: bulk(`,"token_auth":5`)}, "5", "5", "5"},
		{"bulk and GET", sent{query: "token_auth=get", json: bulk(`,"token_auth":"a"`)}, "get", "a", refused},
		{"bulk and GET, the same", sent{query: "token_auth=a", json: bulk(`,"token_auth":"a"`)}, "a", "a", "a"},
		{"bulk and GET alone", sent{query: "token_auth=get", json: bulk("")}, "get", "get", "get"},
		{"bulk and header", sent{json: bulk(`,"token_auth":"a"`), bearer: "Bearer b"}, "a", "b", refused},
		{"bulk and header alone", sent{json: bulk(""), bearer: "Bearer b"}, "", "b", "b"},
	}
	for _, tt := range tests {
		for version, want := range map[string]string{
			"5.3.2": tt.v3, "5.4.0": tt.v4, "5.7.1": tt.v4, "5.8.0": tt.v8,
			"6.0.0": tt.v8,
		} {
			to := &sink{}
			o := testOptions(t, recordedConfig, to)
			o.Installation.Behaviours = matomo.BehavioursIn(version)
			if got := tokenOf(t, answerTo(t, o, tt.in.request()), to.take()); got != want {
				t.Errorf("%s, %s: %q, want %q", version, tt.name, got, want)
			}
		}
	}
}

// tokenOf is tokenAuth of the one entry, or the status of the answer if there is none.
func tokenOf(t *testing.T, answer *http.Response, entries []Entry) string {
	t.Helper()
	if answer.StatusCode != http.StatusOK {
		if len(entries) > 0 {
			t.Errorf("status %d, but queued", answer.StatusCode)
		}
		return fmt.Sprint(answer.StatusCode)
	}
	set, err := queue.Decode(entries[0].Element)
	if err != nil {
		t.Fatal(err)
	}
	if set.TokenAuth == "" && !set.EmptyToken {
		return "false"
	}
	return set.TokenAuth
}

func TestTokenThatIsUsedAtOnceMayHaveComeInASecureWay(t *testing.T) {
	tests := []struct {
		name       string
		in         sent
		before, v4 bool
	}{
		{"URL", sent{query: "token_auth=a"}, false, false},
		{"POST", sent{form: "token_auth=a"}, true, true},
		{"POST and URL", sent{query: "token_auth=a", form: "token_auth=a"}, false, true},
		{"header", sent{bearer: "Bearer a"}, false, true},
		{"JSON", sent{json: `{"requests":["?idsite=1"],"token_auth":"a"}`}, false, true},
		{"nothing", sent{}, false, false},
	}
	for _, tt := range tests {
		for version, want := range map[string]bool{"5.3.2": tt.before, "5.4.0": tt.v4} {
			o := testOptions(t, recordedConfig, nil)
			o.Installation.Behaviours = matomo.BehavioursIn(version)
			secure := false
			o.Track = func(_ context.Context, set queue.RequestSet) (tracker.Result, error) {
				secure = set.SecureToken
				return tracker.Result{Tracked: 1}, nil
			}
			tt.in.query += "&idsite=1&queuedtracking=0"
			answer := answerTo(t, o, tt.in.request())
			if body, _ := io.ReadAll(answer.Body); answer.StatusCode != http.StatusOK {
				t.Errorf("%s, %s: status %d: %s", version, tt.name, answer.StatusCode, body)
			}
			if secure != want {
				t.Errorf("%s, %s: secure %v, want %v", version, tt.name, secure, want)
			}
		}
	}
}
