package cmd

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// superuser adds a superuser with a token.
func (i *installation) superuser(t *testing.T, token string) {
	t.Helper()
	i.db.MustExec("INSERT INTO matomo_user (login, password, email, superuser_access, date_registered, ts_password_modified, ts_changes_shown) " +
		"VALUES ('root', '', '', 1, '2020-01-01', '2020-01-01', '2020-01-01')")
	i.db.MustExec("INSERT INTO matomo_user_token_auth (login, description, password, hash_algo, system_token, date_created, secure_only) "+
		"VALUES ('root', '', ?, 'sha512', 0, '2020-01-01', 0)", matomo.TokenHash(token, "an installation in small"))
}

func (s *serving) post(t *testing.T, path, contentType, agent, body string) (status int, answer string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodPost, "http://stats.example.org"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", contentType)
	r.Header.Set("User-Agent", agent)
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

// Matomo's log importer sends hits of the past with a token, wants them tracked at once, and reads which ones were refused.
func TestLogImporterIsServed(t *testing.T) {
	i := newInstallation(t)
	i.superuser(t, "secret")
	s := startServe(t, i.dir, i.env, "--process=false")
	past := time.Now().AddDate(0, -1, 0).UTC().Format(time.DateTime)
	hit := func(site int, address string) string {
		return fmt.Sprintf(`{"rec": "1", "apiv": "1", "url": "http://garden.example.org/%s", "urlref": "", "cip": "%s", "cdt": "%s", "idsite": "%d", `+
			`"queuedtracking": "0", "dp": "1", "ua": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"}`, address, address, past, site)
	}
	send := func(token string) (int, string) {
		t.Helper()
		return s.post(t, "/matomo.php?queuedtracking=0", "application/json", "Matomo/LogImport",
			`{"token_auth": "`+token+`", "requests": [`+hit(1, "203.0.113.1")+", "+hit(99, "203.0.113.2")+", "+hit(2, "203.0.113.3")+"]}")
	}
	if status, answer := send("secret"); status != http.StatusOK || answer != `{"status":"success","tracked":2,"invalid":1,"invalid_indices":[1]}` {
		t.Errorf("status %d: %s", status, answer)
	}
	var addresses []string
	if err := i.db.Select(&addresses, "SELECT CONCAT(idsite, ' ', HEX(location_ip), ' ', visit_last_action_time) FROM matomo_log_visit ORDER BY idsite"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1 CB000000 " + past, "2 CB000000 " + past}, addresses); diff != "" { // two bytes are masked
		t.Error(diff)
	}
	if status, answer := send("wrong"); status != http.StatusOK || answer != `{"status":"success","tracked":0,"invalid":3}` {
		t.Errorf("wrong token: status %d: %s", status, answer)
	}
	if n := i.waiting(t); n != 0 {
		t.Errorf("%d sets wait", n)
	}
}

// What the tracking clients send: the JavaScript client's form and its bulk request with sendBeacon, the PHP client's bulk request.
func TestTrackingClientsAreServed(t *testing.T) {
	i := newInstallation(t)
	i.superuser(t, "secret")
	s := startServe(t, i.dir, i.env, "--process=false")
	const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
	page := func(n int) string {
		return fmt.Sprintf("idsite=1&rec=1&_id=%016x&action_name=%d&url=https%%3A%%2F%%2Fgarden.example.org%%2F", n<<40, n)
	}
	past := "&cip=203.0.113.9&cdt=" + time.Now().AddDate(0, -1, 0).UTC().Format("20060102150405")
	for _, request := range []struct{ kind, body string }{
		{"application/x-www-form-urlencoded; charset=UTF-8", page(1) + "&send_image=0"},
		{"application/x-www-form-urlencoded; charset=utf-8", page(2)}, // sendBeacon with a Blob
		{"text/plain;charset=UTF-8", `{"requests":["?` + page(3) + `","?` + page(4) + `"],"send_image":0}`},
		{"application/json", `{"requests":["?` + page(5) + past + `","?` + page(6) + past + `"],"token_auth":"secret"}`},
	} {
		if status, answer := s.post(t, "/matomo.php", request.kind, firefox, request.body); status >= http.StatusBadRequest {
			t.Errorf("%s: status %d: %s", request.body, status, answer)
		}
	}
	i.ok(t, "process", "--force-num-requests-process-at-once", "1")
	var names []string
	if err := i.db.Select(&names, "SELECT a.name FROM matomo_log_link_visit_action l JOIN matomo_log_action a ON a.idaction = l.idaction_name ORDER BY a.name"); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1", "2", "3", "4", "5", "6"}, names); diff != "" {
		t.Error(diff)
	}
}
