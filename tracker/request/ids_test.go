package request

import (
	"bytes"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
)

func TestVisitorID(t *testing.T) {
	ownID := settings(func(s *matomo.TrackerSettings) { s.UserIDOverwritesVisitorID = false })
	cookieless := general(func(g *matomo.General) { g.Privacy.ForceCookielessTracking = true })
	thirdParty := settings(func(s *matomo.TrackerSettings) { s.UseThirdPartyIDCookie = true })
	idCookie := cookie("_pk_uid", php.String("0=MDEyMzQ1Njc4OWFiY2RlZg=="))
	for _, test := range []struct {
		params, want string // want "": none
		options      []option
	}{
		{`{}`, "", nil},
		{`{"_id":"0123456789ABCDEF00"}`, "0123456789abcdef", nil},
		{`{"_id":"hello-visitor-01"}`, "0e00000000000001", nil},
		{`{"_id":"0123456789abcde"}`, "", nil},
		{`{"_id":1234567890123456}`, "1234567890123456", nil},
		// 14 characters become more than 16 by sanitising.
		{`{"_id":"0123456789ab<<"}`, "0123456789ab0000", nil},
		{`{"cid":"ABCDEF0123456789","_id":"1111111111111111"}`, "abcdef0123456789", nil},
		{`{"cid":"zz23456789abcdeg"}`, "0023456789abcde0", nil},
		{`{"cid":"0","_id":"1111111111111111"}`, "1111111111111111", nil},
		{`{"uid":"dave","cid":"1111111111111111"}`, "bfcdf3e6ca6cef45", nil},
		{`{"uid":"a&b<c>\"d'e"}`, "33e4d3adc6462bae", nil},
		{`{"uid":"0","_id":"1111111111111111"}`, "1111111111111111", nil},
		{`{"uid":"dave","_id":"1111111111111111"}`, "1111111111111111", []option{ownID}},
		{`{"_id":"1111111111111111"}`, "", []option{cookieless}},
		{`{"cid":"1111111111111111"}`, "1111111111111111", []option{cookieless}},
		// Third-party cookie.
		{`{"_id":"1111111111111111"}`, "0123456789abcdef", []option{thirdParty, idCookie}},
		{`{"_id":"1111111111111111"}`, "1111111111111111", []option{idCookie}},
		{`{"_id":"1111111111111111"}`, "", []option{thirdParty, idCookie, cookieless}},
		{`{}`, "1234567890123456", []option{thirdParty, cookie("_pk_uid", php.String("0=1234567890123456"))}},
		{`{"_id":"1111111111111111"}`, "1111111111111111", []option{thirdParty, cookie("_pk_uid", php.String("0=MTIz"))}},
		{`{"_id":"1111111111111111"}`, "1111111111111111", []option{thirdParty}},
	} {
		id, ok, err := read(t, test.params, test.options...).VisitorID()
		if ok != (test.want != "") || ok && id.String() != test.want || err != nil {
			t.Errorf("%s: %v %v %v, want %q", test.params, id, ok, err, test.want)
		}
	}
}

func TestVisitorIDIsRefused(t *testing.T) {
	_, _, err := read(t, `{"cid":"0123456789abcde"}`).VisitorID()
	wantRejection(t, err, InvalidParameter)
	list := php.NewArray(1)
	list.Append(php.String("x"))
	_, _, err = read(t, `{}`, settings(func(s *matomo.TrackerSettings) { s.UseThirdPartyIDCookie = true }),
		cookie("_pk_uid", php.ArrayValue(list))).VisitorID()
	wantRejection(t, err, WrongType)
}

func TestUserID(t *testing.T) {
	for _, test := range []struct {
		params, want string
		ok           bool
	}{
		{`{"uid":"  padded  "}`, "  padded  ", true},
		{`{"uid":"0"}`, "0", true},
		{`{"uid":""}`, "", false},
		{`{}`, "", false},
		{`{"uid":"a&b"}`, "a&amp;b", true},
	} {
		if got, ok := read(t, test.params).UserID(); got != test.want || ok != test.ok {
			t.Errorf("%s: %q %v", test.params, got, ok)
		}
	}
}

func TestUserIDIsSwitchedOff(t *testing.T) {
	off := site(func(s *matomo.Site) { s.UserIDDisabled = true })
	const params = `{"uid":"dave","_id":"1111111111111111"}`
	for _, test := range []struct {
		options  []option
		uid, vid string
	}{
		{nil, "dave", "bfcdf3e6ca6cef45"},
		{[]option{off}, "", "1111111111111111"},
	} {
		r := read(t, params, test.options...)
		uid, has := r.UserID()
		if id, _, err := r.VisitorID(); uid != test.uid || has != (uid != "") || id.String() != test.vid || err != nil {
			t.Errorf("%q %v, visitor %v %v, want %q, %s", uid, has, id, err, test.uid, test.vid)
		}
	}
	if uid, _ := read(t, params, unknownSite).UserID(); uid != "dave" {
		t.Errorf("unknown site: %q", uid)
	}
}

func TestUserIDIsAnonymised(t *testing.T) {
	anonymous := func(salt string) option {
		return func(_ *Origin, c *Context) {
			c.General.UserIDSalt = salt
			if c.Site != nil {
				c.Site.Privacy.AnonymizeUserID = true
			}
		}
	}
	r := read(t, `{"uid":"<ben>"}`, anonymous("s"))
	uid, _ := r.UserID()
	if want := hexSHA1("&lt;ben&gt;s"); uid != want {
		t.Errorf("%s, want %s", uid, want)
	}
	if id, ok, _ := r.VisitorID(); !ok || id.String() != hexSHA1(uid)[:16] {
		t.Errorf("visitor id %s", id)
	}
	if got := r.Raw().Value("uid").Str(); got != "<ben>" {
		t.Errorf("queued parameter changed to %q", got)
	}
	if uid, _ := read(t, `{"uid":"ben"}`, anonymous("")).UserID(); uid != "ben" {
		t.Errorf("without a salt: %q", uid)
	}
	if r := read(t, `{"uid":""}`, anonymous("s")); r.Text("uid") != "" {
		t.Error("an empty user id was hashed")
	}
	if r := read(t, `{"uid":"ben"}`, anonymous("s"), unknownSite); r.Text("uid") != "ben" {
		t.Error("hashed on an unknown site")
	}
}

func TestOrderIDIsAnonymisedAtRandom(t *testing.T) {
	anonymous := site(func(s *matomo.Site) { s.Privacy.AnonymizeOrderID = true })
	random := func(b byte) option {
		return func(_ *Origin, c *Context) { c.Random = bytes.NewReader(bytes.Repeat([]byte{b}, 16)) }
	}
	order := func(options ...option) string {
		return read(t, `{"ec_id":"O-1"}`, append(options, anonymous)...).Text("ec_id")
	}
	one, same, two := order(random(1)), order(random(1)), order(random(2))
	if len(one) != 40 || one != same || one == two {
		t.Errorf("%s, %s, %s", one, same, two)
	}
	if first, second := order(), order(); first == second {
		t.Error("not random by default")
	}
}
