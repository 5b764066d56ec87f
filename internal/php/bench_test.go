package php

import (
	"os"
	"strings"
	"testing"
)

// entryJSON is a queue entry of three page views with their environment, about as a tracker sends it.
var entryJSON = func() string {
	data, err := os.ReadFile("testdata/entry.json")
	if err != nil {
		panic(err)
	}
	return string(data)
}()

func BenchmarkDecodeJSON(b *testing.B) {
	b.SetBytes(int64(len(entryJSON)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeJSON(entryJSON); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSanitize(b *testing.B) {
	for name, s := range map[string]string{
		"plain":    "http://www.example.org/shop/category/product.html",
		"escaping": "http://www.example.org/shop/?a=1&b=2&title=<Hello> \"World\"",
		"unicode":  "Übersicht über die schönsten Bücher des Jahres",
		"entities": "Tom &amp; Jerry &eacute;t&eacute; &#8364;",
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(s)))
			b.ReportAllocs()
			for b.Loop() {
				Sanitize(s)
			}
		})
	}
}

func BenchmarkQueryToMap(b *testing.B) {
	const query = "id=12345&category=books&sort=price&page=2&tags[]=a&tags[]=b&q=hello%20world&utm_source=news&utm_medium=email"
	b.SetBytes(int64(len(query)))
	b.ReportAllocs()
	for b.Loop() {
		QueryToMap(query)
	}
}

func BenchmarkParseURL(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		ParseURL("https://www.example.org/shop/category/product.html?id=12345&sort=price#top")
	}
}

func BenchmarkReadInt(b *testing.B) {
	v, _ := DecodeJSON(`{"h":"12","m":"5","s":"59"}`)
	b.ReportAllocs()
	for b.Loop() {
		ReadInt(v.Array(), "h", 0)
	}
}

func BenchmarkDateTime(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		DateTime(1795341600)
	}
}

func BenchmarkRegexp(b *testing.B) {
	url := "http://www.example.org/category/Shoes/" + strings.Repeat("x", 50)
	for name, literal := range map[string]string{"automaton": `/category\/([^\/?#]+)/i`, "backtracking": `/category\/(?!hats)([^\/?#]+)/i`} {
		re, err := CompileLiteral(literal)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				re.Match(url)
			}
		})
	}
}

// BenchmarkLookUp asks the parameters of a request for names as a tracker does: about half of them are not there.
func BenchmarkLookUp(b *testing.B) {
	v, err := DecodeJSON(entryJSON)
	if err != nil {
		b.Fatal(err)
	}
	_, request := v.Array().Value("requests").Array().At(0)
	params := request.Array()
	var names []string
	for name := range params.All() {
		names = append(names, name, name+"_1")
	}
	names = append(names, "e_c", "e_a", "e_n", "e_v", "uid", "cid", "cip", "cdt", "search",
		"idgoal", "revenue", "c_n", "c_p", "gt_ms")
	b.ReportAllocs()
	for b.Loop() {
		for _, name := range names {
			params.Value(name)
		}
	}
}
