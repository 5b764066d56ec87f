package receive

import (
	"bytes"
	"compress/zlib"
	"io"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/queue"
)

// inflated is what zlib reads.
func inflated(t testing.TB, stream []byte) string {
	t.Helper()
	r, err := zlib.NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestDeflateGivesBackEveryText(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	texts := []string{"", "a", "abc", "abcd", "aaaaaaaa", strings.Repeat("x", 70_000), "\x00\xff\x90\x8f"}
	for _, n := range []int{10, 300, 5000, 40_000, 200_000} {
		for _, letters := range []int{1, 2, 5, 256} {
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(random.IntN(letters))
			}
			texts = append(texts, string(b))
		}
	}
	block := texts[len(texts)-1][:600]
	for _, gap := range []int{0, 1, 4, 257, 258, 259, 1000, 16_384, 32_000, window - 600, window - 599, window, window + 1} {
		texts = append(texts, block+strings.Repeat("-", gap)+block)
	}
	for range 2 { // with a table that knows the texts before
		for _, text := range texts {
			if inflated(t, deflate(text)) != text {
				t.Errorf("text of %d bytes that begins with %.20q does not come back", len(text), text)
			}
		}
	}
}

func TestCompressorBeginsAnew(t *testing.T) {
	c := &compressor{base: maxBase}
	for range 3 {
		if text := strings.Repeat("abcdefg", 100); inflated(t, c.compress(text)) != text {
			t.Error("text does not come back")
		}
	}
	if c.base > maxBase {
		t.Errorf("positions begin at %d", c.base)
	}
}

func FuzzDeflate(f *testing.F) {
	f.Add("abcabcabcabc", uint16(3))
	f.Add("", uint16(0))
	f.Fuzz(func(t *testing.T, text string, times uint16) {
		text = strings.Repeat(text, int(times%300)) + text
		if inflated(t, deflate(text)) != text {
			t.Errorf("%.100q does not come back", text)
		}
	})
}

func TestEntriesHoldTheTextThatTheQueueWrites(t *testing.T) {
	to := &sink{}
	o := testOptions(t, recordedConfig, to)
	url := serve(t, o)
	for _, c := range readCases(t, filepath.Join("testdata", "cases.jsonl")) {
		send(t, url, c)
		for _, entry := range to.take() {
			set, err := queue.Decode(entry.Element)
			if err != nil {
				t.Fatal(err)
			}
			want, err := queue.Encode(set)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(inflated(t, want), inflated(t, entry.Element)); diff != "" {
				t.Errorf("%s: %s", c.Request.Name, diff)
			}
		}
	}
}
