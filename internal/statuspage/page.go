package statuspage

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/metrics"
	"github.com/queuedtracking/queuedtracking/queue"
)

// Options are where the page finds what it shows.
type Options struct {
	Command string // that answers, such as "process"
	Version string // of this program
	Matomo  string // version of Matomo; empty: not known
	Engine  string // what writes the rows; empty: nothing in this process
	Clock   func() time.Time
	Look    func(ctx context.Context) ([]metrics.QueueState, error)
	History queue.Tallies
	Spool   func() (entries, bytes int64) // what waits on disk; nil: there is no spool
}

// Page serves the page. It looks at the queues when somebody asks for it, once a second at most.
type Page struct {
	o Options

	mu   sync.Mutex
	last *look
	seen []*look // the earliest first
}

var _ http.Handler = (*Page)(nil)

// New makes the page.
func New(o Options) *Page { return &Page{o: o} }

var (
	//go:embed page.html
	pageHTML string
	//go:embed style.css
	styleCSS string

	page   = template.Must(template.New("page").Parse(pageHTML))
	policy = "default-src 'none'; style-src 'sha256-" + digest(styleCSS) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// refreshSeconds is the time between two looks of a reader who wants the page to refresh itself.
const refreshSeconds = 5

// ServeHTTP answers with the page; with the parameter refresh it loads itself again and again. It does not so unasked:
// who reads slowly, or has it read aloud, would never come to the end.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now, seen := p.latest(r.Context())
	v := p.view(now, seen)
	if r.URL.Query().Has("refresh") {
		v.Refresh = refreshSeconds
	}
	v.Every, v.Style = refreshSeconds, template.CSS(styleCSS)
	var b bytes.Buffer
	if err := page.Execute(&b, v); err != nil {
		http.Error(w, "The page cannot be written.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-store")
	_, _ = w.Write(b.Bytes()) // a reader who has gone away
}

// IsLocal reports whether only this machine can reach a listener at an address: loopback or a Unix socket.
func IsLocal(a net.Addr) bool {
	switch a := a.(type) {
	case *net.TCPAddr:
		return a.IP.IsLoopback()
	case *net.UnixAddr:
		return true
	}
	return false
}
