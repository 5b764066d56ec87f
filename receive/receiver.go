package receive

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// Installation is what a receiver has to know of Matomo.
type Installation struct {
	Queues  func() int                                 // number of queues, setting numQueueWorkers, as it is now
	Tracker func(siteID int64) *matomo.TrackerSettings // settings of a site, those for all sites when it is unknown
	General func() *matomo.General                     // options that are the same for all sites
	Cookie  CookieSettings                             // of the third-party cookie
	CORS    []string                                   // [General] cors_domains[]

	Behaviours matomo.Behaviours // of the version whose entries are written
	Image      Image             // [Tracker] custom_image
}

// Receiver turns HTTP requests into queue entries. It may be used by several goroutines.
type Receiver struct {
	installation Installation
	limits       Limits
	clock        func() time.Time
	random       io.Reader
}

// received is one HTTP request of a tracker.
type received struct {
	*Receiver
	*message

	get, post *php.Array // $_GET and $_POST
	body      string     // php://input
	silent    bool       // of a bulk request
	set       queue.RequestSet
}

// receive reads the body and finds the tracking requests. Errors are those of reading, or of limits.
func (rc *Receiver) receive(m *message, body io.Reader) (*received, error) {
	q := &received{Receiver: rc, message: m, get: parseQuery(m.query), post: &php.Array{}}
	length, err := q.read(body)
	if err != nil {
		return nil, err
	}
	now := rc.clock()
	q.set.Time = now.Unix()
	q.set.Env = m.environment(now, length)
	return q, q.findRequests()
}

// read takes the body for $_POST and for php://input, as far as PHP fills these.
func (q *received) read(body io.Reader) (length int64, err error) {
	if body == nil {
		return 0, nil
	}
	raw, err := io.ReadAll(body)
	if err != nil || len(raw) == 0 {
		return 0, err
	}
	if !q.IsPost() {
		q.body = string(raw)
		return int64(len(raw)), nil
	}
	contentType := q.header("Content-Type")
	kind, _, _ := strings.Cut(contentType, ";")
	switch strings.ToLower(strings.TrimSpace(kind)) {
	case "application/x-www-form-urlencoded":
		q.body = string(raw)
		q.post = parseQuery(q.body)
	case "multipart/form-data":
		q.post = parseMultipart(contentType, raw)
	default:
		q.body = string(raw)
	}
	return int64(len(raw)), nil
}

// findRequests fills the set as Matomo's RequestSet does: a bulk request's, else the one that $_GET and $_POST make
// together.
func (q *received) findRequests() error {
	q.set.EmptyToken = q.installation.Behaviours.EmptyTokenInEntries
	if isBulk(q.body) {
		b, err := parseBulk(q.body, q.limits.BulkRequests)
		if err != nil {
			return err
		}
		q.set.Requests, q.silent, q.set.EmptyToken = b.requests, b.silent, true
		return q.findToken(&b)
	}
	params := union(q.get, q.post)
	if params.Len() == 0 {
		return nil
	}
	q.set.Requests = []*php.Array{params}
	return q.findToken(nil)
}

// parameter is Matomo's look at $_GET and $_POST.
func (q *received) parameter(name string) (php.Value, bool) {
	if v, ok := q.get.Get(name); ok {
		return v, true
	}
	return q.post.Get(name)
}

// direct reports whether the request asks to be tracked at once (queuedtracking=0).
func (q *received) direct() bool {
	return php.ReadInt(q.get, "queuedtracking", php.ReadInt(q.post, "queuedtracking", 1)) == 0
}

// wantsNoImage reports whether 204 is the answer instead of an image.
func (q *received) wantsNoImage() bool {
	v, _ := q.parameter("send_image")
	return v.Str() == "0"
}

// errUnencodable is the error of a set that JSON cannot hold: {"a":1e999}.
var errUnencodable = errors.New("request cannot be queued")

// entries are the queue entries that the set becomes: one for each queue that its requests belong to, in the order in
// which these come up first. replaced reports whether text had to be changed to be UTF-8.
func (q *received) entries() (entries []Entry, replaced bool, err error) {
	parts, err := q.split()
	if err != nil {
		return nil, false, err
	}
	for _, p := range parts {
		element, err := queue.Encode(p.set)
		if err != nil {
			replaced = true
			if element, err = queue.Encode(substituteSet(p.set)); err != nil {
				return nil, replaced, fmt.Errorf("%w: %w", errUnencodable, err)
			}
		}
		entries = append(entries, Entry{Queue: p.queue, Element: element})
	}
	return entries, replaced, nil
}

// part is what of a set belongs to one queue.
type part struct {
	queue int
	set   queue.RequestSet
}

func (q *received) split() ([]part, error) {
	queues := q.installation.Queues()
	if queues < 2 {
		return []part{{0, q.set}}, nil
	}
	if len(q.set.Requests) == 1 {
		return []part{{q.queueOf(q.set.Requests[0], queues), q.set}}, nil
	}
	var parts []part
	at := make(map[int]int)
	for _, params := range q.set.Requests {
		id := q.queueOf(params, queues)
		i, known := at[id]
		if !known {
			i = len(parts)
			at[id] = i
			parts = append(parts, part{id, q.set})
			parts[i].set.Requests = nil
		}
		parts[i].set.Requests = append(parts[i].set.Requests, params)
	}
	return parts, nil
}

// queueOf chooses one of the queues for a request: by its visitor id, else by the client's address (spec §0.1). A
// visitor id that is refused counts as none; the parameter cip counts without authentication, which the tracker asks
// for.
func (q *received) queueOf(params *php.Array, queues int) int {
	r := q.bind(params)
	if id, ok, err := r.VisitorID(); err == nil && ok {
		return queue.QueueIDOfVisitor(id[:], "", queues)
	}
	ip := r.Text("cip")
	if php.EmptyString(ip) {
		ip = r.HeaderIP()
	}
	return queue.QueueIDOfVisitor(nil, ip, queues)
}

// bind reads one request of the set with the settings of its site.
func (q *received) bind(params *php.Array) *request.Request {
	r := request.New(params, &request.Origin{
		Env: request.Env(q.set.Env), TokenAuth: q.set.TokenAuth, QueuedAt: q.set.Time,
	})
	r.Bind(&request.Context{
		General: q.installation.General(), Settings: q.installation.Tracker(r.SiteID()),
		Behaviours: q.installation.Behaviours,
		Now:        q.set.Time, Random: q.random,
	})
	return r
}
