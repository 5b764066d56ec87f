package statuspage

import (
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// element is one of a page, with the text in it and in those inside it.
type element struct {
	name       string
	attributes map[string]string
	text       string
}

// elements are those of a page, in order. A page whose elements do not end where they should is an error.
func elements(t *testing.T, body string) (all []*element) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(body))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var open []*element
	for {
		token, err := d.Token()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, body)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := &element{name: token.Name.Local, attributes: make(map[string]string)}
			for _, a := range token.Attr {
				e.attributes[a.Name.Local] = a.Value
			}
			all, open = append(all, e), append(open, e)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			for _, e := range open {
				e.text = strings.TrimSpace(e.text + string(token))
			}
		}
	}
}

// pages are the page in all its forms.
func pages(t *testing.T) map[string]string {
	t.Helper()
	s := newSite(t, 3, nil)
	s.add(t, 1, 4, time.Minute)
	first, _ := s.get(t, "/", 0)
	s.work(1, 4)
	again, _ := s.get(t, "/?refresh", 5*time.Second)
	s.server.Close()
	away, _ := s.get(t, "/", time.Minute)
	return map[string]string{"first": first, "again": again, "away": away}
}

func TestStructureOfThePage(t *testing.T) {
	for name, body := range pages(t) {
		level := 0
		seen := make(map[string]int)
		for _, n := range elements(t, body) {
			seen[n.name]++
			switch n.name {
			case "html":
				if n.attributes["lang"] != "en" {
					t.Errorf("%s: no language", name)
				}
			case "title", "dt", "dd", "a", "caption":
				if n.text == "" {
					t.Errorf("%s: <%s> is empty", name, n.name)
				}
			case "th":
				if scope := n.attributes["scope"]; scope != "col" && scope != "row" {
					t.Errorf("%s: heading %q of a table has scope %q", name, n.text, scope)
				}
			case "svg":
				if n.attributes["role"] != "img" || n.attributes["aria-label"] == "" {
					t.Errorf("%s: a graph says nothing to who does not see it", name)
				}
			case "h1", "h2", "h3":
				next := int(n.name[1] - '0')
				if next > level+1 || n.text == "" {
					t.Errorf("%s: <%s> %q after a heading of level %d", name, n.name, n.text, level)
				}
				level = next
			}
		}
		for _, element := range []string{"title", "h1", "main", "header"} {
			if seen[element] != 1 {
				t.Errorf("%s: %d <%s>, want 1", name, seen[element], element)
			}
		}
		if seen["script"]+seen["img"]+seen["link"]+seen["iframe"]+seen["form"] > 0 {
			t.Errorf("%s: %v", name, seen)
		}
	}
}

// Attributes of one element alone would need a policy that allows more.
func TestPolicyAllowsTheStyleSheetAlone(t *testing.T) {
	s := newSite(t, 1, nil)
	body, header := s.get(t, "/", 0)
	_, style, _ := strings.Cut(body, "<style>")
	style, _, _ = strings.Cut(style, "</style>")
	policy := header("Content-Security-Policy")
	if !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-"+digest(style)+"';") {
		t.Errorf("the style sheet is not that of %s", policy)
	}
	if strings.Contains(policy, "unsafe") || regexp.MustCompile(`(?i)url\(|@import`).MatchString(style) {
		t.Errorf("something comes from elsewhere: %s", policy)
	}
	for name, body := range pages(t) {
		for _, n := range elements(t, body) {
			for key, value := range n.attributes {
				if key == "style" || strings.HasPrefix(key, "on") || key == "src" ||
					key == "href" && !strings.HasPrefix(value, "./") {
					t.Errorf("%s: <%s %s=%q>", name, n.name, key, value)
				}
			}
		}
	}
}

// schemes are the colours of the style sheet, light and dark.
func schemes(t *testing.T) map[string]map[string]string {
	t.Helper()
	blocks := regexp.MustCompile(`(?s):root \{(.*?)\}`).FindAllStringSubmatch(styleCSS, -1)
	if len(blocks) != 2 {
		t.Fatalf("%d blocks of colours, want 2", len(blocks))
	}
	schemes := make(map[string]map[string]string)
	for i, name := range []string{"light", "dark"} {
		schemes[name] = make(map[string]string)
		for _, m := range regexp.MustCompile(`--(\w+): (#[0-9a-f]{6})`).FindAllStringSubmatch(blocks[i][1], -1) {
			schemes[name][m[1]] = m[2]
		}
	}
	return schemes
}

// Text wants a contrast of 4.5 to 1, a line that says something 3 to 1 (WCAG 2.2, 1.4.3 and 1.4.11).
func TestColoursHaveContrast(t *testing.T) {
	for scheme, colours := range schemes(t) {
		for _, name := range []string{"text", "soft", "link", "good", "bad"} {
			for _, ground := range []string{"page", "card"} {
				if got := contrast(t, colours[name], colours[ground]); got < 4.5 {
					t.Errorf("%s: %s on %s: %.2f, want 4.5", scheme, name, ground, got)
				}
			}
		}
	}
	got := fmt.Sprintf("%.0f %.1f", contrast(t, "#000000", "#ffffff"), contrast(t, "#777777", "#ffffff"))
	if got != "21 4.5" {
		t.Errorf("contrasts are computed wrongly: %s", got)
	}
	for _, m := range regexp.MustCompile(`#[0-9a-f]{3,8}|rgba?\(`).FindAllString(strings.Split(styleCSS, "* {")[1], -1) {
		t.Errorf("%s is none of the colours that are tested", m)
	}
}

// contrast is that of WCAG 2: of 1 to 21.
func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, colour string) (sum float64) {
	t.Helper()
	if len(colour) != 7 {
		t.Fatalf("%q is no colour", colour)
	}
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(colour[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		c := float64(n) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}
