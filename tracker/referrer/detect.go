package referrer

import (
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Detect finds the referrer of a request (spec §7.1). The error is a *request.Rejection of kind WrongType for lists
// where PHP wants text.
func (d *Detector) Detect(in Input) (Result, error) {
	return d.detect(&detection{d: d, in: in, landing: &in.Page.Parts})
}

// detect looks for campaigns in s.landing, which is empty for conversions; the page of the request is only asked for
// the site's own host.
func (d *Detector) detect(s *detection) (Result, error) {
	if ignoresReferrer(s.landing.Query) {
		return Result{Referer: store.Referer{
			Type: store.Int(Direct), Name: store.Text(""), Keyword: store.Text(""), URL: store.Text(""),
		}}, nil
	}
	s.refPage = s.in.Memory.page(&s.in)
	found, err := s.source()
	if err != nil {
		return Result{}, err
	}
	if found.Type.V == Campaign && s.in.Site.MaskCampaigns {
		found.Name, found.Keyword = store.Text(masked), store.Text(masked)
	}
	found.URL, found.URLUnset = s.url, !s.url.Valid
	return found, nil
}

// ignoresReferrer reports whether the page's URL carries ignore_referrer=1.
func ignoresReferrer(query string) bool {
	if !strings.Contains(query, "ignore_refer") {
		return false
	}
	params := php.QueryToMap(query)
	return params.Value("ignore_referrer").Str() == "1" || params.Value("ignore_referer").Str() == "1"
}

// detection is one run.
type detection struct {
	d        *Detector
	in       Input
	landing  *php.URL // the page's URL
	*refPage          // the referrer
}

// source is the type with its name and keyword.
func (s *detection) source() (Result, error) {
	if s.d.behaviours.AIReferrers {
		if assistant, err := s.assistant(); err != nil || assistant.Type.Valid {
			return assistant, err
		}
	}
	campaign, err := s.campaign()
	if err != nil || campaign.Type.Valid {
		return campaign, err
	}
	if s.isOwnSite() {
		return typed(Direct), nil
	}
	search := s.search(s.d)
	if search.err != nil {
		return Result{}, search.err
	}
	if search.found {
		return searchResult(search.name, search.keyword), nil
	}
	if search.isSocial {
		r := typed(Social)
		r.Name, r.Keyword = store.Text(php.CutRunes(search.social, maxText)), store.Text("")
		return r, nil
	}
	if php.EmptyString(s.parsed.Host) {
		return typed(Direct), nil
	}
	r := typed(Website)
	r.Name = store.Text(php.CutRunes(s.websiteName(), maxText))
	return r, nil
}

func typed(kind int64) Result { return Result{Referer: store.Referer{Type: store.Int(kind)}} }

func searchResult(name string, keyword php.Value) Result {
	r := typed(SearchEngine)
	r.Name = store.Text(php.CutRunes(name, maxText))
	if keyword.IsString() {
		r.Keyword = store.Text(php.CutRunes(keyword.Str(), maxText))
	}
	r.KeywordUnset = !keyword.IsString()
	return r
}

// isOwnSite reports whether the referrer is a page of the site itself (spec §7.3): a URL of the site that the
// installation knows, or the host of this request. Among hosts of other sites it is not.
func (s *detection) isOwnSite() bool {
	if php.EmptyString(s.parsed.Host) {
		return false
	}
	site := s.in.Site
	if sites, found := s.in.General.SiteURLs.With(site.ID, s.requestURL()).Match(s.parsed); found {
		return slices.Contains(sites, site.ID)
	}
	return !site.ExcludeUnknownURLs && s.landing.HasHost &&
		php.LooseEqualStrings(php.MBToLower(s.landing.Host), php.MBToLower(s.parsed.Host))
}

// requestURL is the parameter url as it came, neither decoded nor cleaned.
func (s *detection) requestURL() php.URL {
	if s.in.URL == s.in.Page.URL {
		return s.in.Page.Parts
	}
	u, _ := php.ParseURL(s.in.URL)
	return u
}

// websiteName is the host and, when the referrer is a page of another site of the installation, the path under which
// that site is known.
func (s *detection) websiteName() string {
	name := php.MBToLower(s.parsed.Host)
	path, _ := s.in.General.SiteURLs.With(s.in.Site.ID, s.requestURL()).PathPrefix(s.parsed)
	return name + strings.TrimRight(path, "/")
}

// hostParameters lists parameters that are dropped from referrers of some hosts, because they differ from visit to
// visit: those of all entries that are in the host, as in facebook.com.google.example.
func hostParameters(host string) (params []string) {
	for _, h := range parametersOfHosts {
		if strings.Contains(host, h.host) {
			params = append(params, h.params...)
		}
	}
	return params
}

type hostParams struct {
	host   string
	params []string
}

var parametersOfHosts = []hostParams{
	{"instagram.com", []string{"e", "s"}},
	{"facebook.com", []string{"h", "p"}},
	{"google.", googleParameters},
	{"googleusercontent.", googleParameters},
	{"main.exoclick.com", []string{"data", "wpn"}},
	{"youtube.com", []string{"redir_token", "html_redirect", "continuation", "feature"}},
	{"bing.com", []string{"cvid", "refig", "elv", "plvar", "setlang", "qs", "cc", "mkt", "PC", "form", "src"}},
}

var googleParameters = []string{"ust", "usg", "usd", "sa", "sntz", "ei", "bvm", "ved", "client", "channel"}
