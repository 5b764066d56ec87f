package bot

import (
	"fmt"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// read makes the record of a request given in JSON.
func read(t *testing.T, params string, excludeParameters bool) *Record {
	t.Helper()
	v, err := php.DecodeJSON(params)
	if err != nil {
		t.Fatal(params, err)
	}
	settings := &matomo.TrackerSettings{
		PageMaximumLength: 1024, CharsetUTF8MB4: true,
		ExcludedURLParameters: []string{"gclid"},
	}
	site := &matomo.Site{ID: 7, Tracker: settings, ExcludedParameters: []string{"sid"}}
	r := request.New(v.Array(), &request.Origin{})
	r.Bind(&request.Context{Site: site, General: &matomo.General{}, Settings: settings})
	return Read(r, Bot{"ChatGPT-User", "ai_chatbot"}, 1234, excludeParameters)
}

func TestRecordHasSiteTimeAndBot(t *testing.T) {
	got := read(t, `{"rec":"1"}`, true)
	want := store.BotRequest{SiteID: 7, ServerTime: 1234, Name: "ChatGPT-User", Type: "ai_chatbot"}
	if got.Row != want || got.Lookups != nil {
		t.Errorf("got %+v %v, want %+v and no names", got.Row, got.Lookups, want)
	}
}

func TestNumbersOfARecordAreIntegersFromZeroOn(t *testing.T) {
	none := store.NullInt{}
	tests := []struct {
		in   string
		want store.NullInt
	}{
		{`"200"`, store.Int(200)},
		{`200`, store.Int(200)},
		{`"0"`, store.Int(0)},
		{`"-1"`, none},
		{`"007"`, none},
		{`"1.5"`, none},
		{`""`, none},
		{`["200"]`, none},
		{`99999999999`, store.Int(99999999999)}, // beyond the column, which the table has to say
	}
	for _, tt := range tests {
		row := read(t, fmt.Sprintf(`{"http_status":%[1]s,"bw_bytes":%[1]s,"pf_srv":%[1]s}`, tt.in), true).Row
		for column, got := range map[string]store.NullInt{
			"status": row.HTTPStatus, "bytes": row.ResponseBytes,
			"time": row.ResponseMillis,
		} {
			if got != tt.want {
				t.Errorf("%s: %s %v, want %v", tt.in, column, got, tt.want)
			}
		}
	}
}

func TestSourceOfARecordIsRaw(t *testing.T) {
	tests := []struct {
		in   string
		want store.NullText
	}{
		{`"Cloudflare"`, store.Text("Cloudflare")},
		{`" a<b>&amp; "`, store.Text(" a<b>&amp; ")},
		{`"a\u0000b"`, store.Text("ab")},
		{`"0"`, store.Text("0")},
		{`5`, store.Text("5")},
		{`""`, store.NullText{}},
		{`"\u0000"`, store.NullText{}},
		{`["a"]`, store.NullText{}},
		{`true`, store.NullText{}},
	}
	for _, tt := range tests {
		if got := read(t, `{"source":`+tt.in+`}`, true).Row.Source; got != tt.want {
			t.Errorf("%s: %v, want %v", tt.in, got, tt.want)
		}
	}
}

// TestURLOfARecord shows both sides of behaviour BotURLExclusions.
func TestURLOfARecord(t *testing.T) {
	tests := []struct {
		in           string
		want, before string // type, prefix and name
	}{
		{`{}`, "", ""},
		{`{"url":""}`, "", ""},
		{`{"url":"http://a.example/p"}`, "1 0 a.example/p", "1 0 a.example/p"},
		{`{"url":"https://www.a.example/p"}`, "1 3 a.example/p", "1 3 a.example/p"},
		{`{"url":"HTTP://WWW.A.example/p"}`, "1 1 a.example/p", "1 1 A.example/p"},
		{`{"url":"//a.example/p"}`, "1 - a.example/p", "1 - //a.example/p"},
		{`{"url":"no URL"}`, "1 - no URL", "1 - no URL"},

		// excluded parameters, of the site and of the configuration
		{
			`{"url":"http://a.example/p?sid=1&x=2&gclid=3#f"}`, "1 0 a.example/p?x=2",
			"1 0 a.example/p?sid=1&amp;x=2&amp;gclid=3#f",
		},
		{`{"url":"http://a.example/p?sid=1"}`, "1 0 a.example/p", "1 0 a.example/p?sid=1"},

		// without a name
		{`{"url":"https://"}`, "1 - ", "1 2 "},
		{`{"url":"0"}`, "1 - ", "1 - "},

		// downloads stay as they came
		{
			`{"url":"http://a.example/p","download":"https://a.example/f?sid=1&x=2"}`, "3 2 a.example/f?sid=1&amp;x=2",
			"3 2 a.example/f?sid=1&amp;x=2",
		},
		{`{"url":"http://a.example/p","download":" f "}`, "3 -  f ", "3 -  f "},
		{`{"url":"http://a.example/p","download":""}`, "1 0 a.example/p", "1 0 a.example/p"},
		{`{"url":"http://a.example/p","link":"http://b.example/"}`, "1 0 a.example/p", "1 0 a.example/p"},
	}
	for _, tt := range tests {
		for excluding, want := range map[bool]string{true: tt.want, false: tt.before} {
			got := ""
			for _, l := range read(t, tt.in, excluding).Lookups {
				prefix := "-"
				if l.Prefix.Valid {
					prefix = fmt.Sprint(l.Prefix.V)
				}
				got = fmt.Sprintf("%d %s %s", l.Type, prefix, l.Name)
			}
			if got != want {
				t.Errorf("%s, excluding %v: %q, want %q", tt.in, excluding, got, want)
			}
		}
	}
}
