package queue

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

func TestRecordedEntriesKeepTypesAndOrder(t *testing.T) {
	for _, name := range []string{"page-view", "bulk-objects", "bulk-utf8"} {
		t.Run(name, func(t *testing.T) {
			set, err := Decode(readFile(t, filepath.Join("testdata", name+".zlib")))
			if err != nil {
				t.Fatal(err)
			}
			want := string(readFile(t, filepath.Join("testdata", name+".json")))
			if diff := cmp.Diff(want, inflated(t, mustEncode(t, set))); diff != "" {
				t.Errorf("written again (-recorded +ours):\n%s", diff)
			}
		})
	}
}

func TestUncompressedEntryIsRead(t *testing.T) {
	raw := readFile(t, "testdata/uncompressed.json")
	set, err := Decode(raw)
	if err != nil {
		t.Fatal(err)
	}
	if got := set.Env.Cookie.Value("matomo_ignore").Str(); got != "ignore=*" {
		t.Errorf("cookie %q", got)
	}
	if got := inflated(t, mustEncode(t, set)); got != string(raw) {
		t.Errorf("written again: %s", got)
	}
}

func TestRequestThatIsNotUTF8LeavesASetWithoutRequests(t *testing.T) {
	set, err := Decode(readFile(t, "testdata/not-utf8.zlib"))
	if err != nil || len(set.Requests) != 0 {
		t.Errorf("got %+v, %v", set, err)
	}
}

func TestDecodeFields(t *testing.T) {
	set, err := Decode(deflated(t,
		`{"requests":[{"idsite":"1"},{"idsite":2}],"env":{"server":{"REMOTE_ADDR":"::1"},"cookie":[]},`+
			`"tokenAuth":"secret","time":1795341600}`))
	if err != nil {
		t.Fatal(err)
	}
	want := RequestSet{
		Requests:  []*php.Array{array(t, `{"idsite":"1"}`), array(t, `{"idsite":2}`)},
		Env:       Env{Server: array(t, `{"REMOTE_ADDR":"::1"}`), Cookie: array(t, `[]`)},
		TokenAuth: "secret",
		Time:      1795341600,
	}
	if diff := cmp.Diff(want, set, byJSON); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDecodeRequests(t *testing.T) {
	tests := []struct {
		name, requests string
		want           []string
	}{
		{"none", `[]`, nil},
		{"empty ones that are no arrays are dropped", `[null,"",0,"0",0.0,false,{"a":1}]`, []string{`{"a":1}`}},
		{"empty arrays stay", `[[],{}]`, []string{`[]`, `[]`}},
		{"other values become empty requests", `["x",1,true]`, []string{`[]`, `[]`, `[]`}},
		{"an object of requests", `{"x":{"a":1},"y":{"b":2}}`, []string{`{"a":1}`, `{"b":2}`}},
		{
			"types", `[{"i":1,"f":1.5,"s":"1","t":true,"n":null,"l":[1,[]],"m":{"k":{}},"big":9223372036854775808}]`,
			[]string{`{"i":1,"f":1.5,"s":"1","t":true,"n":null,"l":[1,[]],"m":{"k":[]},"big":9.223372036854776e+18}`},
		},
		{"duplicate names: last value in the first place", `[{"a":1,"b":2,"a":3}]`, []string{`{"a":3,"b":2}`}},

		{
			"structured uadata of the first request becomes text", `[{"uadata":{"model":"a/b","mobile":true}}]`,
			[]string{`{"uadata":"{\"model\":\"a\\\/b\",\"mobile\":true}"}`},
		},
		{"a number as well", `[{"uadata":1.0}]`, []string{`{"uadata":"1"}`}},
		{"text stays", `[{"uadata":"{}"}]`, []string{`{"uadata":"{}"}`}},
		{"empty values stay", `[{"uadata":[]}]`, []string{`{"uadata":[]}`}},
		{
			"of the second request it stays", `[{"a":1},{"uadata":{"mobile":true}}]`,
			[]string{`{"a":1}`, `{"uadata":{"mobile":true}}`},
		},
		{"also when the first is dropped", `[null,{"uadata":{"mobile":true}}]`, []string{`{"uadata":{"mobile":true}}`}},
		{"infinite numbers cannot be written: false", `[{"uadata":{"n":1e999}}]`, []string{`{"uadata":false}`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, err := Decode([]byte(`{"requests":` + tt.requests + `,"env":{"server":[]},"tokenAuth":false,"time":1}`))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range set.Requests {
				got = append(got, jsonOf(r))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeToken(t *testing.T) {
	tests := map[string]struct {
		token string
		empty bool
	}{
		`false`: {"", false},
		`""`:    {"", true},
		`"abc"`: {"abc", false},
		`12`:    {"12", false},
		`null`:  {"", false},
		`["a"]`: {"", false},
	}
	for in, want := range tests {
		set, err := Decode([]byte(`{"requests":[],"tokenAuth":` + in + `,"time":1}`))
		if err != nil || set.TokenAuth != want.token || set.EmptyToken != want.empty {
			t.Errorf("%s: %q, %v, %v", in, set.TokenAuth, set.EmptyToken, err)
		}
	}
}

func TestMissingEnvironmentIsEmpty(t *testing.T) {
	for _, env := range []string{`null`, `[]`, `"x"`, `{"server":1,"cookie":"x"}`} {
		set, err := Decode([]byte(`{"requests":[{"a":1}],"env":` + env + `,"tokenAuth":false,"time":1}`))
		if err != nil || set.Env.Server.Len() != 0 || set.Env.Cookie.Len() != 0 {
			t.Errorf("%s: %+v, %v", env, set.Env, err)
		}
	}
}

func TestUndecodable(t *testing.T) {
	valid := deflated(t, `{"requests":[],"env":{"server":[],"cookie":[]},"tokenAuth":false,"time":1}`)
	tests := []struct {
		name    string
		element []byte
		reason  Reason
	}{
		{"nothing at all", nil, ReasonJSON},
		{"garbage", []byte("\x00\xff garbage"), ReasonJSON},
		{"compressed garbage", deflated(t, "garbage"), ReasonJSON},
		{"compressed zero, which PHP takes for not compressed", deflated(t, "0"), ReasonShape},
		{"cut", valid[:len(valid)-6], ReasonInflate},
		{"damaged", append(bytes.Clone(valid[:len(valid)-1]), valid[len(valid)-1]^1), ReasonInflate},
		{"preset dictionary", []byte("\x78\xbb\x00\x00\x00\x00\x00\x00"), ReasonInflate},
		{"not UTF-8", []byte("{\"requests\":[{\"a\":\"\xff\"}]}"), ReasonJSON},
		{"text", deflated(t, `"text"`), ReasonShape},
		{"null", deflated(t, `null`), ReasonShape},
		{"no requests", deflated(t, `{"env":{"server":[]},"time":1}`), ReasonShape},
		{"requests are text", deflated(t, `{"requests":"x","time":1}`), ReasonShape},
		{"no time", deflated(t, `{"requests":[{"a":1}]}`), ReasonShape},
		{"time is text", deflated(t, `{"requests":[{"a":1}],"time":"soon"}`), ReasonShape},
		{"too deep", []byte(strings.Repeat("[", 600) + strings.Repeat("]", 600)), ReasonJSON},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Decode(tt.element)
			var u *UndecodableError
			if !errors.As(err, &u) || !errors.Is(err, ErrUndecodable) || u.Reason != tt.reason {
				t.Fatalf("error %v, want reason %q", err, tt.reason)
			}
			if want := "undecodable queue entry: " + string(tt.reason) + ": "; !strings.HasPrefix(err.Error(), want) {
				t.Errorf("text %q", err)
			}
		})
	}
}

func TestBytesAfterTheStreamAreIgnored(t *testing.T) {
	element := append(deflated(t, `{"requests":[{"a":1}],"time":1}`), "more"...)
	if set, err := Decode(element); err != nil || len(set.Requests) != 1 {
		t.Errorf("%+v, %v", set, err)
	}
}

func TestSizeLimit(t *testing.T) {
	text := `{"requests":[{"a":"` + strings.Repeat("x", 5000) + `"}],"time":1}`
	d := Decoder{MaxBytes: len(text)}
	for name, element := range map[string][]byte{"compressed": deflated(t, text), "uncompressed": []byte(text)} {
		if _, err := d.Decode(element); err != nil {
			t.Errorf("%s at the limit: %v", name, err)
		}
		_, err := Decoder{MaxBytes: len(text) - 1}.Decode(element)
		var u *UndecodableError
		if !errors.As(err, &u) || u.Reason != ReasonTooLarge {
			t.Errorf("%s above the limit: %v", name, err)
		} else if want := fmt.Sprintf("more than %d bytes", len(text)-1); !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
}

func TestZipBombIsRefused(t *testing.T) {
	bomb := deflated(t, strings.Repeat(" ", DefaultMaxBytes+1))
	var u *UndecodableError
	if _, err := Decode(bomb); !errors.As(err, &u) || u.Reason != ReasonTooLarge {
		t.Errorf("%d bytes: %v", len(bomb), err)
	}
}

// What is allocated on the way counts as well, which is more than there is at any time.
func TestLargeEntryTakesAFewTimesItsSize(t *testing.T) {
	const size, most = 50 << 20, 10
	set, err := Decode(readFile(t, filepath.Join("testdata", "page-view.zlib")))
	if err != nil {
		t.Fatal(err)
	}
	params, err := php.EncodeJSON(php.ArrayValue(set.Requests[0]))
	if err != nil {
		t.Fatal(err)
	}
	requests := strings.Repeat(params+",", size/len(params)) + params
	for name, element := range map[string][]byte{
		"compressed":   deflated(t, `{"requests":[`+requests+`],"time":1}`),
		"uncompressed": []byte(`{"requests":[` + requests + `],"time":1}`),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		set, err := Decode(element)
		runtime.ReadMemStats(&after)
		if err != nil || len(set.Requests) != size/len(params)+1 {
			t.Fatalf("%s: %d requests, %v", name, len(set.Requests), err)
		}
		if times := float64(after.TotalAlloc-before.TotalAlloc) / size; times > most {
			t.Errorf("%s: %.1f times its size", name, times)
		} else {
			t.Logf("%s: %.1f times its size", name, times)
		}
	}
}

func TestElementIsNotChanged(t *testing.T) {
	for _, name := range []string{"page-view.zlib", "uncompressed.json"} {
		element := readFile(t, filepath.Join("testdata", name))
		before := bytes.Clone(element)
		if _, err := Decode(element); err != nil || !bytes.Equal(element, before) {
			t.Errorf("%s: changed, or %v", name, err)
		}
	}
}

func TestDecodeInParallel(t *testing.T) {
	element := readFile(t, "testdata/page-view.zlib")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				if set, err := Decode(element); err != nil || set.Requests[0].Value("idsite").Str() != "1" {
					t.Errorf("%+v, %v", set, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func FuzzDecode(f *testing.F) {
	for _, name := range []string{"page-view.zlib", "bulk-objects.json", "uncompressed.json", "not-utf8.zlib"} {
		f.Add(readFile(f, filepath.Join("testdata", name)))
	}
	f.Add([]byte(`{"requests":[null,"",[],{"uadata":{"a":1e999}}],"env":{"server":{"1":2},"cookie":[]},"tokenAuth":"","time":1.5}`))
	f.Fuzz(func(t *testing.T, element []byte) {
		set, err := Decode(element)
		if err != nil {
			return
		}
		again, err := Encode(set)
		if err != nil { // infinite numbers
			return
		}
		back, err := Decode(again)
		if err != nil {
			t.Fatalf("own bytes: %v", err)
		}
		if diff := cmp.Diff(mustEncode(t, back), again); diff != "" {
			t.Errorf("a set changes when it is written twice:\n%s", diff)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, name := range []string{"page-view.zlib", "bulk-objects.zlib", "uncompressed.json"} {
		element := readFile(b, filepath.Join("testdata", name))
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Decode(element); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	set, err := Decode(readFile(b, "testdata/page-view.zlib"))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Encode(set); err != nil {
			b.Fatal(err)
		}
	}
}

// deflated and inflated use the standard library's zlib, not ours.
func deflated(t testing.TB, text string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func inflated(t testing.TB, element []byte) string {
	t.Helper()
	r, err := zlib.NewReader(bytes.NewReader(element))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
