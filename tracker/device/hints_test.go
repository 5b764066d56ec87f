package device_test

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/tracker/device"
)

func TestHintsOfWrongTypeAreRefused(t *testing.T) {
	d := loadOwn(t)
	for _, uadata := range []string{
		`{"platform":5}`,
		`{"model":null,"platform":"Windows"}`,
		`{"platformVersion":15}`,
		`{"bitness":64}`,
		`{"architecture":["x86"]}`,
		`{"uaFullVersion":true}`,
		`{"Sec-CH-UA":1}`,
		`{"sec_ch_ua_full_version_list":{}}`,
		`{"x-requested-with":false}`,
	} {
		_, err := d.HintsFromParam(decodeJSON(t, uadata))
		var wrong *device.HintsError
		if !errors.As(err, &wrong) || !strings.Contains(uadata, `"`+wrong.Hint+`"`) {
			t.Errorf("%s: error %v", uadata, err)
		}
		if err != nil && !strings.HasSuffix(err.Error(), "wrong type") {
			t.Errorf("%s: %v", uadata, err)
		}
	}
}

func TestHintsThatDoNotCount(t *testing.T) {
	d := loadOwn(t)
	for _, uadata := range []string{`null`, `"text"`, `5`, `true`, `[]`, `{}`} {
		if h, err := d.HintsFromParam(decodeJSON(t, uadata)); h != nil || err != nil {
			t.Errorf("%s: %v, %v", uadata, h, err)
		}
	}
}

// Wrong types among brands are refused only when device-detector gets there.
func TestBrandsOfWrongTypeAreRefusedWhenTheyCount(t *testing.T) {
	d := loadOwn(t)
	const other = `,{"brand":"Google Chrome","version":"114"}`
	for i, c := range []struct {
		brands  string
		refused bool
	}{
		{`[{"brand":"Chromium","version":125}]`, true},
		{`[{"brand":"Chromium","version":null}]`, true},
		{`[{"brand":"Chromium","version":125}` + other + `]`, false},
		{`[{"brand":"Unheard Of","version":125}` + other + `]`, false},
		{`[{"brand":"99","version":"1"}` + other + `]`, true},
		{`[{"brand":99,"version":"1"}` + other + `]`, true},
		{`[{"brand":"099","version":"1"}` + other + `]`, false},
		{`[{"brand":"Opera","version":"99"},{"brand":"99","version":"1"}]`, false},
		{`[{"brand":"Opera"},{"brand":"99","version":"1"}]`, false}, // two brands, one version: no list
		{`["Opera", 5, null]`, false},
	} {
		for _, ua := range []string{windowsUA, "Googlebot/2.1", "WhatsApp/2"} {
			hints := mustHints(t, d, `{"brands":`+c.brands+`}`)
			want := c.refused && ua == windowsUA
			if got := d.Detect(ua, hints); (got.Refused != nil) != want {
				t.Errorf("case %d, %s: refused %v, want %v", i, ua, got.Refused, want)
			}
		}
	}
}

func TestFullVersionSavesABrandWithoutVersion(t *testing.T) {
	d := loadOwn(t)
	hints := mustHints(t, d, `{"brands":[{"brand":"Chromium","version":125}],"uaFullVersion":"126.0.1.2"}`)
	if got := d.Detect("x", hints); got.Refused != nil || got.BrowserVersion != "126.0" {
		t.Errorf("got %+v", got)
	}
}

func TestHintNames(t *testing.T) {
	d := loadOwn(t)
	const want = "WIN,11,CH,114.0,Blink,1,0,,generic desktop"
	ua := windows + "Chrome/114.0.0.0 Safari/537.36"
	for _, uadata := range []string{
		`{"fullVersionList":[{"brand":"Google Chrome","version":"114.0"}],"platform":"Windows","platformVersion":"15.0.0"}`,
		`{"brands":[{"brand":"Google Chrome","version":"114.0"}],"PLATFORM":"\"Windows\"","platformversion":"\"15\""}`,
		`{"http_sec_ch_ua":"\"Google Chrome\";v=\"114.0\"","http_sec_ch_ua_platform":"Windows","http_sec_ch_ua_platform_version":"15"}`,
		`{"Sec-CH-UA":"\"Google Chrome\"; v=\"114.0\", \"Chromium\";v=\"1\"","Sec-CH-UA-Platform":"Windows","Sec-CH-UA-Platform-Version":"11.0"}`,
		`{"brands":[{"brand":"Opera","version":"9.0"}],"fullVersionList":[{"brand":"Google Chrome","version":"114.0"}],"platform":"windows","platformVersion":"15"}`,
		`{"fullVersionList":[{"brand":"Google Chrome","version":"114.0"}],"brands":[{"brand":"Opera","version":"9.0"}],"platform":"win dows","platformVersion":"15"}`,
		`{"fullVersionList":[{"brand":"Google Chrome","version":"114.0"}],"sec-ch-ua":5,"platform":"Windows","platformVersion":"15"}`,
	} {
		if got := summary(d.Detect(ua, mustHints(t, d, uadata))); got != want {
			t.Errorf("%s: %s, want %s", uadata, got, want)
		}
	}
}

func TestHeaderOfBrandsEndsWhereItIsBroken(t *testing.T) {
	d := loadOwn(t)
	for i, c := range []struct{ header, want string }{
		{`"Opera";v="99", junk`, "OP"},
		{`"Opera";v="99","Google Chrome";v="5"`, "OP"},
		{`junk, "Opera";v="99"`, "CH"},
		{`"Opera"v="99"`, "CH"},
		{`"Opera";x="99"`, "CH"},
		{`"Opera";v=99`, "CH"},
		{`"";v="99"`, "CH"},
		{`"Opera`, "CH"},
	} {
		headers := &php.Array{}
		headers.Set("sec-ch-ua", php.String(c.header))
		hints, err := d.HintsFromParam(php.ArrayValue(headers))
		if err != nil {
			t.Fatal(err)
		}
		ua := windowsUA + strings.Repeat(" ", i) + "."
		if got := d.Detect(ua, hints); got.BrowserName != c.want {
			t.Errorf("%s: %s, want %s", c.header, got.BrowserName, c.want)
		}
	}
}

// Header values are escaped, so their quotes stay and only the model has an effect (spec §H.3).
func TestHeadersGiveOnlyTheModel(t *testing.T) {
	d := loadOwn(t)
	server := &php.Array{}
	for key, value := range map[string]string{
		"HTTP_SEC_CH_UA_PLATFORM":         `"Windows"`,
		"Http_Sec_Ch_Ua_Platform_Version": `"15.0.0"`,
		"HTTP_SEC_CH_UA_MODEL":            `"SM-S911B"`,
		"HTTP_SEC_CH_UA":                  `"Opera";v="99"`,
		"HTTP_USER_AGENT":                 "x",
	} {
		server.Set(key, php.String(value))
	}
	hints, err := d.HintsFromServer(server)
	if err != nil {
		t.Fatal(err)
	}
	const want = "AND,10,CM,129.0,Blink,1,1,SA,Galaxy S23"
	if got := summary(d.Detect(frozen, hints)); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestHeadersThatAreNoHints(t *testing.T) {
	d := loadOwn(t)
	server := &php.Array{}
	server.Set("HTTP_X_REQUESTED_WITH", php.Int(5))
	server.Set("HTTP_USER_AGENT", php.Null)
	if h, err := d.HintsFromServer(server); h != nil || err != nil {
		t.Errorf("%v, %v", h, err)
	}
	server.Set("HTTP_SEC_CH_UA_MODEL", php.Int(5))
	if _, err := d.HintsFromServer(server); err == nil {
		t.Error("a number as model is accepted")
	}
	if h, err := d.HintsFromServer(nil); h != nil || err != nil {
		t.Errorf("%v, %v", h, err)
	}
}

// Once to read it, once to remember it.
func TestHintsOfTextAreThoseOfItsJSON(t *testing.T) {
	d := loadOwn(t)
	for _, uadata := range []string{
		`null`, `"text"`, `5`, `[]`, `{}`, `{"brands":`, "\xff", ` {"platform":"Windows","platformVersion":"15.0.0"} `,
		`{"fullVersionList":[{"brand":"Opera","version":"110.0"},{"brand":"Chromium","version":"126"}],"mobile":true,"model":"a\"b\u00e9<"}`,
		`{"platform":5}`, `{"x-requested-with":false}`,
	} {
		var want *device.Hints
		var wantErr error
		if v, err := php.DecodeJSON(uadata); err == nil {
			want, wantErr = d.HintsFromParam(php.SanitizeValue(v))
		}
		for range 2 {
			got, err := d.Hints(uadata)
			if (got == nil) != (want == nil) || !reflect.DeepEqual(err, wantErr) {
				t.Errorf("%s: %+v, %v; want %+v, %v", uadata, got, err, want, wantErr)
			}
			fresh, forgetErr := d.Forgetful()
			if forgetErr != nil {
				t.Fatal(forgetErr)
			}
			if found, want := summary(d.Detect(frozen, got)), summary(fresh.Detect(frozen, want)); found != want {
				t.Errorf("%s: %s, want %s", uadata, found, want)
			}
		}
	}
}

func TestHintsAreReadInParallel(t *testing.T) {
	d := loadOwn(t)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 200 {
				hints, err := d.Hints(`{"model":"` + strconv.Itoa(10+i%10) + `"}`)
				if err != nil || d.Detect("x", hints).Model != strconv.Itoa(10+i%10) {
					t.Errorf("%d: %v, %v", i, hints, err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkHintsOfText(b *testing.B) {
	d := loadOwn(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Hints(`{"fullVersionList":[{"brand":"Google Chrome","version":"114.0.5735.110"},{"brand":"Not A","version":"8"}],"platform":"Windows","platformVersion":"15.0.0","mobile":false,"model":""}`); err != nil {
			b.Fatal(err)
		}
	}
}
