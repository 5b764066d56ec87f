package exclude

import (
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/request"
)

func TestInstallationChecksAreExcluded(t *testing.T) {
	inactive := func(_ *request.Origin, c *request.Context) { c.Features = matomo.Features{} }
	for _, test := range []struct {
		params, want, nonce string
		change              []setting
	}{
		{`{"rec":"1","tracker_install_check":"n"}`, InstallCheck, "n", nil},
		{`{"rec":"0","tracker_install_check":"n"}`, NotRecorded, "n", nil},
		{`{"rec":"1","tracker_install_check":5}`, InstallCheck, "5", nil},
		{`{"rec":"1","tracker_install_check":""}`, tracked, "", nil},
		{`{"rec":"1","tracker_install_check":"0"}`, tracked, "", nil},
		{`{"rec":"1"}`, tracked, "", nil},
		{`{"rec":"1","tracker_install_check":"n"}`, tracked, "", []setting{inactive}},
		{`{"rec":"1","tracker_install_check":"n"}`, InstallCheck, "", []setting{unknownSite}},
	} {
		r := read(t, test.params, test.change...)
		if got, err := newChecker().Check(r); got != test.want || err != nil {
			t.Errorf("%s: %q %v, want %q", test.params, got, err, test.want)
		}
		if nonce, ok := InstallCheckNonce(r); nonce != test.nonce || ok != (test.nonce != "") {
			t.Errorf("%s: nonce %q %v", test.params, nonce, ok)
		}
	}
}

func TestMarkNonce(t *testing.T) {
	const now = 1_000_000
	for _, test := range []struct{ option, want string }{
		{
			`{"n": {"time": 1000000, "url": "http://a.example", "isSuccessful": false}, "old": {"time": 999969}}`,
			`{"n":{"time":1000000,"url":"http:\/\/a.example","isSuccessful":true}}`,
		},
		{
			`{"other":{"time":999970},"n":{"time":"999970"},"odd":5}`,
			`{"other":{"time":999970},"n":{"time":"999970","isSuccessful":true},"odd":5}`,
		},
		{`{"n":{"url":"x"}}`, `{"n":{"url":"x","isSuccessful":true}}`},
		{`{"n":{"time":999969}}`, ""},
		{`{"n":[]}`, ""},
		{`{"n":"text"}`, ""},
		{`{"other":{"time":1000000}}`, ""},
		{`{"nonce":"n","n":{"time":1000000}}`, ""},
		{`{}`, ""},
		{`5`, ""},
		{``, ""},
	} {
		got, ok := MarkNonce(test.option, "n", now)
		if got != test.want || ok != (test.want != "") {
			t.Errorf("%s: %s %v, want %s", test.option, got, ok, test.want)
		}
	}
}
