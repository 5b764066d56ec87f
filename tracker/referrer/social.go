package referrer

import (
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// domain is an entry of a list of social networks or AI assistants: what URLs contain, and the name.
type domain struct {
	text, name string
}

// domains collects such a list in its order.
type domains []domain

// add appends a domain; one that is there already keeps its place and gets the new name.
func (l *domains) add(text, name string) {
	i := slices.IndexFunc(*l, func(d domain) bool { return d.text == text })
	if i >= 0 {
		(*l)[i].name = name
		return
	}
	*l = append(*l, domain{text, name})
}

// socials finds the first domain of the list that matches anywhere in a URL (spec §7.6b). Matomo uses each domain as a
// regular expression between "start, dot or slash" and "dot, slash or end": "." stands for any character, and
// https://example.com/facebook.com/ is Facebook.
type socials struct {
	list    []domain
	byFirst [256][]int32 // first byte of the domain -> positions in list
	odd     []oddSocial  // domains that need a regular expression
}

type oddSocial struct {
	position int
	re       *php.Regexp
}

func compileSocials(list []domain) socials {
	s := socials{list: list}
	for i, d := range list {
		if isPlainDomain(d.text) {
			first := d.text[0]
			s.byFirst[first] = append(s.byFirst[first], int32(i))
			continue
		}
		if re := compilePattern(`/(^|[\.\/])` + d.text + `([\.\/]|$)/`); re != nil {
			s.odd = append(s.odd, oddSocial{i, re})
		}
	}
	return s
}

// isPlainDomain reports whether "." is the only character of the domain that means something in a regular expression;
// it is not the first one.
func isPlainDomain(domain string) bool {
	return domain != "" && domain[0] != '.' && strings.IndexFunc(domain, func(r rune) bool {
		isLetter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		return !isLetter && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
	}) < 0
}

// find returns the name of the social network that url belongs to.
func (s *socials) find(url string) (name string, found bool) {
	best := len(s.list)
	for start := 0; start < len(url); start++ {
		if start > 0 && !isBoundary(url[start-1]) {
			continue
		}
		for _, i := range s.byFirst[url[start]] {
			if int(i) >= best {
				break
			}
			if matchesDomain(url[start:], s.list[i].text) {
				best = int(i)
			}
		}
	}
	for _, o := range s.odd {
		if o.position < best && o.re.Match(url) {
			best = o.position
			break
		}
	}
	if best == len(s.list) {
		return "", false
	}
	return s.list[best].name, true
}

func isBoundary(c byte) bool { return c == '.' || c == '/' }

// matchesDomain reports whether text begins with domain, whose dots match every byte but a line break, and a boundary.
func matchesDomain(text, domain string) bool {
	if len(text) < len(domain) || len(text) > len(domain) && !isBoundary(text[len(domain)]) {
		return false
	}
	for i := 0; i < len(domain); i++ {
		if text[i] != domain[i] && (domain[i] != '.' || text[i] == '\n') {
			return false
		}
	}
	return true
}
