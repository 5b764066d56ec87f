package queue

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

// compare arrays by their JSON, which shows types and order.
var byJSON = cmp.Transformer("JSON", func(a *php.Array) string { return jsonOf(a) })

func jsonOf(a *php.Array) string {
	text, err := php.EncodeJSON(php.ArrayValue(a))
	if err != nil {
		return "no JSON: " + err.Error()
	}
	return text
}

func array(t testing.TB, json string) *php.Array {
	t.Helper()
	v, err := php.DecodeJSON(json)
	if err != nil || !v.IsArray() {
		t.Fatalf("test data %s: %v", json, err)
	}
	return v.Array()
}

func mustEncode(t testing.TB, set RequestSet) []byte {
	t.Helper()
	element, err := Encode(set)
	if err != nil {
		t.Fatal(err)
	}
	return element
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
