package demo

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/queue"
)

// journey is one visit while it is being made.
type journey struct {
	g        *Generator
	site     site
	visitor  *visitor
	at       time.Time
	referrer string // of the next page
	url      string // of the page that is shown
	pageview string
}

// walk goes from page to page, with what people do on them.
func (j *journey) walk() {
	r := j.g.random
	j.referrer = pickWeighted(r, j.g.catalog.Referrers, func(c choice) int { return c.Weight }).Value
	path := pick(r, j.site.Pages)
	var query string
	if j.g.chance(12, 100) {
		query = "?" + pick(r, j.g.catalog.Campaigns)
	}
	j.page([2]string{path[0] + query, path[1]}, nil)
	for range max(0, r.IntN(9)-r.IntN(4)) {
		j.wait(5, 240)
		j.step()
	}
	if j.site.Shop && j.g.chance(15, 100) {
		j.shop()
	}
}

// step is one thing that visitors do.
func (j *journey) step() {
	r := j.g.random
	switch n := r.IntN(100); {
	case n < 64:
		j.referrer = j.url
		j.page(pick(r, j.site.Pages), nil)
	case n < 70:
		j.action(params("download", pick(r, j.site.Downloads)))
	case n < 76:
		j.action(params("link", pick(r, j.site.Outlinks)))
	case n < 84:
		j.event(pick(r, j.site.Events))
	case n < 90:
		j.search(pick(r, j.site.Searches))
	case n < 93:
		j.action(params("c_n", "Teaser", "c_p", "teaser.png", "c_t", j.site.Host+pick(r, j.site.Pages)[0]))
	case n < 97:
		j.action(params("ping", "1"))
	case j.site.Shop:
		j.action(params("idgoal", "2"))
	}
}

func (j *journey) wait(least, most int) {
	j.at = j.at.Add(time.Duration(least+j.g.random.IntN(most-least)) * time.Second)
}

// page shows a page, given by path and title, with further parameters.
func (j *journey) page(page [2]string, more *php.Array) {
	j.url = j.site.Host + page[0]
	j.pageview = fmt.Sprintf("%06x", j.g.random.IntN(1<<24))
	p := params("action_name", page[1])
	if j.g.chance(70, 100) {
		for _, timing := range []string{"pf_net", "pf_srv", "pf_tfr", "pf_dm1", "pf_dm2", "pf_onl"} {
			p.Set(timing, php.String(strconv.Itoa(j.g.random.IntN(400))))
		}
	}
	if p.Set("pv_id", php.String(j.pageview)); j.referrer != "" {
		p.Set("urlref", php.String(j.referrer))
	}
	merge(p, more)
	j.send(p)
}

// action is something on the page that is shown.
func (j *journey) action(p *php.Array) {
	p.Set("pv_id", php.String(j.pageview))
	j.send(p)
}

func (j *journey) event(e [3]string) {
	p := params("e_c", e[0], "e_a", e[1])
	if e[2] != "" {
		p.Set("e_n", php.String(e[2]))
	}
	if j.g.chance(30, 100) {
		p.Set("e_v", php.String(strconv.Itoa(1+j.g.random.IntN(5))))
	}
	j.action(p)
}

// search uses the site's search: told by the tracking code, or to be seen in the page's address.
func (j *journey) search(words string) {
	if j.g.chance(50, 100) {
		j.action(params("search", words, "search_count", strconv.Itoa(j.g.random.IntN(20))))
		return
	}
	j.referrer = j.url
	j.page([2]string{"/results?" + j.site.Search + "=" + url.QueryEscape(words), "Search"}, nil)
}

// shop looks at products, fills a cart and maybe orders.
func (j *journey) shop() {
	r := j.g.random
	var items [][]any
	var total float64
	for _, i := range r.Perm(len(j.site.Products))[:1+r.IntN(3)] {
		p := j.site.Products[i]
		price := strconv.FormatFloat(p.Price, 'f', -1, 64)
		j.wait(10, 120)
		j.page([2]string{"/product/" + p.SKU, p.Name},
			params("_pks", p.SKU, "_pkn", p.Name, "_pkc", p.Category, "_pkp", price))
		quantity := 1 + r.IntN(3)
		items = append(items, []any{p.SKU, p.Name, p.Category, p.Price, quantity})
		total += p.Price * float64(quantity)
		j.wait(5, 30)
		j.cart(items, total, "")
	}
	j.wait(20, 90)
	j.page([2]string{"/checkout", "Checkout"}, nil)
	if j.g.chance(60, 100) {
		j.wait(30, 200)
		j.g.orders++
		j.cart(items, total, "T-"+strconv.Itoa(1000+j.g.orders))
	}
}

// cart reports the cart or, with an id, the order.
func (j *journey) cart(items [][]any, total float64, order string) {
	list, err := json.Marshal(items)
	if err != nil {
		return // numbers and texts can be written
	}
	p := params("idgoal", "0", "revenue", strconv.FormatFloat(total, 'f', 2, 64), "ec_items", string(list))
	if order != "" {
		p.Set("ec_id", php.String(order))
		p.Set("ec_st", php.String(strconv.FormatFloat(total/1.19, 'f', 2, 64)))
		p.Set("ec_tx", php.String(strconv.FormatFloat(total-total/1.19, 'f', 2, 64)))
		p.Set("ec_sh", php.String("0"))
	}
	j.action(p)
}

// send completes the parameters with those that every request has.
func (j *journey) send(p *php.Array) {
	v := j.visitor
	all := params(
		"idsite", strconv.Itoa(j.site.ID), "rec", "1", "r", strconv.Itoa(j.g.random.IntN(1_000_000)),
		"h", strconv.Itoa(j.at.Hour()), "m", strconv.Itoa(j.at.Minute()), "s", strconv.Itoa(j.at.Second()),
		"url", j.url, "_id", v.id, "_idn", yes(v.visits <= 1), "send_image", "0",
		"pdf", "1", "java", "0", "cookie", "1", "res", v.agent.Screen,
	)
	if v.user != "" {
		all.Set("uid", php.String(v.user))
	}
	merge(all, p)
	j.g.made = append(j.g.made, made{j.at, all, queue.Env{Server: j.server(), Cookie: php.NewArray(0)}})
}

// server is what the web server knows of the HTTP request.
func (j *journey) server() *php.Array {
	v := j.visitor
	server := params(
		"HTTP_USER_AGENT", v.agent.UA, "HTTP_ACCEPT_LANGUAGE", v.language, "HTTP_REFERER", j.site.Host+"/",
		"HTTP_HOST", "stats.example.org", "REMOTE_ADDR", v.ip, "REQUEST_METHOD", "POST", "REQUEST_URI", "/matomo.php",
	)
	if v.agent.Signed {
		merge(server, params("HTTP_SIGNATURE", "sig1=:ZGVtbw==:", "HTTP_SIGNATURE_AGENT", `"https://chatgpt.com"`,
			"HTTP_SIGNATURE_INPUT", `sig1=("@authority");created=1`))
	}
	return server
}

func yes(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

// merge lays the entries of over upon those of base.
func merge(base, over *php.Array) {
	if over == nil {
		return
	}
	for key, value := range over.All() {
		base.Set(key, value)
	}
}
