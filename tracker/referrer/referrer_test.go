package referrer

import (
	"errors"
	"strings"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/pageurl"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

const testdata = "../../testdata"

var null = store.NullText{}

func text(s string) store.NullText { return store.Text(s) }

func ref(kind int64, name, keyword, url store.NullText) store.Referer {
	return store.Referer{Type: store.Int(kind), Name: name, Keyword: keyword, URL: url}
}

// testInput is a request for site 1 of two; its alias is alias.example.net, site 2 is known under a path.
func testInput(url, referrer string) Input {
	site := &matomo.Site{
		ID: 1, Tracker: testSettings(), ExcludedReferrers: []string{"excluded.example.com", "pay.example.com/checkout"},
	}
	excludeReferrers(site)
	read := pageurl.Read(url, site.Tracker.PageMaximumLength)
	return Input{
		Site: site, URL: url, Page: &read, Referrer: referrer, Raw: php.NewArray(0),
		General: &matomo.General{SiteURLs: matomo.NewURLIndex([]matomo.SiteURL{
			{SiteID: 1, URL: "http://site.example.org"},
			{SiteID: 1, URL: "http://alias.example.net"},
			{SiteID: 2, URL: "https://other.example.org/Shop"},
			{SiteID: 2, URL: "https://plain.example.org"},
		})},
	}
}

const page = "http://site.example.org/"

func TestDetect(t *testing.T) {
	d := ownDetector(t)
	tests := []struct {
		url, referrer string
		want          store.Referer
	}{
		// direct entries
		{page, "", ref(Direct, null, null, text(""))},
		{page, "http://alias.example.net/zz?a=1;b=2", ref(Direct, null, null, text("http://alias.example.net/zz?a=1;b=2"))},
		{page, "http://www.site.example.org/x#y", ref(Direct, null, null, text("http://www.site.example.org/x"))},
		{"http://unknown.example.org/x", "http://unknown.example.org/", ref(Direct, null, null, text("http://unknown.example.org/"))},
		{page, "no-url", ref(Direct, null, null, text(""))},
		{page, "https://excluded.example.com/x", ref(Direct, null, null, text(""))},
		{page, "https://pay.example.com/checkout/2", ref(Direct, null, null, text(""))},
		{page + "?ignore_referrer=1", "https://example.com/", ref(Direct, text(""), text(""), text(""))},
		{page + "?x&ignore_referer=1", "https://example.com/", ref(Direct, text(""), text(""), text(""))},
		{page, "http:///nowhere", ref(Direct, null, null, null)},
		// websites
		{page, "https://Example.com/A?b", ref(Website, text("example.com"), null, text("https://example.com/A?b"))},
		{page + "?ignore_referrer=2", "https://example.com/", ref(Website, text("example.com"), null, text("https://example.com/"))},
		{page, "https://pay.example.com/", ref(Website, text("pay.example.com"), null, text("https://pay.example.com/"))},
		{page, "https://other.example.org/shop/x", ref(Website, text("other.example.org/shop"), null, text("https://other.example.org/shop/x"))},
		{page, "https://other.example.org/", ref(Website, text("other.example.org"), null, text("https://other.example.org/"))},
		{page, "https://plain.example.org/x", ref(Website, text("plain.example.org"), null, text("https://plain.example.org/x"))},
		{"no url", "https://example.com/", ref(Website, text("example.com"), null, text("https://example.com/"))},
		// social networks (spec §D.5, §H.2)
		{page, "https://t.co/x", ref(Social, text("Twitter"), text(""), text("https://t.co/x"))},
		{page, "https://l.facebook.com/?u=1&h=2&P=3", ref(Social, text("Facebook"), text(""), text("https://l.facebook.com/?u=1"))},
		{page, "https://example.com/facebook.com/", ref(Social, text("Facebook"), text(""), text("https://example.com/facebook.com/"))},
		{page, "https://lnkd.in/x", ref(Social, text("LinkedIn"), text(""), text("https://lnkd.in/x"))},
		{page, "https://old.reddit.com/", ref(Social, text("reddit"), text(""), text("https://old.reddit.com/"))},
		{page, "https://x.com/", ref(Website, text("x.com"), null, text("https://x.com/"))},
		{page, "https://FACEBOOK.com/", ref(Website, text("facebook.com"), null, text("https://facebook.com/"))},
		{page, "http:///github.com/", ref(Social, text("GitHub"), text(""), null)}, // no host, but the text matches
		// search engines
		{page, "https://www.google.com/", ref(SearchEngine, text("Google"), null, text("https://www.google.com/"))},
		{page, "https://www.bing.com/search?q=Ä&cvid=1&pc=2", ref(SearchEngine, text("Bing"), text("ä"), text("https://www.bing.com/search?q=Ä"))},
		{page, "https://www.google.de/?q=x&ved=1&sa=2", ref(SearchEngine, text("Google"), text("x"), text("https://www.google.de/?q=x"))},
		// campaigns (spec §D.5)
		{page + "#utm_campaign=FragC&utm_term=T%20x", "https://l.facebook.com/?u=1&h=2&P=3", ref(Campaign, text("fragc"), text("t x"), text("https://l.facebook.com/?u=1"))},
		{page + "?utm_campaign=QueryC#mtm_campaign=Frag2", "//www.Host.Example/p?x=<y>", ref(Campaign, text("frag2"), text("www.host.example"), text("www.host.example/p?x=&lt;y&gt;"))},
		{page + "?utm_source=x", "https://www.google.com/search?q=hello+world", ref(Campaign, text("x"), text("hello world"), text("https://www.google.com/search?q=hello+world"))},
		{page + "?utm_campaign=+&utm_source=S&utm_term=&pk_kwd=+", "", ref(Campaign, text("s"), text(""), text(""))},
		{page + "?utm_campaign[]=a&utm_medium=M", "", ref(Campaign, text("m"), text(""), text(""))},
		{page + "?UTM_campaign=a", "", ref(Direct, null, null, text(""))},
		{page + "?utm_medium", "", ref(Direct, null, null, text(""))},
		{page + "?a=b&utm_medium=", "", ref(Direct, null, null, text(""))},
		{page + "#/route?utm_campaign=x", "", ref(Direct, null, null, text(""))},
		{page + "#?utm_campaign=x", "", ref(Campaign, text("x"), text(""), text(""))},
		{page + "?utm_campaign=q&utm_term=t#utm_campaign=f", "", ref(Campaign, text("q"), text("t"), text(""))},
		{page + "?utm_campaign=%E4%F6", "", ref(Campaign, text("??"), text(""), text(""))},
		// ads
		{page, "https://googleads.g.doubleclick.net/x?url=http%3A%2F%2FPub.example%2Fp&ad_type=text", ref(Campaign, text("adwords (text)"), text("(adwords) pub.example"), text("https://googleads.g.doubleclick.net/x?url=http%3A%2F%2FPub.example%2Fp&ad_type=text"))},
		{page, "https://doubleclick.net/x?url=//h", ref(Campaign, text("adwords"), text("(adwords) h"), text("https://doubleclick.net/x?url=//h"))},
		{page + "?pk_cpn=C", "https://doubleclick.net/x?url=//h", ref(Campaign, text("c"), text("(adwords) h"), text("https://doubleclick.net/x?url=//h"))},
		{page, "https://doubleclick.net/x?url=nothing", ref(Website, text("doubleclick.net"), null, text("https://doubleclick.net/x?url=nothing"))},
	}
	for _, tt := range tests {
		got, err := d.Detect(testInput(tt.url, tt.referrer))
		if err != nil || got.Referer != tt.want {
			t.Errorf("url %q urlref %q: %+v, %v; want %+v", tt.url, tt.referrer, got, err, tt.want)
		}
	}
}

func TestColumnsThatAreNotSetAreTold(t *testing.T) {
	d := ownDetector(t)
	for referrer, want := range map[string][2]bool{
		"https://www.google.com/":      {true, false},
		"https://www.google.com/?x&q=": {true, false},
		"https://www.google.com/?q=x":  {false, false},
		"https://example.com/":         {false, false},
		"http:///nowhere":              {false, true},
	} {
		got, err := d.Detect(testInput(page, referrer))
		if err != nil || got.KeywordUnset != want[0] || got.URLUnset != want[1] {
			t.Errorf("%q: %+v, %v", referrer, got, err)
		}
	}
}

func TestOwnHostIsForeignWhenUnknownURLsAreExcluded(t *testing.T) {
	in := testInput("  http://unknown.example.org/x", "http://unknown.example.org/")
	in.General = &matomo.General{}
	in.URL = " //unknown.example.org/x" // not a URL before it is trimmed, so that the index does not have it
	d := ownDetector(t)
	if got, err := d.Detect(in); err != nil || got.Type.V != Direct {
		t.Errorf("%+v, %v", got, err)
	}
	in.Site.ExcludeUnknownURLs = true
	if got, err := d.Detect(in); err != nil || got.Type.V != Website {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestCampaignAmongParametersWins(t *testing.T) {
	d := ownDetector(t)
	in := testInput(page+"?utm_campaign=url&utm_term=term", "")
	in.Raw.Set("utm_campaign", php.String("Raw<C>&x"))
	if got, _ := d.Detect(in); got.Referer != ref(Campaign, text("raw<c>&x"), text("term"), text("")) {
		t.Errorf("%+v", got)
	}
	in.Raw.Set("pk_kwd", php.String("KW"))
	if got, _ := d.Detect(in); got.Referer != ref(Campaign, text("raw<c>&x"), text("kw"), text("")) {
		t.Errorf("%+v", got)
	}
	in.Raw.Set("pk_cpn", php.Int(7))
	if got, _ := d.Detect(in); got.Name != text("7") {
		t.Errorf("%+v", got)
	}
}

func TestSameCampaignKeepsItsKeyword(t *testing.T) {
	d := ownDetector(t)
	in := testInput(page+"?utm_campaign=Name", "https://example.com/")
	for _, tt := range []struct {
		current *store.Referer
		want    string
	}{
		{nil, "example.com"},
		{&store.Referer{Type: store.Int(Campaign), Name: text("NAME"), Keyword: text("Old")}, "old"},
		{&store.Referer{Type: store.Int(Campaign), Name: text("other"), Keyword: text("Old")}, "example.com"},
		{&store.Referer{Type: store.Int(Website), Name: text("name"), Keyword: text("Old")}, "example.com"},
		{&store.Referer{Type: store.Int(Campaign), Name: text("name")}, ""},
	} {
		in.Current = tt.current
		if got, err := d.Detect(in); err != nil || got.Keyword != text(tt.want) {
			t.Errorf("%+v: %+v, %v", tt.current, got, err)
		}
	}
}

func TestListsWherePHPWantsTextAreRefused(t *testing.T) {
	d := ownDetector(t)
	elements := php.NewArray(1)
	elements.Append(php.String("x"))
	list := php.ArrayValue(elements)
	withRaw := func(name string) Input {
		in := testInput(page, "")
		in.Raw.Set("utm_campaign", php.String("x"))
		in.Raw.Set(name, list)
		return in
	}
	for name, in := range map[string]Input{
		"last campaign parameter": testInput(page+"?utm_medium[]=x", ""),
		"campaign":                withRaw("utm_campaign"),
		"keyword":                 withRaw("utm_term"),
		"search keyword":          testInput(page, "https://www.google.com/search?q[]=a"),
		"keyword of campaign":     testInput(page+"?utm_campaign=x", "https://www.google.com/search?q[]=a"),
		"image search":            testInput(page, "https://images.google.com/imgres?x=1&prev[]=1"),
		"ad page":                 testInput(page, "https://doubleclick.net/x?url[]=//h"),
		"ad type":                 testInput(page, "https://doubleclick.net/x?url=//h&ad_type[]=1"),
	} {
		_, err := d.Detect(in)
		var rejection *request.Rejection
		if !errors.As(err, &rejection) || rejection.Reason != request.WrongType {
			t.Errorf("%s: %v", name, err)
		}
	}
	replaced := testInput(page+"?utm_medium[]=x", "")
	replaced.Raw.Set("utm_source", php.String("ok"))
	if got, err := d.Detect(replaced); err != nil || got.Name != text("ok") {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTextIsCutToTheColumns(t *testing.T) {
	d := ownDetector(t)
	in := testInput(page+"?utm_campaign="+strings.Repeat("é", 300)+"&utm_term="+strings.Repeat("k", 300), "")
	got, err := d.Detect(in)
	if err != nil || got.Name != text(strings.Repeat("é", 255)) || got.Keyword != text(strings.Repeat("k", 255)) {
		t.Errorf("%+v, %v", got, err)
	}
	in = testInput(page, "https://example.com/?x="+strings.Repeat("'", 900))
	if got, err = d.Detect(in); err != nil || len(got.URL.V) != 1500 {
		t.Errorf("%d, %v", len(got.URL.V), err)
	}
}

func TestParametersOfAllMatchingHostsAreDropped(t *testing.T) {
	got := strings.Join(hostParameters("www.instagram.com.bing.com"), " ")
	if got != "e s cvid refig elv plvar setlang qs cc mkt PC form src" {
		t.Error(got)
	}
	if got := hostParameters("example.com"); got != nil {
		t.Error(got)
	}
}

func TestForcesNewVisit(t *testing.T) {
	campaign := func(name, keyword string) Result {
		return Result{Referer: ref(Campaign, text(name), text(keyword), text(""))}
	}
	website := Result{Referer: ref(Website, text("example.com"), null, text(""))}
	direct, search := store.Int(Direct), store.Int(SearchEngine)
	current := ref(Campaign, text("A"), text("K"), text("x"))
	for name, tt := range map[string]struct {
		campaigns, websites bool
		found               Result
		current             store.Referer
		immutable           store.NullInt
		want                bool
	}{
		"same campaign":         {true, true, campaign("a", "k"), current, search, false},
		"numerically the same":  {true, true, campaign("10", "k"), ref(Campaign, text("1e1"), text("K"), null), search, false},
		"other keyword":         {true, true, campaign("a", "l"), current, search, true},
		"other name":            {true, true, campaign("b", "k"), current, search, true},
		"other type":            {true, true, campaign("a", "k"), ref(Website, text("a"), text("k"), null), search, true},
		"no type":               {true, true, campaign("a", "k"), store.Referer{Name: text("a"), Keyword: text("k")}, search, true},
		"setting off":           {false, true, campaign("b", "k"), current, search, false},
		"visit began direct":    {true, true, campaign("b", "k"), current, direct, false},
		"website":               {true, true, website, current, direct, true},
		"website, setting off":  {true, false, website, current, direct, false},
		"same website":          {true, true, website, ref(Website, text("EXAMPLE.com"), text(""), null), direct, false},
		"search engine is none": {true, true, Result{Referer: ref(SearchEngine, text("x"), null, null)}, current, search, false},
	} {
		site := &matomo.Site{Tracker: &matomo.TrackerSettings{NewVisitWhenCampaignChanges: tt.campaigns, NewVisitWhenWebsiteChanges: tt.websites}}
		if got := ForcesNewVisit(site, tt.found, &tt.current, tt.immutable); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestAnonymize(t *testing.T) {
	url := "https://h/p?q?r"
	for name, tt := range map[string]struct {
		in     store.Referer
		option string
		want   store.Referer
	}{
		"nothing":             {ref(Website, text("h"), null, text(url)), "", ref(Website, text("h"), null, text(url))},
		"unknown option":      {ref(Website, text("h"), null, text(url)), "x", ref(Website, text("h"), null, text(url))},
		"query":               {ref(Website, text("h/p"), null, text(url)), "exclude_query", ref(Website, text("h/p"), text(""), text("https://h/p"))},
		"question mark first": {ref(Website, text("h"), null, text("??x?y")), "exclude_query", ref(Website, text("h"), text(""), text("x"))},
		"path":                {ref(SearchEngine, text("G"), text("k"), text(url)), "exclude_path", ref(SearchEngine, text("G"), text(""), text("https://h/"))},
		"path, no scheme":     {ref(Website, text("h"), null, text("//h:1/p")), "exclude_path", ref(Website, text("h"), text(""), text("//h/"))},
		"path, host first":    {ref(Website, text("h"), null, text("h:1/p")), "exclude_path", ref(Website, text("h"), text(""), text("h/"))},
		"path, no path":       {ref(Website, text("h"), null, text("http://h?q")), "exclude_path", ref(Website, text("h"), text(""), text("http://h?q"))},
		"all, website":        {ref(Website, text("h"), null, text(url)), "exclude_all", ref(Website, text(""), text(""), text(""))},
		"all, social":         {ref(Social, text("F"), text(""), text(url)), "exclude_all", ref(Social, text("F"), text(""), text(""))},
		"query, assistant": {
			ref(AIAssistant, text("C"), text(""), text(url)), "exclude_query",
			ref(AIAssistant, text("C"), text(""), text("https://h/p")),
		},
		"all, assistant": {
			ref(AIAssistant, text("C"), text(""), text(url)), "exclude_all",
			ref(AIAssistant, text("C"), text(""), text("")),
		},
		"all, search": {
			ref(SearchEngine, text("G"), text("k"), text(url)), "exclude_all",
			ref(SearchEngine, text("G"), text(""), text("")),
		},
		"all, campaign": {
			ref(Campaign, text("c"), text("k"), text(url)), "exclude_all",
			ref(Campaign, text("c"), text("k"), text("")),
		},
		"all, direct": {ref(Direct, null, null, null), "exclude_all", ref(Direct, text(""), text(""), null)},
	} {
		if got := Anonymize(tt.in, tt.option); got != tt.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestUpdateOfAVisitKeepsWhatIsNotSet(t *testing.T) {
	found := Result{Referer: ref(Website, text("h"), null, text("http://h/p"))}
	if got := AnonymizeUpdate(found, "exclude_all"); got.Referer != ref(Website, text(""), null, text("")) {
		t.Errorf("%+v", got)
	}
	found = Result{Referer: ref(Social, text("F"), text(""), null), URLUnset: true}
	if got := AnonymizeUpdate(found, "exclude_path"); got != found {
		t.Errorf("%+v", got)
	}
	found = Result{Referer: ref(SearchEngine, text("G"), text("k"), text("http://h/p"))}
	if got := AnonymizeUpdate(found, "exclude_path"); got.Referer != ref(SearchEngine, text("G"), text(""), text("http://h/")) {
		t.Errorf("%+v", got)
	}
}

func TestAttribution(t *testing.T) {
	d := ownDetector(t)
	google := ref(SearchEngine, text("Google"), null, text("https://www.google.com/"))
	campaign := ref(Campaign, text("c"), text("k"), text("x"))
	for name, tt := range map[string]struct {
		params string
		visit  store.Referer
		want   store.Referer
	}{
		"visit's":              {"", google, ref(SearchEngine, text("Google"), null, null)},
		"search":               {"_ref=https://www.bing.com/?q%3DK%2520W", google, ref(SearchEngine, text("Bing"), text("k w"), null)},
		"search, no keyword":   {"_ref=https://www.bing.com/", google, ref(SearchEngine, text("Bing"), null, null)},
		"website":              {"_ref=https://example.com/", google, ref(Website, text("example.com"), null, null)},
		"social":               {"_ref=https://t.co/", google, ref(Social, text("Twitter"), text(""), null)},
		"own site":             {"_ref=http://alias.example.net/&url=http://site.example.org/", google, ref(SearchEngine, text("Google"), null, null)},
		"campaign":             {"_rcn=C%2520N%2526x&_rck=KK&_ref=https://t.co/", google, ref(Campaign, text("c n&x"), text("kk"), null)},
		"campaign, no keyword": {"_rcn=C", campaign, ref(Campaign, text("c"), text(""), null)},
		"visit by campaign":    {"_ref=https://t.co/", campaign, ref(Campaign, text("c"), text("k"), null)},
		"unnamed campaign":     {"_ref=https://t.co/", ref(Campaign, text(""), text("k"), null), ref(Social, text("Twitter"), text(""), null)},
		"campaign parameter":   {"_ref=https://t.co/&utm_campaign=x", google, ref(SearchEngine, text("Google"), null, null)},
	} {
		got, err := d.Attribution(boundRequest(tt.params), tt.visit)
		if err != nil || got != tt.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if _, err := d.Attribution(boundRequest("_ref=https://www.bing.com/?q[]%3DK"), google); err == nil {
		t.Error("list as keyword is not refused")
	}
}

func boundRequest(query string, changes ...func(*matomo.Site)) *request.Request {
	params := php.NewArray(4)
	for name, v := range php.QueryToMap(query).All() {
		params.Set(name, php.String(php.URLDecode(php.Unsanitize(v.Str()))))
	}
	r := request.New(params, &request.Origin{})
	in := testInput("", "")
	for _, change := range changes {
		change(in.Site)
	}
	r.Bind(&request.Context{Site: in.Site, General: in.General, Settings: in.Site.Tracker})
	return r
}

func BenchmarkDetect(b *testing.B) {
	d := ownDetector(b)
	for name, in := range map[string]Input{
		"none":     testInput(page+"products/7?color=red", ""),
		"own":      testInput(page+"products/7?color=red", page+"products"),
		"search":   testInput(page, "https://www.google.com/search?q=something+nice&ved=2ahUKEwi"),
		"social":   testInput(page, "https://l.facebook.com/l.php?u=1&h=2"),
		"website":  testInput(page, "https://www.example.com/some/path/article.html?id=7"),
		"campaign": testInput(page+"?utm_source=news&utm_campaign=Spring&utm_term=x", "https://mail.example.com/"),
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Detect(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
