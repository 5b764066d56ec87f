package tracker_test

import (
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/assembly"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden"
	"github.com/queuedtracking/queuedtracking/internal/testing/golden/bench"
	"github.com/queuedtracking/queuedtracking/internal/testing/journey"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/tracker"
)

// slow is how much processor time no request may take, whatever it holds. It is far above what any of them takes.
const slow = 5 * time.Second

// pipeline is a tracker with a database in which nothing is left behind.
type pipeline struct {
	assembly *assembly.Assembly
	tracker  *assembly.Tracker
}

func newPipeline(t testing.TB) *pipeline {
	t.Helper()
	data := bench.Own(root)
	b := bench.New(t, bench.SQLite, data, data.Devices(t))
	a := b.Assemble(t, &golden.Case{Now: journey.Now}, data.Home(t, false))
	return &pipeline{a, a.NewTracker()}
}

// track takes sets all the way to the database, and rolls back.
func (p *pipeline) track(t *testing.T, sets ...queue.RequestSet) tracker.Result {
	t.Helper()
	ctx := context.Background()
	started := processorTime(t)
	batch, err := p.tracker.Prepare(ctx, sets)
	if err != nil {
		t.Fatal(err)
	}
	tx, err := p.assembly.Store().Begin(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() // nothing is to be kept
	result, err := p.tracker.Write(ctx, tx, batch)
	if err != nil {
		t.Fatalf("not written: %v", err)
	}
	var bug *tracker.PanicError
	for _, refusal := range result.Refusals {
		if errors.As(refusal.Err, &bug) {
			t.Errorf("%v\n%s", bug, bug.Stack)
		}
	}
	if took := processorTime(t) - started; took > slow {
		t.Errorf("%d sets took %s of processor time, want less than %s", len(sets), took, slow)
	}
	return *result
}

// FuzzEntry tracks elements of a queue, bare JSON or zlib streams.
func FuzzEntry(f *testing.F) {
	for _, e := range journey.Make(journey.Options{Seed: 1, Entries: 60, People: 4}) {
		f.Add([]byte(e.Payload))
	}
	f.Add(golden.Compress([]byte(`{"requests":[{"idsite":1,"rec":true,"url":null,"cvar":{"1":["a",2]},"uadata":{"brands":[]}}],"env":{"server":[],"cookie":[]},"tokenAuth":false,"time":1795420000}`)))
	p := newPipeline(f)
	f.Fuzz(func(t *testing.T, element []byte) {
		set, err := queue.Decoder{MaxBytes: 1 << 20}.Decode(element)
		if err == nil {
			p.track(t, set)
		}
	})
}

// FuzzParameters tracks requests with arbitrary parameters and headers, both as query strings.
func FuzzParameters(f *testing.F) {
	f.Add(uint8(1), "url=http://site1.example.org/goal/contains&action_name=Thank you&cvar=%7B%221%22%3A%5B%22a%22%2C%22b%22%5D%7D", "HTTP_USER_AGENT=Mozilla/5.0&REMOTE_ADDR=10.0.0.1")
	f.Add(uint8(2), `idgoal=0&ec_id=1&revenue=1e3&ec_items=[["a","b",["c","d"],1.5,2]]&_id=0123456789abcdef&uid=u&lang=de`, "HTTP_ACCEPT_LANGUAGE=sr-Latn-RS&HTTP_X_FORWARDED_FOR=1.2.3.4, ::1")
	f.Add(uint8(3), "e_c=a&e_a=b&e_n=c&e_v=1,5&cdt=2026-11-22 10:00:00&cdo=7&h=25&m=x&pv_id=abcdefgh&pf_net=-1", `HTTP_SEC_CH_UA="Chromium";v="126"&HTTP_VIA=x&HTTP_DNT=1`)
	f.Add(uint8(5), `c_n=a&c_p=b&c_t=c&c_i=d&search=x&search_count=9&link=http://a/&download=b&_ref=http://google.com/?q=a&_refts=5&uadata={"fullVersionList":[{"brand":"x","version":"1"}]}`, "")
	p := newPipeline(f)
	f.Fuzz(func(t *testing.T, site uint8, query, server string) {
		p.track(t, setOf(site, query, server))
	})
}

// setOf is a set of one request. Text that is not UTF-8 never gets into a queue, but does no harm here.
func setOf(site uint8, query, server string) queue.RequestSet {
	params, env := parameters(query), parameters(server)
	params.Set("idsite", php.String(strconv.Itoa(int(site%8))))
	params.Set("rec", php.String("1"))
	return queue.RequestSet{
		Requests: []*php.Array{params}, Time: moment,
		Env: queue.Env{Server: env, Cookie: parameters(env.Value("HTTP_COOKIE").Str())},
	}
}

func parameters(query string) *php.Array {
	values, _ := url.ParseQuery(query)
	params := php.NewArray(len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		list := values[name]
		params.Set(name, php.String(list[len(list)-1]))
	}
	return params
}

// FuzzURLs tracks page views with arbitrary addresses, referrers and titles, as requests that go on with a visit.
func FuzzURLs(f *testing.F) {
	f.Add(uint8(1), "http://site1.example.org/a;b=c?q=%E4&utm_campaign=x#frag?y=1", "http://www.google.com/search?q=%C3%A4", "A > B")
	f.Add(uint8(3), "//site3.example.net:80/?kw[]=a&kw[]=b&tok_1=2", "https://user:pa@[::1]:9/%", "&amp;")
	f.Add(uint8(4), "https://site4.example.org/sub/dir/#?pk_campaign=a", "android-app://com.google.android.googlequicksearchbox", "\u00fc")
	f.Add(uint8(5), "mailto:a@b", "http://poisk.ru/?text=%D4%F3", "")
	p := newPipeline(f)
	f.Fuzz(func(t *testing.T, site uint8, address, referrer, title string) {
		view := queue.RequestSet{Time: moment, Env: queue.Env{Server: php.NewArray(0), Cookie: php.NewArray(0)}}
		for _, urlref := range []string{"", referrer} {
			params := php.NewArray(6)
			params.Set("idsite", php.String(strconv.Itoa(int(site%8))))
			params.Set("rec", php.String("1"))
			params.Set("url", php.String(address))
			params.Set("urlref", php.String(urlref))
			params.Set("action_name", php.String(title))
			view.Requests = append(view.Requests, params)
		}
		p.track(t, view)
	})
}
