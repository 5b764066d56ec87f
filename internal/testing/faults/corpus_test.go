package faults

import (
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/demo"
	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/queue"
)

// entry is a queue entry and where it belongs.
type entry struct {
	queue int
	bytes []byte
}

// corpus invents entries with about n requests. Each visitor has an address of his own: with a shared one Matomo may
// take the visitors of two queues for one, and what becomes of that depends on which queue is processed first.
func corpus(t *testing.T, n int) []entry {
	t.Helper()
	return corpusOf(t, n, false)
}

// corpus are the entries for a site: on Matomo 6.0 some visitors log in during a visit, which changes their ids, and
// there are bots.
func (s *site) corpus(t *testing.T, n int) []entry {
	t.Helper()
	return corpusOf(t, n, s.six)
}

func corpusOf(t *testing.T, n int, six bool) []entry {
	t.Helper()
	g, err := demo.NewGenerator(os.DirFS("../../../testdata"), 11, now)
	if err != nil {
		t.Fatal(err)
	}
	var entries []entry
	sets := apart(g.Sets(n))
	if !six { // what tells of bots would be a visit with a random visitor id
		sets = slices.DeleteFunc(sets, func(set queue.RequestSet) bool { return !set.Requests[0].Value("recMode").IsNull() })
	}
	for _, set := range bundle(sets) {
		if last := len(set.Requests) - 1; six && last > 0 { // the first request chooses the queue
			set.Requests[last].Set("uid", php.String("user "+visitor(set.Requests[last])))
		}
		entries = append(entries, encode(t, set))
	}
	return entries
}

func encode(t *testing.T, set queue.RequestSet) entry {
	t.Helper()
	bytes, err := queue.Encode(set)
	if err != nil {
		t.Fatal(err)
	}
	ip := php.ToString(set.Env.Server.Value("REMOTE_ADDR"))
	return entry{queue.QueueIDOfVisitor(queue.VisitorID(set.Requests[0]), ip, queues), bytes}
}

// apart makes a set of each request.
func apart(sets []queue.RequestSet) []queue.RequestSet {
	var single []queue.RequestSet
	for _, set := range sets {
		for _, params := range set.Requests {
			server := php.NewArray(0)
			for key, value := range set.Env.Server.All() {
				server.Set(key, value)
			}
			if ip := php.ToString(server.Value("REMOTE_ADDR")); len(ip) < 8 || ip[:8] != "198.51.1" { // which the site excludes
				sum := sha256.Sum256([]byte(visitor(params)))
				server.Set("REMOTE_ADDR", php.String(fmt.Sprintf("10.%d.%d.%d", sum[0], sum[1], sum[2])))
			}
			single = append(single, queue.RequestSet{
				Requests: []*php.Array{params}, Env: queue.Env{Server: server, Cookie: set.Env.Cookie}, Time: set.Time,
			})
		}
	}
	return single
}

func visitor(params *php.Array) string { return php.ToString(params.Value("_id")) }

// bundle makes bulk requests of some requests of the same visitor.
func bundle(sets []queue.RequestSet) []queue.RequestSet {
	for i := 0; i < len(sets); i += 7 {
		for k := i + 1; k < min(i+80, len(sets)); k++ {
			if visitor(sets[k].Requests[0]) == visitor(sets[i].Requests[0]) {
				sets[i].Requests = append(sets[i].Requests, sets[k].Requests...)
				sets[i].EmptyToken = true
				sets = slices.Delete(sets, k, k+1)
				break
			}
		}
	}
	return sets
}

// parts cuts entries into n pieces.
func parts(entries []entry, n int) [][]entry {
	var pieces [][]entry
	for i := range n {
		pieces = append(pieces, entries[i*len(entries)/n:(i+1)*len(entries)/n])
	}
	return pieces
}
