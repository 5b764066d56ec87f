package demo

import (
	"cmp"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/queue"
)

// days is how many days the visits are spread over.
const days = 7

// Generator invents request sets. The same seed gives the same ones.
type Generator struct {
	catalog *catalog
	random  *rand.Rand
	from    time.Time
	made    []made
	people  []visitor
	orders  int
}

// made is a request with the moment at which it arrives.
type made struct {
	at     time.Time
	params *php.Array
	env    queue.Env
}

// visitor is somebody with a browser.
type visitor struct {
	id       string
	user     string
	agent    agent
	language string
	ip       string
	visits   int
}

// NewGenerator reads the catalog among files (folder demo). Requests are from the days before until.
func NewGenerator(files fs.FS, seed uint64, until time.Time) (*Generator, error) {
	c, err := loadCatalog(files)
	if err != nil {
		return nil, err
	}
	return &Generator{
		catalog: c, random: rand.New(rand.NewPCG(seed, seed)), from: until.AddDate(0, 0, -days).Truncate(24 * time.Hour),
	}, nil
}

// Sets returns entries with about n requests in all, in the order in which they arrived: most hold one request, some
// are bulk requests.
func (g *Generator) Sets(n int) []queue.RequestSet {
	for len(g.made) < n {
		g.visit()
	}
	slices.SortStableFunc(g.made, func(a, b made) int { return a.at.Compare(b.at) })
	requests := g.made[:n]
	var sets []queue.RequestSet
	for i := 0; i < len(requests); {
		size := 1
		if g.chance(1, 40) {
			size = min(2+g.random.IntN(4), len(requests)-i)
		}
		sets = append(sets, g.set(requests[i:i+size]))
		i += size
	}
	return sets
}

// set makes one entry. Requests of a bulk request share the environment of the last one, as if somebody had collected
// them.
func (g *Generator) set(requests []made) queue.RequestSet {
	last := requests[len(requests)-1]
	s := queue.RequestSet{Env: last.env, Time: last.at.Unix(), EmptyToken: len(requests) > 1}
	for _, r := range requests {
		s.Requests = append(s.Requests, r.params)
	}
	return s
}

func (g *Generator) chance(n, of int) bool { return g.random.IntN(of) < n }

// visit invents one visit, or something that is not to be tracked.
func (g *Generator) visit() {
	s := pickWeighted(g.random, g.catalog.Sites, func(s site) int { return s.Weight })
	at := g.moment()
	switch {
	case g.chance(4, 100):
		g.oddity(s, at)
		return
	case g.chance(3, 100):
		g.bot(s, at)
		return
	case g.chance(8, 100):
		g.fetch(s, at)
		return
	}
	v := g.visitor()
	if g.chance(4, 100) {
		v = g.aiAgent()
	}
	v.visits++
	j := journey{g: g, site: s, visitor: v, at: at}
	j.walk()
}

// moment is a time of day at which people are awake, more so in the evening.
func (g *Generator) moment() time.Time {
	hour := max(g.random.IntN(18), g.random.IntN(18)) + 5
	day := g.from.AddDate(0, 0, g.random.IntN(days))
	return day.Add(time.Duration(hour)*time.Hour + time.Duration(g.random.IntN(3600))*time.Second)
}

// visitor is somebody new, or somebody who comes back.
func (g *Generator) visitor() *visitor {
	if len(g.people) > 20 && g.chance(35, 100) {
		return &g.people[g.random.IntN(len(g.people))]
	}
	v := visitor{
		id:       fmt.Sprintf("%016x", g.random.Uint64()),
		agent:    pickWeighted(g.random, g.catalog.Agents, func(a agent) int { return a.Weight }),
		language: pickWeighted(g.random, g.catalog.Languages, func(c choice) int { return c.Weight }).Value,
		ip:       fmt.Sprintf("203.0.113.%d", g.random.IntN(256)),
	}
	if g.chance(5, 100) {
		v.user = "reader-" + strconv.Itoa(len(g.people))
	}
	if g.chance(10, 100) {
		v.ip = fmt.Sprintf("2001:db8:%x::%x", g.random.IntN(1<<16), g.random.IntN(1<<16))
	}
	g.people = append(g.people, v)
	return &g.people[len(g.people)-1]
}

// aiAgent is an AI assistant that visits sites for somebody.
func (g *Generator) aiAgent() *visitor {
	return &visitor{
		id:       fmt.Sprintf("%016x", g.random.Uint64()),
		agent:    pickWeighted(g.random, g.catalog.AIAgents, func(a agent) int { return a.Weight }),
		language: "en-US,en;q=0.9",
		ip:       fmt.Sprintf("192.0.2.%d", 100+g.random.IntN(100)),
	}
}

// fetch is what a web server tells of bots that fetched pages and files, most of them for somebody who asks an AI
// assistant.
func (g *Generator) fetch(s site, at time.Time) {
	ua := pick(g.random, g.catalog.Assistants)
	if g.chance(1, 6) {
		ua = pick(g.random, g.catalog.Bots) // of which nothing is recorded
	}
	env := queue.Env{Server: params(
		"HTTP_USER_AGENT", "example-cdn/3", "HTTP_HOST", "stats.example.org", "REMOTE_ADDR", "192.0.2.20",
		"REQUEST_METHOD", "POST", "REQUEST_URI", "/matomo.php",
	), Cookie: php.NewArray(0)}
	for range 1 + g.random.IntN(4) {
		status := "200"
		if g.chance(1, 12) {
			status = "404"
		}
		p := params(
			"idsite", strconv.Itoa(s.ID), "rec", "1", "recMode", strconv.Itoa(1+g.random.IntN(2)), "ua", ua,
			"url", s.Host+pick(g.random, s.Pages)[0], "http_status", status,
			"bw_bytes", strconv.Itoa(2000+g.random.IntN(40_000)), "pf_srv", strconv.Itoa(20+g.random.IntN(300)),
			"source", "example-cdn",
		)
		if g.chance(1, 8) {
			p.Set("download", php.String(pick(g.random, s.Downloads)))
		}
		g.made = append(g.made, made{at, p, env})
		at = at.Add(time.Duration(1+g.random.IntN(20)) * time.Second)
	}
}

// bot is a crawler that runs the tracking code.
func (g *Generator) bot(s site, at time.Time) {
	v := visitor{
		id: fmt.Sprintf("%016x", g.random.Uint64()), agent: agent{UA: pick(g.random, g.catalog.Bots)},
		ip: "192.0.2.10",
	}
	j := journey{g: g, site: s, visitor: &v, at: at}
	for range 1 + g.random.IntN(3) {
		j.page(pick(g.random, s.Pages), nil)
		j.wait(2, 10)
	}
}

// oddity is a request that Matomo excludes or refuses.
func (g *Generator) oddity(s site, at time.Time) {
	v := g.visitor()
	j := journey{g: g, site: s, visitor: v, at: at}
	page := pick(g.random, s.Pages)
	switch g.random.IntN(6) {
	case 0: // nobody knows this site
		j.page(page, params("idsite", "99"))
	case 1: // nor this goal
		j.page(page, params("idgoal", "77"))
	case 2: // setting the address needs a token
		j.page(page, params("cip", "198.51.100.7"))
	case 3: // a browser that loads the page in advance
		j.page(page, nil)
		g.made[len(g.made)-1].env.Server.Set("HTTP_X_PURPOSE", php.String("preview"))
	case 4: // referrer spam
		j.referrer = pick(g.random, g.catalog.Spammers)
		j.page(page, nil)
	case 5: // from inside the company
		v := *v
		v.ip = fmt.Sprintf("198.51.100.%d", g.random.IntN(256))
		j.visitor = &v
		j.site = g.catalog.Sites[len(g.catalog.Sites)-1]
		j.page(pick(g.random, j.site.Pages), nil)
	}
}

// params makes parameters from names and values.
func params(pairs ...string) *php.Array {
	a := php.NewArray(len(pairs) / 2)
	for i := 0; i < len(pairs); i += 2 {
		a.Set(pairs[i], php.String(pairs[i+1]))
	}
	return a
}

// Count is the number of requests in sets.
func Count(sets []queue.RequestSet) (n int) {
	for _, s := range sets {
		n += len(s.Requests)
	}
	return n
}

// Span tells the times of the first and the last set.
func Span(sets []queue.RequestSet) (first, last time.Time) {
	byTime := func(a, b queue.RequestSet) int { return cmp.Compare(a.Time, b.Time) }
	return time.Unix(slices.MinFunc(sets, byTime).Time, 0).UTC(), time.Unix(slices.MaxFunc(sets, byTime).Time, 0).UTC()
}
