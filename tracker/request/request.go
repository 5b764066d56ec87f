// Package request reads one tracking request: its parameters with PHP's typing, its time, client IP, visitor id and
// user id, and whether it is authenticated (spec §0.4, §1).
//
// A Request belongs to one goroutine. It does no I/O of its own: what depends on the database (tokens that are not in
// the site's cached list) is asked of the Authenticator handed in.
package request

import (
	"io"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/pageurl"
)

// Env is the environment of the HTTP request that carried the tracking request: PHP's $_SERVER and $_COOKIE.
type Env struct{ Server, Cookie *php.Array }

// Origin is what a request shares with the others of its queue entry.
type Origin struct {
	Env       Env
	TokenAuth string // token of the whole set, "" when there is none
	QueuedAt  int64  // unix seconds at which the set was queued: the request's clock

	SecureToken bool // the set is tracked at once, and its token came in a secure way: not in the URL
}

// Context is what a request is read against. Site is nil while the site is unknown.
type Context struct {
	Site       *matomo.Site
	General    *matomo.General
	Settings   *matomo.TrackerSettings // the site's, or the global ones while the site is unknown
	Features   matomo.Features
	Behaviours matomo.Behaviours
	Auth       Authenticator
	Now        int64     // unix seconds: the worker's clock
	Random     io.Reader // makes anonymised order ids unique (spec §9.4); nil: crypto/rand

	Exclusions *pageurl.Exclusions // Site's; nil: they are made when needed
}

// Authenticator answers what a token may do when the site's cached list does not know it (spec §1.5 step 7, 8).
type Authenticator interface {
	// IsSuperuser reports whether the token with this hash (hex sha512 of token and salt) belongs to a superuser. Some
	// tokens count only if they came in a secure way.
	IsSuperuser(tokenHash string, secure bool) (bool, error)
}

// Reason says why a request is refused.
type Reason string

// The reasons for which Matomo refuses a request (spec §12.2).
const (
	UnknownSite      Reason = "unknown site"
	InvalidParameter Reason = "invalid parameter"
	NotAuthenticated Reason = "not authenticated"
	WrongType        Reason = "wrong type" // PHP fails with a TypeError
	NotSupported     Reason = "not supported"
	InvalidData      Reason = "invalid data" // the database would refuse the value
)

// Rejection is the error of a request that Matomo refuses.
type Rejection struct {
	Reason Reason
	Detail string // names the parameter; values are escaped by whoever prints it
}

func (r *Rejection) Error() string { return string(r.Reason) + ": " + r.Detail }

// Reject returns a *Rejection.
func Reject(reason Reason, detail string) error { return &Rejection{reason, detail} }
