package request

import (
	"errors"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/pageurl"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// Request is one tracking request. What is read from it is computed once.
type Request struct {
	raw    *php.Array // as queued
	params *php.Array // with what Matomo adds and replaces
	origin *Origin
	ctx    *Context

	texts     []namedText // results of Text that differ from the parameter
	userAgent once[string]
	language  once[string]
	headerIP  once[string]
	ip        once[address]
	time      once[int64]
	page      pageurl.Page
	pageRead  bool
	visitor   once[visitorID]
	auth      once[bool]
}

type namedText struct{ name, text string }

type visitorID struct {
	id store.BinaryID
	ok bool
}

// New reads the parameters of one request of a set (spec §1.2): a request with neither url nor urlref is about the page
// that the header Referer names. params is not changed. Before anything but SiteID and IsEmpty is asked, Bind has to
// be called.
func New(params *php.Array, origin *Origin) *Request {
	r := new(Request)
	r.Read(params, origin)
	return r
}

// Read is New for a Request that has its memory already.
func (r *Request) Read(params *php.Array, origin *Origin) {
	*r = Request{raw: params, params: params, origin: origin}
	if php.Empty(params.Value("urlref")) && php.Empty(params.Value("url")) {
		if referrer := r.Server("HTTP_REFERER"); !php.EmptyString(referrer) {
			r.set("url", referrer)
		}
	}
}

// set changes a parameter and leaves the queued ones alone.
func (r *Request) set(name, value string) {
	if r.params == r.raw {
		r.params = r.raw.Clone()
	}
	r.params.Set(name, php.String(value))
}

// Bind gives the request what it is read against. It is called once. Characters beyond the Basic Multilingual Plane
// are replaced where the database cannot store them (spec §1.2); on a known site user id and order id are anonymised
// when the privacy options say so (spec §9.4).
func (r *Request) Bind(ctx *Context) {
	r.ctx = ctx
	if !ctx.Settings.CharsetUTF8MB4 {
		r.params = storableArray(r.params)
	}
	if ctx.Site != nil {
		r.anonymize()
	}
}

// IsEmpty reports whether the request has no parameters: it counts as tracked and does nothing (spec §1.1 step 1).
func (r *Request) IsEmpty() bool { return r.raw.Len() == 0 }

// SiteID is the site that the request names, known or not (spec §1.4).
func (r *Request) SiteID() int64 { return r.Int("idsite") }

// Context is what Bind was given.
func (r *Request) Context() *Context { return r.ctx }

// Site is the request's site, nil while it is unknown.
func (r *Request) Site() *matomo.Site { return r.ctx.Site }

// Settings are the site's, or the global ones when the site is unknown.
func (r *Request) Settings() *matomo.TrackerSettings { return r.ctx.Settings }

// General holds what is the same for all sites.
func (r *Request) General() *matomo.General { return r.ctx.General }

// Privacy holds the site's privacy settings, those of all sites while the site is unknown.
func (r *Request) Privacy() *matomo.Privacy {
	if r.ctx.Site == nil {
		return &r.ctx.General.Privacy
	}
	return &r.ctx.Site.Privacy
}

// Features tells which plugins are active.
func (r *Request) Features() matomo.Features { return r.ctx.Features }

// Params are the parameters as Matomo's getParams gives them. They are not to be changed.
func (r *Request) Params() *php.Array { return r.params }

// Raw are the parameters as they were queued. They are not to be changed.
func (r *Request) Raw() *php.Array { return r.raw }

// Env is the environment of the HTTP request.
func (r *Request) Env() Env { return r.origin.Env }

// Server is an entry of PHP's $_SERVER as text, "" when absent (spec §0.4).
func (r *Request) Server(name string) string { return php.ToString(r.origin.Env.Server.Value(name)) }

// UserAgent is the parameter ua, else the header, sanitised (spec §1.3).
func (r *Request) UserAgent() string {
	ua, _ := r.userAgent.get(r, (*Request).findUserAgent)
	return ua
}

func (r *Request) findUserAgent() (string, error) {
	return php.ReadString(r.params, "ua", r.Server("HTTP_USER_AGENT")), nil
}

// Page is the parameter url, cleaned and parsed. It is not to be changed.
func (r *Request) Page() *pageurl.Page {
	if !r.pageRead {
		r.page, r.pageRead = pageurl.Read(r.Text("url"), r.ctx.Settings.PageMaximumLength), true
	}
	return &r.page
}

// Exclusions are the parameters that are left out of the site's URLs.
func (r *Request) Exclusions() *pageurl.Exclusions {
	if r.ctx.Exclusions == nil {
		return pageurl.ExclusionsOf(r.ctx.Site)
	}
	return r.ctx.Exclusions
}

// RawUserAgent is UserAgent without HTML entities: what exclusions look at (spec §2.1).
func (r *Request) RawUserAgent() string { return php.Unsanitize(r.UserAgent()) }

// once holds a result that is computed at most once. A refusal is a result, another error is not: what failed for want
// of the database can be asked again.
type once[T any] struct {
	value T
	err   error
	done  bool
}

// get takes the method of r that finds the result: a closure would be made anew for each call.
func (o *once[T]) get(r *Request, find func(*Request) (T, error)) (T, error) {
	if !o.done {
		o.value, o.err = find(r)
		o.done = o.err == nil || isRejection(o.err)
	}
	return o.value, o.err
}

func isRejection(err error) bool {
	var rejection *Rejection
	return errors.As(err, &rejection)
}
