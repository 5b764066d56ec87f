package journey

// superuserToken is the token of the reference installation's superuser.
const superuserToken = "a1b2c3d4e5f60718293a4b5c6d7e8f90"

// site is a site of the reference installation.
type site struct {
	id         string
	host       string
	others     []string // the same pages under other names
	goals      []string // values for idgoal, some of them unknown
	shop       bool
	dimensions bool
}

var sites = []*site{
	{
		id: "1", host: "http://site1.example.org", others: []string{"http://www.site1.example.org"},
		goals: []string{"10", "11", "11", "1", "77"},
	},
	{
		id: "2", host: "https://shop.example.com", others: []string{"https://www.shop.example.com"},
		goals: []string{"4", "4", "5", "9"},
		shop:  true, dimensions: true,
	},
	{
		id: "2", host: "https://shop.example.com", others: []string{"http://shop.example.com"}, goals: []string{"4"},
		shop: true, dimensions: true,
	},
	{id: "3", host: "http://site3.example.net", goals: []string{"1"}},
	{
		id: "4", host: "http://site4.example.org",
		others: []string{"http://alias4.example.org", "https://site4.example.org/sub/dir"}, goals: []string{"1"},
	},
	{
		id: "5", host: "https://site5.example.org", others: []string{"https://cdn.site5.example.org/app"},
		goals: []string{"1"}, shop: true,
	},
	{id: "6", host: "http://intranet.local", goals: []string{"1"}},
}

var paths = []string{
	"/", "/", "/index.html", "/about?b=2&a=1", "/goal/contains", "/Goal/Exact.html", "/goal/re7.html", "/goal/re12.html",
	"/checkout",
	"/product/abc-12", "/category/Books?article_id=7", "/category/b%C3%BCcher?article_id=0", "/page#part",
	"/search?q=shoes",
	"/search?kw=shoes&kat=men", "/a;b=c?d=1", "/?pk_vid=1&sid=3&tok_x=1", "/caf\u00e9?x=<b>", "/page?\U0001f600",
}

var campaigns = []string{
	"pk_campaign=autumn&pk_kwd=coat", "utm_campaign=autumn", "utm_source=news&utm_term=boots",
	"mtm_campaign=Spring&mtm_keyword=hat", "pk_campaign=",
}

var titles = []string{
	"", "Home", "Home ", "Thank you", "Exact Title", "Article Go by Rob", "A & B", "home", "0",
	"\u00dcber uns", "emoji \U0001f600",
}

var referrers = []string{
	"http://www.google.com/search?q=red+shoes", "https://www.google.com/", "https://www.bing.com/search?q=coat",
	"https://t.co/abc", "https://news.ycombinator.com/item?id=1",
	"http://other.example.net/page", "http://www.other.example.net/page2", "https://blog.example.net/?x=1", "not a url",
	"http://ref-excluded.example.org/x",
	"https://duckduckgo.com/", "http://semalt.com/x",
}

var agents = []string{
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
	"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 " +
		"Mobile/15E148 Safari/604.1",
	"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36",
}

const bot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"

// users are user ids, some of which are equal to a case-insensitive collation.
var users = []string{"anna", "Anna", "Bert", "carl@example.org", "0", "Jos\u00e9", "jos\u00e9", "Jose", "jose "}

// aiBots are bots of AI assistants, and one that is none.
var aiBots = []string{
	"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ChatGPT-User/1.0; +https://openai.com/bot)",
	"Mozilla/5.0 (compatible; Perplexity-User/1.0; +https://perplexity.ai/perplexity-user)",
	"Mozilla/5.0 (compatible; Claude-User/1.0; +Claude-User@anthropic.com)",
	bot,
}

// assistants are AI assistants that people come from.
var assistants = []string{
	"https://chatgpt.com/", "https://www.perplexity.ai/search?q=x",
	"https://gemini.google.com/app", "https://claude.ai/chat",
}

var languages = []string{"de-de,de;q=0.8", "en-US,en;q=0.5", "fr", ""}

var undecodable = []string{"", "[", "no json", "[1,2]", `{"requests":3}`, `{"requests":[]}`}

var outlinks = []string{
	"https://partner.example.com/x", "https://elsewhere.example.com/", "mailto:a@example.org",
	"http://elsewhere.example.com/",
}

var downloads = []string{"http://site1.example.org/file.pdf", "https://cdn.example.org/a.zip", "file.pdf"}

// products are sku, name, category, price; numbers that are equal as numbers are one product to Matomo if it looks
// them up together.
var products = [][4]string{
	{"SKU1", "Shoe", "Shoes", "49.90"},
	{"SKU2", "Hat", `["Hats","Summer"]`, "12"},
	{"SKU3", "", "", ""},
	{"00123", "Number", "Num", "1.005"},
	{"sku1", "shoe", "shoes", "1e2"},
	{"123", "Number two", "Num", "3"},
}
