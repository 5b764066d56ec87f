package journey

import (
	"encoding/json"
	"strconv"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/queue"
)

// request is one thing that somebody does.
func (m *maker) request(p *person, authenticated bool) *php.Array {
	r := &request{maker: m, p: p, params: php.NewArray(24)}
	switch n := m.IntN(1000); {
	case n < 15:
		return r.params // an empty request
	case n < 30:
		r.set("idsite", m.unknownSite(p))
	default:
		r.set("idsite", p.site.id)
	}
	r.common()
	r.act()
	r.disturb(authenticated)
	return r.params
}

// unknownSite is the idsite of no site. The first failure of a site is noted, so who is apart has one of his own.
func (m *maker) unknownSite(p *person) string {
	if m.Apart {
		return strconv.Itoa(1000 + p.number)
	}
	return pick(m, []string{"99", "0", "-1", "x"})
}

type request struct {
	*maker
	p      *person
	params *php.Array
}

func (r *request) set(name, value string) { r.params.Set(name, php.String(value)) }

func (r *request) number(name string, n int) { r.set(name, strconv.Itoa(n)) }

// common sets what most requests carry.
func (r *request) common() {
	r.set("rec", "1")
	if r.p.id != "" {
		r.set("_id", r.p.id)
	}
	if r.p.user != "" && (r.Apart || r.chance(85)) {
		r.set("uid", r.p.user)
	}
	if r.p.url == "" {
		r.p.url = r.p.site.host + "/"
	}
	r.set("url", r.p.url)
	if r.p.resolution != "" {
		r.set("res", r.p.resolution)
	}
	if r.chance(20) {
		r.number("h", r.IntN(26))
	}
	if r.p.site.dimensions && r.chance(40) {
		r.set("dimension"+strconv.Itoa(1+r.IntN(6)), pick(r.maker, []string{"gold", "", "x &", "0"}))
	}
	if r.chance(10) {
		r.set("_cvar", `{"1":["plan","`+pick(r.maker, []string{"a", "b"})+`"],"2":["t",""]}`)
	}
	if r.chance(10) {
		r.set("cvar", `{"3":["_pks","SKU1"],"1":["k","v"]}`)
	}
}

// act chooses the kind of request.
func (r *request) act() {
	kinds := []struct {
		weight int
		act    func()
	}{
		{30, r.page},
		{5, r.outlink},
		{5, r.download},
		{8, r.search},
		{10, r.event},
		{5, r.content},
		{6, r.ping},
		{6, r.goal},
		{9, r.cart},
		{8, r.order},
		{6, r.timings},
	}
	n := r.IntN(98)
	for _, kind := range kinds {
		if n -= kind.weight; n < 0 {
			kind.act()
			return
		}
	}
}

func (r *request) page() {
	host := r.p.site.host
	if len(r.p.site.others) > 0 && !r.Apart && r.chance(25) {
		host = pick(r.maker, r.p.site.others)
	}
	before := r.p.url
	r.p.url = host + pick(r.maker, paths)
	if r.chance(7) {
		r.p.url = host + "/landing?" + pick(r.maker, campaigns)
	}
	r.set("url", r.p.url)
	r.set("action_name", pick(r.maker, titles))
	switch {
	case r.chance(15):
		r.set("urlref", pick(r.maker, referrers))
	case r.chance(60):
		r.set("urlref", before)
	}
	if r.chance(70) {
		id := strconv.FormatInt(1<<30+r.Int64N(1<<30), 36)[:6]
		if r.chance(5) {
			id = pick(r.maker, []string{"caf\u00e9", "cafe", "CAFE", "ABCDEFG"})
		}
		r.set("pv_id", id)
		r.p.pageviews = append(r.p.pageviews, id)
	}
	if r.chance(30) {
		r.performance()
	}
	if r.p.site.shop && r.chance(15) {
		product := pick(r.maker, products)
		r.set("_pks", product[0])
		r.set("_pkn", product[1])
		r.set("_pkc", product[2])
		r.set("_pkp", product[3])
	}
}

func (r *request) performance() {
	for _, name := range []string{"pf_net", "pf_srv", "pf_tfr", "pf_dm1", "pf_dm2", "pf_onl"} {
		if r.chance(70) {
			r.number(name, r.IntN(3000))
		}
	}
}

// onPage names the page view during which something happens.
func (r *request) onPage() {
	if n := len(r.p.pageviews); n > 0 && r.chance(80) {
		r.set("pv_id", r.p.pageviews[max(0, n-1-r.IntN(3))])
	}
}

func (r *request) outlink() { r.set("link", pick(r.maker, outlinks)); r.onPage() }

func (r *request) download() { r.set("download", pick(r.maker, downloads)); r.onPage() }

func (r *request) search() {
	r.set("search", pick(r.maker, []string{"shoes", "Shoes", "a & b", "0", "123"}))
	if r.chance(50) {
		r.set("search_cat", "men")
		r.number("search_count", r.IntN(4)-1)
	}
	r.onPage()
}

func (r *request) event() {
	r.set("e_c", pick(r.maker, []string{"Videos", "cart", "Mail"}))
	r.set("e_a", pick(r.maker, []string{"play", "Purchase Add-on", "open"}))
	if r.chance(60) {
		r.set("e_n", pick(r.maker, []string{"promo 1", "0", "film", " "}))
	}
	if r.chance(40) {
		r.set("e_v", pick(r.maker, []string{"1", "2.5", "", "abc", "0"}))
	}
	if r.chance(5) {
		r.set("e_a", "  ") // refused
	}
	r.onPage()
}

func (r *request) content() {
	r.set("c_n", pick(r.maker, []string{"Teaser", "Banner"}))
	r.set("c_p", "piece.png")
	if r.chance(50) {
		r.set("c_t", "/target")
	}
	if r.chance(30) {
		r.set("c_i", "click")
	}
	r.onPage()
}

func (r *request) ping() {
	r.set("ping", "1")
	r.onPage()
	if r.chance(30) {
		r.performance()
	}
}

func (r *request) goal() {
	r.set("idgoal", pick(r.maker, r.p.site.goals))
	if r.chance(30) {
		r.set("revenue", pick(r.maker, []string{"9.99", "0", "1.005"}))
	}
}

func (r *request) cart() {
	r.set("idgoal", "0")
	r.items()
	r.number("revenue", r.IntN(200))
}

func (r *request) order() {
	r.cart()
	r.set("ec_id", "T-"+strconv.Itoa(r.IntN(12))+r.p.suffix(r.maker))
	if r.chance(50) {
		r.set("ec_st", "10.10")
		r.set("ec_tx", "1.9")
	}
}

func (r *request) items() {
	if r.chance(5) {
		return
	}
	var items [][]any
	known := products
	if r.Apart {
		known = products[:len(products)-1] // without the number that equals another one
	}
	for range r.IntN(4) {
		product := pick(r.maker, known)
		items = append(items, []any{product[0], product[1], product[2], product[3], r.IntN(4)})
	}
	text, err := json.Marshal(items)
	if err != nil {
		panic(err) // texts and numbers can be written
	}
	r.set("ec_items", string(text))
}

// timings reports how fast an earlier page view was, together with an event as Matomo's script does.
func (r *request) timings() {
	r.event()
	r.performance()
}

// disturb makes the request unusual, most times not.
func (r *request) disturb(authenticated bool) {
	if r.chance(12) {
		r.number("cdo", r.IntN(3)*r.IntN(1200)) // late
	}
	if r.chance(3) {
		r.set("cdt", strconv.FormatInt(r.clock-pick(r.maker, []int64{1799, 1800, 1801, 3600, 7200}), 10))
	}
	if r.chance(2) {
		r.set("new_visit", "1")
	}
	if r.Six {
		r.disturbSix()
	}
	if r.chance(4) {
		r.set("_rcn", "attributed")
		r.set("_ref", pick(r.maker, referrers))
		r.set("_refts", strconv.FormatInt(r.clock-1000, 10))
	}
	switch r.IntN(100) {
	case 0:
		r.set("rec", "0")
	case 1:
		r.set("ua", bot)
	case 2:
		r.set("cip", "198.51.101.7"+r.p.suffix(r.maker)) // needs a token
	case 3:
		r.set("cid", "123") // refused
	case 4:
		r.set("e_v", "1e400") // only the database refuses it
	case 5:
		r.set("ca", "1")
	case 6:
		if authenticated {
			r.set("cdt", strconv.FormatInt(r.clock-90_000, 10)) // yesterday
		}
	}
	if r.Apart {
		return
	}
	switch r.IntN(60) {
	case 0:
		r.set("cid", r.visitorID())
	case 1:
		r.set("cid", r.someone().id)
	case 2:
		r.set("uid", pick(r.maker, users))
	case 3:
		r.params.Delete("_id")
	case 4:
		r.p.id = r.visitorID()
	case 5:
		r.p.user = pick(r.maker, users)
	}
}

// disturbSix makes the request one that only later versions understand, most times not.
func (r *request) disturbSix() {
	switch r.IntN(40) {
	case 0:
		r.set("recMode", pick(r.maker, []string{"1", "2", "2", "0", "3"}))
		if r.chance(80) {
			r.set("ua", pick(r.maker, aiBots))
			r.set("http_status", pick(r.maker, []string{"200", "404", "x"}))
			r.set("source", "wordpress")
		}
	case 1:
		r.set("ai_s", "sig1=:abc=:")
		r.set("ai_sa", `"https://chatgpt.com"`)
		r.set("ai_si", `sig1=("@authority");created=1`)
	case 2:
		r.set("ua", r.p.agent+" Agent-NovaAct/1.0")
	case 3:
		r.set("urlref", pick(r.maker, assistants))
	case 4:
		r.set("url", r.p.site.host+"/landing?utm_source=chatgpt.com")
	case 5:
		r.set("pv_id", pick(r.maker, []string{"seven77", "a b", "", "\"quote"}))
	}
	if !r.Apart && r.chance(5) { // logs in, or out
		r.p.user = pick(r.maker, append([]string{""}, users...))
	}
}

func (m *maker) someone() *person { return pick(m, m.people) }

// environment is what the web server knew of the HTTP request.
func (m *maker) environment(p *person) queue.Env {
	server := php.NewArray(8)
	for _, entry := range [][2]string{
		{"HTTP_USER_AGENT", p.agent}, {"HTTP_ACCEPT_LANGUAGE", p.language}, {"REMOTE_ADDR", p.ip}, {"REQUEST_METHOD", "GET"},
	} {
		server.Set(entry[0], php.String(entry[1]))
	}
	if m.chance(1) {
		server.Set("HTTP_X_MOZ", php.String("prefetch"))
	}
	return queue.Env{Server: server, Cookie: php.NewArray(0)}
}
