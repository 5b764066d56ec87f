// Package journey invents queue entries for tests: visitors of the reference installation's sites
// (internal/testing/golden) who do everything that visitors can do, close to the limits at which a tracker decides
// differently: windows of 30 minutes, midnight in several time zones, requests out of order, campaigns in the middle
// of a visit, orders sent twice. The same seed gives the same entries.
package journey

import (
	"bytes"
	"io"
	"math/rand/v2"

	"github.com/klauspost/compress/zlib"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/queue"
)

// Options say what is invented.
type Options struct {
	Seed    uint64
	Entries int
	People  int
	Queues  int // entries are spread over these queues as Matomo does, at least 1

	// Apart keeps what people do in different queues independent of each other: nobody changes the ids that choose the
	// queue, no order id is used by two people, all addresses of pages have one scheme. Then the rows do not depend on
	// which queue is faster.
	Apart bool

	// Six adds what versions after 5.1 made something of: bots that say so, AI agents and assistants, users who log in
	// during a visit.
	Six bool
}

// Entry is an element of a queue before compression.
type Entry struct {
	Queue   int
	Payload string
}

// Now is the worker's clock that goes with the entries, unix seconds.
const Now = 1795424400 // 2026-11-23 09:00:00 UTC

// maker invents the entries of one call.
type maker struct {
	Options
	*rand.Rand
	clock  int64
	people []*person
}

// person is somebody with a browser. Half of them share an address and a browser with somebody else.
type person struct {
	number     int
	site       *site
	id         string // first-party cookie
	user       string
	ip         string
	agent      string
	language   string
	resolution string
	pageviews  []string // ids of page views so far
	url        string   // page that is shown
}

// Make invents entries.
func Make(o Options) []Entry {
	m := &maker{Options: o, Rand: rand.New(rand.NewPCG(o.Seed, 1))} // repeatable on purpose
	m.Queues = max(1, m.Queues)
	for range max(1, o.People) {
		m.people = append(m.people, m.person())
	}
	m.clock = m.start()
	entries := make([]Entry, 0, o.Entries)
	for len(entries) < o.Entries {
		entries = append(entries, m.entry())
	}
	return entries
}

// start is shortly before midnight in one of the sites' time zones, or some other moment of the two days before Now.
func (m *maker) start() int64 {
	const day = 86400
	midnights := []int64{
		Now - Now%day,           // UTC
		Now - Now%day - 13*3600, // Auckland
		Now - Now%day + 5*3600,  // New York
		Now - Now%day - 3600,    // Berlin
	}
	if m.chance(25) {
		return Now - 2*day + m.Int64N(day)
	}
	return pick(m, midnights) - m.Int64N(2400)
}

func (m *maker) chance(percent int) bool { return m.IntN(100) < percent }

func pick[T any](m *maker, list []T) T { return list[m.IntN(len(list))] }

func (m *maker) person() *person {
	n := len(m.people)
	p := &person{
		number: n, site: pick(m, sites), agent: pick(m, agents), language: pick(m, languages),
		resolution: pick(m, []string{"1920x1080", "", "800x600"}),
		ip:         "198.18." + php.ToString(php.Int(int64(n/200))) + "." + php.ToString(php.Int(int64(n%200+1))),
	}
	if !m.Apart && n > 0 && m.chance(50) {
		other := m.people[m.IntN(n)]
		p.site, p.ip, p.agent, p.language = other.site, other.ip, other.agent, other.language
	}
	switch m.IntN(5) {
	case 0: // no cookie
	case 1:
		p.user = pick(m, users) + p.suffix(m)
	default:
		p.id = m.visitorID()
	}
	return p
}

// suffix keeps apart who is to be kept apart.
func (p *person) suffix(m *maker) string {
	if m.Apart {
		return "-" + php.ToString(php.Int(int64(p.number)))
	}
	return ""
}

func (m *maker) visitorID() string {
	const digits = "0123456789abcdef"
	id := make([]byte, 16)
	for i := range id {
		id[i] = digits[m.IntN(len(digits))]
	}
	return string(id)
}

// entry lets time pass and somebody do something.
func (m *maker) entry() Entry {
	m.clock += m.pause()
	p := pick(m, m.people)
	if m.chance(1) {
		return Entry{m.queue(p, nil), pick(m, undecodable)}
	}
	set := queue.RequestSet{Time: m.clock, Env: m.environment(p)}
	if m.chance(4) {
		set.TokenAuth = superuserToken
	}
	n := 1
	if m.chance(15) {
		n, set.EmptyToken = 1+m.IntN(5), set.TokenAuth == ""
	}
	for range n {
		set.Requests = append(set.Requests, m.request(p, set.TokenAuth != ""))
	}
	return Entry{m.queue(p, set.Requests[0]), encode(set)}
}

// pause is mostly short, and sometimes as long as the window of a visit.
func (m *maker) pause() int64 {
	switch n := m.IntN(100); {
	case n < 20:
		return 0
	case n < 75:
		return m.Int64N(30)
	case n < 92:
		return m.Int64N(400)
	case n < 97:
		return 1798 + m.Int64N(5)
	default:
		return m.Int64N(7200)
	}
}

// queue chooses as Matomo does, for people who are apart always the same one.
func (m *maker) queue(p *person, params *php.Array) int {
	if params == nil || m.Apart {
		params = php.NewArray(2)
		params.Set("_id", php.String(p.id))
		params.Set("uid", php.String(p.user))
	}
	return queue.QueueIDOfVisitor(queue.VisitorID(params), p.ip, m.Queues)
}

func encode(set queue.RequestSet) string {
	element, err := queue.Encode(set)
	if err != nil {
		panic(err) // all texts here are UTF-8
	}
	r, err := zlib.NewReader(bytes.NewReader(element))
	if err != nil {
		panic(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		panic(err)
	}
	return string(text)
}
