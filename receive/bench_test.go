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
	var ctx fasthttp.RequestCtx
	if err := ctx.Request.Read(bufio.NewReader(strings.NewReader(trackingRequest(1)))); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		q, err := rc.receive(newMessage(&ctx), nil)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := q.entries(); err != nil {
			b.Fatal(err)
		}
	}
}
