package referrer

import (
	"errors"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// detectorOf knows the lists of the repository and does as a version with these behaviours.
func detectorOf(t testing.TB, behaviours matomo.Behaviours) *Detector {
	t.Helper()
	d, err := Load(Lists{
		SearchEngines: listIn(t, ownLists, "SearchEngines.yml"), Socials: listIn(t, ownLists, "Socials.yml"),
		Assistants: listIn(t, ownLists, "AIAssistants.yml"),
	}, behaviours)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var (
	before55 = matomo.Behaviours{}
	first55  = matomo.Behaviours{AIReferrers: true}
	newest   = matomo.Behaviours{
		AIReferrers: true, AIReferrersByCampaign: true, IgnoredCampaignLists: true,
		IgnoredCampaignTypes: true,
	}
)

func TestAssistantsAreDomainsWithoutPort(t *testing.T) {
	list, err := domainsOfYAML([]byte("Chat+: [chat.example, a.b+c]\nGrok: [x.com/i/grok]\nThird: [www.chat.example]\nEmpty: ['']\nNo list: text\n"))
	if err != nil {
		t.Fatal(err)
	}
	list = list[:len(list)-1] // without the empty one, which is tried below
	for in, want := range map[string]string{
		"https://chat.example": "Chat+", "https://chat.example/": "Chat+", "https://www.chat.example/x": "Chat+", "//chat.example/": "Chat+",
		"android-app://chat.example/": "Chat+", "https://h/chat.example/": "Chat+", "https://h/?u=/chat.example": "Chat+", "https://h/#/chat.example": "Chat+",
		"chat.example": "Chat+", "chat.example\n": "Chat+", "https://chat.example.chat.example/": "Chat+", "https://a.b+c/": "Chat+",
		"https://x.com/i/grok": "Grok", "https://x.com/i/grok/share": "Grok",
		"https://chat.example?x": "", "https://chat.example:443/": "", "https://chat.example#x": "", "https://CHAT.example/": "", "https://chatXexample/": "",
		"https://achat.example/": "", "https://user@chat.example/": "", "https://h/?u=chat.example": "", "https://chat.example\n\n": "",
		"https://x.com/i/grok?x": "", "https://x.com/i/": "", "https://abbc/": "", "": "",
	} {
		if got, found := assistants(list).find(in); got != want || found != (want != "") {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]bool{"": true, "a//b": true, "a/": true, "a": false, "a.b": false} {
		if _, got := (assistants{{"", "Empty"}}).find(in); got != want {
			t.Errorf("empty domain in %q: %v, want %v", in, got, want)
		}
	}
}

// TestAssistantsOfVersions detects the same requests before Matomo 5.5, with assistants by referrer only, and as the
// newest version does.
func TestAssistantsOfVersions(t *testing.T) {
	gpt := "https://chatgpt.com/"
	assistant := func(name, url string) store.Referer { return ref(AIAssistant, text(name), text(""), text(url)) }
	website := func(name, url string) store.Referer { return ref(Website, text(name), null, text(url)) }
	campaign := func(name, keyword, url string) store.Referer {
		return ref(Campaign, text(name), text(keyword), text(url))
	}
	for _, tt := range []struct {
		url, referrer           string
		before55, first, newest store.Referer
	}{
		{page, gpt, website("chatgpt.com", gpt), assistant("ChatGPT", gpt), assistant("ChatGPT", gpt)},
		{
			page + "?utm_campaign=c&utm_term=k", gpt, campaign("c", "k", gpt), assistant("ChatGPT", gpt),
			assistant("ChatGPT", gpt),
		},
		{
			page + "?utm_source[]=x", gpt, ref(Website, text("chatgpt.com"), null, text(gpt)), assistant("ChatGPT", gpt),
			assistant("ChatGPT", gpt),
		},
		{
			page + "?utm_source=chatgpt.com", "", campaign("chatgpt.com", "", ""), campaign("chatgpt.com", "", ""),
			assistant("ChatGPT", ""),
		},
		{
			page + "?utm_source=claude.ai&utm_source=chatgpt.com", "", campaign("chatgpt.com", "", ""),
			campaign("chatgpt.com", "", ""), assistant("ChatGPT", ""),
		},
		{
			page + "?utm_source=chatgpt%2Ecom", "", campaign("chatgpt.com", "", ""), campaign("chatgpt.com", "", ""),
			campaign("chatgpt.com", "", ""),
		},
		{
			page + "?UTM_SOURCE=chatgpt.com", "", ref(Direct, null, null, text("")), ref(Direct, null, null, text("")),
			ref(Direct, null, null, text("")),
		},
		{
			page + "#utm_source=chatgpt.com", "", campaign("chatgpt.com", "", ""), campaign("chatgpt.com", "", ""),
			campaign("chatgpt.com", "", ""),
		},
		{
			page + "?utm_source", "", ref(Direct, null, null, text("")), ref(Direct, null, null, text("")),
			ref(Direct, null, null, text("")),
		},
		// own host
		{
			"https://chatgpt.com/x", gpt, ref(Direct, null, null, text(gpt)), assistant("ChatGPT", gpt),
			assistant("ChatGPT", gpt),
		},
		{
			page + "?ignore_referrer=1", gpt, ref(Direct, text(""), text(""), text("")),
			ref(Direct, text(""), text(""), text("")), ref(Direct, text(""), text(""), text("")),
		},
		{
			page, "https://t.co/claude.ai/", ref(Social, text("Twitter"), text(""), text("https://t.co/claude.ai/")),
			assistant("Claude", "https://t.co/claude.ai/"), assistant("Claude", "https://t.co/claude.ai/"),
		},
		{
			page, "https://excluded.example.com/chatgpt.com/", ref(Direct, null, null, text("")),
			ref(Direct, null, null, text("")), ref(Direct, null, null, text("")),
		},
		{
			page, "http:///claude.ai/", ref(Direct, null, null, null), ref(AIAssistant, text("Claude"), text(""), null),
			ref(AIAssistant, text("Claude"), text(""), null),
		},
	} {
		for _, side := range []struct {
			name       string
			behaviours matomo.Behaviours
			want       store.Referer
		}{{"before 5.5", before55, tt.before55}, {"first", first55, tt.first}, {"newest", newest, tt.newest}} {
			d, in := detectorOf(t, side.behaviours), testInput(tt.url, tt.referrer)
			in.Memory = &Memory{}
			for range 2 { // the second time from memory
				if got, err := d.Detect(in); err != nil || got.Referer != side.want {
					t.Errorf("%s, url %q urlref %q: %+v, %v; want %+v", side.name, tt.url, tt.referrer, got, err, side.want)
				}
			}
		}
	}
}

func TestListInUTMSourceIsRefusedWhereItMayNameAnAssistant(t *testing.T) {
	in := testInput(page+"?utm_campaign=c&utm_source[]=x", "https://example.com/")
	if got, err := detectorOf(t, first55).Detect(in); err != nil || got.Name != text("c") {
		t.Errorf("by referrer only: %+v, %v", got, err)
	}
	_, err := detectorOf(t, newest).Detect(in)
	var rejection *request.Rejection
	if !errors.As(err, &rejection) || rejection.Reason != request.WrongType {
		t.Errorf("by utm_source, too: %v", err)
	}
}

func TestAssistantsOfTableOption(t *testing.T) {
	const option = "YToxOntzOjExOiJib3QuZXhhbXBsZSI7czozOiJPd24iO30=" // bot.example => Own
	for name, tt := range map[string]struct {
		source Source
		want   string
	}{
		"option":              {Source{Option: option}, "Own"},
		"option that is none": {Source{Option: "eHl6"}, ""},
		"option, no array":    {Source{Option: "aTo1Ow=="}, ""},
		"file":                {Source{YAML: []byte("File: [bot.example]")}, "File"},
		"no file":             {Source{}, ""},
	} {
		good := Source{YAML: []byte("X: []")}
		d, err := Load(Lists{SearchEngines: good, Socials: good, Assistants: tt.source}, newest)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got, _ := d.assistants.find("https://bot.example/"); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	broken := Lists{
		SearchEngines: Source{YAML: []byte("X: []")}, Socials: Source{YAML: []byte("X: []")},
		Assistants: Source{YAML: []byte("- x")},
	}
	if _, err := Load(broken, newest); err == nil || !strings.HasPrefix(err.Error(), "AI assistants: ") {
		t.Errorf("broken file: %v", err)
	}
	if _, err := Load(broken, before55); err != nil {
		t.Errorf("broken file, before 5.5: %v", err)
	}
}

func TestAssistantsConvert(t *testing.T) {
	google := ref(SearchEngine, text("Google"), null, text("https://www.google.com/"))
	for name, tt := range map[string]struct {
		params   string
		visit    store.Referer
		old, new store.Referer
	}{
		"assistant": {
			"_ref=https://chatgpt.com/", google,
			ref(Website, text("chatgpt.com"), null, null), ref(AIAssistant, text("ChatGPT"), text(""), null),
		},
		"visit by assistant": {
			"_ref=https://example.com/", ref(AIAssistant, text("ChatGPT"), text(""), text("")),
			ref(Website, text("example.com"), null, null), ref(Website, text("example.com"), null, null),
		},
		"visit by campaign": {
			"_ref=https://chatgpt.com/", ref(Campaign, text("c"), text("k"), null),
			ref(Campaign, text("c"), text("k"), null), ref(Campaign, text("c"), text("k"), null),
		},
		"utm_source does not count": {
			"_ref=https://www.bing.com/&url=http://site.example.org/?utm_source%3Dchatgpt.com", google,
			ref(SearchEngine, text("Bing"), null, null), ref(SearchEngine, text("Bing"), null, null),
		},
		"utm_source may be a list": {
			"_ref=https://www.bing.com/&url=http://site.example.org/?utm_source[]%3Dchatgpt.com", google,
			ref(SearchEngine, text("Bing"), null, null), ref(SearchEngine, text("Bing"), null, null),
		},
	} {
		for _, side := range []struct {
			behaviours matomo.Behaviours
			want       store.Referer
		}{{before55, tt.old}, {newest, tt.new}} {
			got, err := detectorOf(t, side.behaviours).Attribution(boundRequest(tt.params), tt.visit)
			if err != nil || got != side.want {
				t.Errorf("%s, %+v: %+v, %v; want %+v", name, side.behaviours, got, err, side.want)
			}
		}
	}
}
