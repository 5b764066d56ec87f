package matomo

import (
	"encoding/base64"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// iniPieces are what the texts of TestINIReadsAsPHP are made of. Words that are values, such as yes, are left out:
// TestINIValues has them.
var iniPieces = strings.Split(`a|b c| |  |"|"x"|'|'y z'|''|""|\|\"|\'|;|=|5|05|1.5|-3|&amp;|&quot;|&auml;|&#039;|$|${X}|}|`+"\n|\t"+
	`|#|[|]|é|\\|"\n"|it's|:|/|a\b|&|!|(|)|~|^|?|{|,|.|*|@|%|<|>|+|-|_|`+"`", "|")

// iniTexts makes texts of random pieces, as values and as keys.
func iniTexts(n int) []string {
	random := rand.New(rand.NewPCG(1, 2))
	texts := make([]string, n)
	for i := range texts {
		var b strings.Builder
		for range 1 + random.IntN(6) {
			b.WriteString(iniPieces[random.IntN(len(iniPieces))])
		}
		if texts[i] = "[s]\nk = " + b.String() + "\nz = 1\n"; i%4 == 0 {
			texts[i] = "[s]\n" + b.String() + "= 1\nz = 1\n"
		}
	}
	return texts
}

func TestINIReadsAsPHP(t *testing.T) {
	program := os.Getenv("PHP")
	if program == "" {
		found, err := exec.LookPath("php")
		if err != nil {
			t.Skip("no PHP to compare with: install php-cli or set PHP")
		}
		program = found
	}
	texts := iniTexts(20000)
	var in strings.Builder
	for _, text := range texts {
		in.WriteString(base64.StdEncoding.EncodeToString([]byte(text)) + "\n")
	}
	cmd := exec.Command(program, "testdata/ini.php")
	cmd.Stdin, cmd.Stderr = strings.NewReader(in.String()), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	for i, answer := range strings.Split(strings.TrimSuffix(string(out), "\n"), "\n") {
		compareINI(t, texts[i], answer)
	}
}

func compareINI(t *testing.T, text, answer string) {
	t.Helper()
	got, err := parseINI(text, func(string) (string, bool) { return "", false })
	if answer == "error" || err != nil {
		if answer != "error" || err == nil {
			t.Errorf("%q: PHP %s, here %v, %v", text, answer, plain(php.ArrayValue(got)), err)
		}
		return
	}
	serialized, err := base64.StdEncoding.DecodeString(answer)
	if err != nil {
		t.Fatal(err)
	}
	want, err := php.Unserialize(string(serialized))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(asText(want), asText(php.ArrayValue(got))); diff != "" {
		t.Errorf("%q: %s", text, diff)
	}
}

// asText is v with text for all its values.
func asText(v php.Value) any {
	if !v.IsArray() {
		return php.ToString(v)
	}
	m := map[string]any{}
	for key, item := range v.Array().All() {
		m[key] = asText(item)
	}
	return m
}
