package receive

import (
	"bufio"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// BenchmarkEntry is the work for one request without network: parse, choose the queue, encode.
func BenchmarkEntry(b *testing.B) {
	o := testOptions(b, recordedConfig, nil)
	settings := o.Installation.Tracker(0)
	rc := &Receiver{installation: o.Installation, limits: o.Limits, clock: o.Clock}
	rc.installation.Tracker = siteSettings(settings)
	var visitors [64]fasthttp.RequestCtx // one alone would be learned by heart: its compression takes a third less
	for i := range visitors {
		if err := visitors[i].Request.Read(bufio.NewReader(strings.NewReader(trackingRequest(i * 7919)))); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		q, err := rc.receive(newMessage(&visitors[i%len(visitors)]), nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := q.entries(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBulk is the same work for a request with a list of 25.
func BenchmarkBulk(b *testing.B) {
	o := testOptions(b, recordedConfig, nil)
	settings := o.Installation.Tracker(0)
	rc := &Receiver{installation: o.Installation, limits: o.Limits, clock: o.Clock}
	rc.installation.Tracker = siteSettings(settings)
	var queries []string
	for i := range 25 {
		_, query, _ := strings.Cut(trackingRequest(i*7919), "?")
		query, _, _ = strings.Cut(query, " ")
		queries = append(queries, `"?`+query+`"`)
	}
	body := `{"requests":[` + strings.Join(queries, ",") + `]}`
	var ctx fasthttp.RequestCtx
	head := "POST /matomo.php HTTP/1.1\r\nHost: stats.example.org\r\nContent-Length: 0\r\n\r\n"
	if err := ctx.Request.Read(bufio.NewReader(strings.NewReader(head))); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		q, err := rc.receive(newMessage(&ctx), strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		if len(q.set.Requests) != len(queries) {
			b.Fatalf("%d requests, want %d", len(q.set.Requests), len(queries))
		}
		if _, _, err := q.entries(); err != nil {
			b.Fatal(err)
		}
	}
}
