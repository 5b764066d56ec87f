package request

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/internal/php"
)

// goldenDir holds recorded cases; a fresh clone does not have it.
const goldenDir = "../../../shared/golden"

// TestRecordedVisitsHaveWhatTheirRequestSays compares the columns of log_visit that come from this package alone, for
// visits of one action whose visitor id occurs in one request.
func TestRecordedVisitsHaveWhatTheirRequestSays(t *testing.T) {
	config, err := os.ReadFile(filepath.Join(goldenDir, "install/config.ini.php"))
	if err != nil {
		t.Skip("no recorded cases")
	}
	compared := 0
	for _, area := range []string{"auth-time", "client-ip", "encoding-and-numbers", "exclusions", "location", "devices", "privacy", "visits"} {
		files, err := filepath.Glob(filepath.Join(goldenDir, area, "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			t.Run(area+"/"+strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
				compared += compareCase(t, file, string(config))
			})
		}
	}
	if compared < 500 {
		t.Errorf("only %d visits compared", compared)
	}
}

func compareCase(t *testing.T, file, config string) (compared int) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	v, err := php.DecodeJSON(string(text))
	if err != nil {
		t.Fatal(err)
	}
	c := &recording{Array: v.Array()}
	if strings.Contains(string(text), "user_token_auth SET") {
		t.Skip("changes tokens")
	}
	c.config = withOverrides(t, config, c.Value("config").Array())
	tables := c.Value("expect").Array()
	visitors := make(map[string]bool)
	for _, row := range tables.Value("log_visit").Array().All() {
		visitors[visitorOf(row.Array())] = true
	}
	byVisitor := make(map[string][]*Request)
	for _, r := range c.requests() {
		if r.Site() == nil {
			continue
		}
		if id, ok, err := r.VisitorID(); err == nil && ok {
			key := fmt.Sprint(r.SiteID(), " ", id)
			byVisitor[key] = append(byVisitor[key], r)
			if err := refusal(r); err != nil && visitors[key] {
				t.Errorf("%s: %v, but Matomo tracks it", php.ToString(r.Raw().Value("url")), err)
			} else if err == nil && !visitors[key] && strings.Contains(file, "cip-by-token") {
				t.Errorf("%s: not refused as by Matomo", php.ToString(r.Raw().Value("url")))
			}
		}
	}
	actions := make(map[int64]int)
	for _, row := range tables.Value("log_link_visit_action").Array().All() {
		actions[row.Array().Value("idvisit").Int()]++
	}
	fullIP := c.option("PrivacyManager.ipAnonymizerEnabled") == "0"
	for _, row := range tables.Value("log_visit").Array().All() {
		visit := row.Array()
		key := visitorOf(visit)
		if rs := byVisitor[key]; len(rs) == 1 && actions[visit.Value("idvisit").Int()] == 1 {
			compareVisit(t, rs[0], visit, fullIP)
			compared++
		}
	}
	return compared
}

func visitorOf(visit *php.Array) string {
	return php.ToString(visit.Value("idsite")) + " " + visit.Value("idvisitor").Str()
}

func refusal(r *Request) error {
	_, errTime := r.Time()
	_, _, errIP := r.IP()
	return errors.Join(r.CheckLocationOverrides(), errTime, errIP)
}

func compareVisit(t *testing.T, r *Request, visit *php.Array, fullIP bool) {
	t.Helper()
	url := php.ToString(r.Raw().Value("url"))
	want := func(column, got string) {
		t.Helper()
		if v := php.ToString(visit.Value(column)); v != got {
			t.Errorf("%s: %s is %q, want %q", url, column, got, v)
		}
	}
	at, err := r.Time()
	if err != nil {
		t.Errorf("%s: %v", url, err)
		return
	}
	_, ip, err := r.IP()
	if err != nil {
		t.Errorf("%s: %v", url, err)
		return
	}
	localTime, _ := r.LocalTime()
	uid, _ := r.UserID()
	want("visit_first_action_time", php.DateTime(at))
	want("visitor_localtime", localTime)
	want("user_id", php.CutRunes(uid, 200))
	want("location_browser_lang", r.BrowserLanguage(r.Language()))
	if fullIP {
		want("location_ip", hex.EncodeToString([]byte(ip)))
	} else if stored := visit.Value("location_ip").Str(); len(stored) != 2*len(ip) {
		t.Errorf("%s: address %x, want %s", url, ip, stored)
	}
}

// recording is one recorded case.
type recording struct {
	*php.Array
	config *matomo.Config
}

func (c *recording) requests() (requests []*Request) {
	for _, q := range c.Value("queue").Array().All() {
		entry := q.Array().Value("entry").Array()
		env := entry.Value("env").Array()
		o := &Origin{
			Env:       Env{Server: env.Value("server").Array(), Cookie: env.Value("cookie").Array()},
			TokenAuth: entry.Value("tokenAuth").Str(),
			QueuedAt:  entry.Value("time").Int(),
		}
		for _, params := range entry.Value("requests").Array().All() {
			r := New(params.Array(), o)
			r.Bind(c.context(r.SiteID()))
			requests = append(requests, r)
		}
	}
	return requests
}

func (c *recording) option(name string) string { return c.Value("options").Array().Value(name).Str() }

func (c *recording) context(site int64) *Context {
	g := &matomo.General{UserIDSalt: "abcdefghijklmnop"}
	g.Privacy.ForceCookielessTracking = !php.EmptyString(c.option("PrivacyManager.forceCookielessTracking"))
	if c.option("delete_logs_enable") == "1" {
		g.DeleteLogsOlder = 37 * 24 * time.Hour
	}
	s := c.config.Tracker(0)
	ctx := &Context{General: g, Settings: s, Behaviours: matomo.BehavioursIn("5.1.2"), Now: c.Value("now").Int(), Auth: superusers{}}
	if !s.OnlySecureAuthTokens {
		ctx.Auth = superusers{matomo.TokenHash("a1b2c3d4e5f60718293a4b5c6d7e8f90", s.Salt): true}
	}
	if site < 1 || site > 6 {
		return ctx
	}
	ctx.Settings = c.config.Tracker(site)
	ctx.Site = &matomo.Site{ID: site, Tracker: ctx.Settings, TrackingTokens: make(map[string]bool)}
	if token := map[int64]string{1: "c1b2c3d4e5f60718293a4b5c6d7e8f92", 2: "e1b2c3d4e5f60718293a4b5c6d7e8f94"}[site]; token != "" {
		ctx.Site.TrackingTokens[matomo.TrackingHash(site, matomo.TokenHash(token, s.Salt), s.Salt)] = true
	}
	return ctx
}

// withOverrides replaces keys of the configuration.
func withOverrides(t *testing.T, config string, sections *php.Array) *matomo.Config {
	for section, keys := range sections.All() {
		block := "\n[" + section + "]\n"
		for key, v := range keys.Array().All() {
			config = regexp.MustCompile(`(?m)^`+key+`(\[\])? = .*$`).ReplaceAllString(config, "")
			if !v.IsArray() {
				block += fmt.Sprintf("%s = %q\n", key, php.ToString(v))
			}
			for _, item := range v.Array().All() {
				block += fmt.Sprintf("%s[] = %q\n", key, php.ToString(item))
			}
		}
		config = strings.Replace(config, "\n["+section+"]\n", block, 1)
		if !strings.Contains(config, block) {
			config += block
		}
	}
	parsed, err := matomo.ParseConfig("", config)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}
