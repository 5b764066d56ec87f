package bot

import (
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/action"
	"github.com/queuedtracking/queuedtracking/tracker/pageurl"
	"github.com/queuedtracking/queuedtracking/tracker/request"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Record is a request of a bot on its way to log_bot_request.
type Record struct {
	Row     store.BotRequest // without the id of the URL
	Lookups []action.Lookup  // that of the URL, none when the request gives no URL
}

// Read makes the record of a request that came at unix second now (spec §V2.1.4). The numbers and the source are read
// from the parameters as they were queued, unlike the URL. excludeParameters takes the site's excluded parameters off
// a page's URL, as the page's own would be (behaviour BotURLExclusions).
func Read(r *request.Request, b Bot, now int64, excludeParameters bool) *Record {
	raw := r.Raw()
	record := &Record{Row: store.BotRequest{
		SiteID: r.Site().ID, ServerTime: now, Name: b.Name, Type: b.Type,
		HTTPStatus: number(raw, "http_status"), ResponseBytes: number(raw, "bw_bytes"), ResponseMillis: number(raw, "pf_srv"),
	}}
	if source := php.RawString(raw, "source"); source != "" {
		record.Row.Source = store.Text(source)
	}
	if name, kind, prefix, ok := url(r, excludeParameters); ok {
		lookup := action.NewLookup(action.FieldURL, kind, name)
		lookup.Prefix = prefix
		record.Lookups = []action.Lookup{lookup}
	}
	return record
}

// number reads an integer; a negative one counts as none.
func number(raw *php.Array, name string) store.NullInt {
	if n, ok := php.RawInt(raw, name); ok && n >= 0 {
		return store.Int(n)
	}
	return store.NullInt{}
}

// url is the name under which log_action has the URL of the download, else of the page: without its protocol in both
// cases, which a visit's download keeps. ok is false when there is neither. A page's URL that cannot be parsed has an
// empty name.
func url(r *request.Request, excludeParameters bool) (name string, kind int64, prefix store.NullInt, ok bool) {
	u, kind := r.Text("download"), action.TypeDownload
	if u == "" {
		u, kind = r.Text("url"), action.TypePageURL
	}
	if u == "" {
		return "", 0, store.NullInt{}, false
	}
	if kind == action.TypePageURL && excludeParameters {
		u, _ = r.Page().ExcludeParameters(r.Exclusions(), nil)
	}
	name, prefix = pageurl.Normalize(u)
	return name, kind, prefix, true
}
