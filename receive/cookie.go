package receive

import (
	"encoding/base64"
	"encoding/hex"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

// CookieSettings are those of the third-party cookie ([Tracker] cookie_…).
type CookieSettings struct {
	Expire       time.Duration // cookie_expire
	Path, Domain string        // cookie_path, cookie_domain
	Secure       bool          // [General] assume_secure_protocol: browsers speak HTTPS, whatever the request looks like
}

const visitorIDDigits = 16

// setThirdPartyCookie gives the browser the visitor id to bring along from every site, where [Tracker]
// use_third_party_id_cookie asks for it: the one that the cookie has, else that of the first-party cookie, else a new
// one. Visitors who asked to be ignored get none.
func (q *received) setThirdPartyCookie() error {
	for _, params := range q.set.Requests {
		if !q.installation.Tracker(php.ReadInt(params, "idsite", 0)).UseThirdPartyIDCookie {
			continue
		}
		r := q.bind(params)
		ignore, _, err := r.CookieField(r.Settings().IgnoreVisitsCookieName, "ignore")
		if err != nil || ignore == "*" {
			continue
		}
		id, err := q.thirdPartyID(r)
		if err != nil {
			return err
		}
		q.setHeader("P3p", "CP='OTI DSP COR NID STP UNI OTPa OUR'")
		q.setHeader("Set-Cookie", q.cookieHeader(r.Settings().CookieName, id))
	}
	return nil
}

// thirdPartyID is the visitor id for the cookie in 16 hexadecimal digits.
func (q *received) thirdPartyID(r *request.Request) (string, error) {
	id, _, err := r.CookieField(r.Settings().CookieName, "0")
	if err != nil || len(id) != visitorIDDigits {
		id = r.PlainText("_id")
	}
	if len(id) >= visitorIDDigits {
		return hexDigits(id[:visitorIDDigits]), nil
	}
	var random [visitorIDDigits / 2]byte
	if _, err := io.ReadFull(q.random, random[:]); err != nil {
		return "", err
	}
	return hex.EncodeToString(random[:]), nil
}

// hexDigits is what remains of an id that went through PHP's hex2bin and back: lower case, 0 for what is no digit.
func hexDigits(s string) string {
	return strings.Map(func(c rune) rune {
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'f':
			return c
		case 'A' <= c && c <= 'F':
			return c - 'A' + 'a'
		}
		return '0'
	}, s)
}

// cookieHeader is the header Set-Cookie in the form of Matomo's cookies: field 0 holds the id, in base64 unless it
// looks like a number.
func (q *received) cookieHeader(name, id string) string {
	if !php.IsNumeric(id) {
		id = base64.StdEncoding.EncodeToString([]byte(id))
	}
	settings := q.installation.Cookie
	var b strings.Builder
	b.WriteString(rawURLEncode(name) + "=" + rawURLEncode("0="+id))
	if settings.Expire > 0 {
		b.WriteString("; expires=" + q.clock().Add(settings.Expire).UTC().Format("Mon, 02-Jan-2006 15:04:05") + " GMT")
	}
	if settings.Path != "" {
		b.WriteString("; path=" + settings.Path)
	}
	if domain := cookieDomain(settings.Domain); domain != "" {
		b.WriteString("; domain=" + rawURLEncode(domain))
	}
	switch {
	case !q.isHTTPS():
		b.WriteString("; SameSite=Lax")
	case isSafari(q.header("User-Agent")):
		b.WriteString("; secure") // old ones take None for Strict
	default:
		b.WriteString("; secure; SameSite=None")
	}
	return b.String()
}

// isSafari tells Apple's browsers by their user agents, without the detection that tracking has.
func isSafari(agent string) bool {
	return strings.Contains(agent, "Version/") && strings.Contains(agent, "Safari/") &&
		!strings.Contains(agent, "Chrome/") && !strings.Contains(agent, "Android")
}

// cookieDomain makes a domain cover its subdomains, without a port.
func cookieDomain(domain string) string {
	if domain == "" {
		return ""
	}
	if len(domain) > 4 && strings.EqualFold(domain[:4], "www.") {
		domain = domain[4:]
	}
	domain, _, _ = strings.Cut(domain, ":")
	return "." + domain
}

func (q *received) isHTTPS() bool {
	return q.installation.Cookie.Secure || strings.EqualFold(q.header("X-Forwarded-Proto"), "https")
}

// rawURLEncode is rawurlencode: a blank is %20.
func rawURLEncode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c == '~':
			b.WriteByte(c)
		default:
			b.WriteString("%" + strings.ToUpper(strconv.FormatUint(uint64(c)|0x100, 16)[1:]))
		}
	}
	return b.String()
}
