package cmd

import (
	"cmp"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
)

// umlauts is a page view with characters that PHP's JSON escapes, a secret and what would move the cursor.
func umlauts() queue.RequestSet {
	set := pageView("gr\u00fc\u00dfe")
	set.Requests[0].Set("cvar", php.String("\x1b[2J\u202e"))
	set.Requests[0].Set("token_auth", php.String("0123456789abcdef0123456789abcdef"))
	nested := php.NewArray(0)
	nested.Set("\x1b\u009b key", php.String("a/b"))
	set.Requests[0].Set("list", php.ArrayValue(nested))
	return set
}

func TestTraceIsReadable(t *testing.T) {
	i := newInstallation(t)
	i.add(t, umlauts(), 1)
	r := i.ok(t, "process", "-vvv", "--force-num-requests-process-at-once", "1")
	contains(t, r.stderr, "level=TRACE msg=request queue=0 offset=0 request=0 outcome=taken params.idsite=1 params.rec=1 "+
		"params.url=https://garden.example.org/gr\u00fc\u00dfe params.action_name=gr\u00fc\u00dfe", ` params.token_auth=***`,
		`params.cvar=\x1b[2J\u202e`, `=a/b`)
	lacks(t, r.stderr, `\/`, `\u00fc`, "\x1b", "\u202e", "\u009b", "DEBUG-4", "0123456789abcdef0123456789abcdef")
}

func TestLogAsJSON(t *testing.T) {
	i := newInstallation(t)
	i.add(t, umlauts(), 1)
	unknown := umlauts()
	unknown.Requests[0].Set("idsite", php.String("99"))
	i.add(t, unknown, 1)
	i.env["QUEUEDTRACKING_LOG_FORMAT"] = "json"
	r := i.ok(t, "process", "-vvv", "--force-num-requests-process-at-once", "1")
	lacks(t, r.stderr, `\/`, `\u00fc`, "\x1b", "\u202e", "\u009b", "0123456789abcdef0123456789abcdef")
	found := map[string]map[string]any{}
	for _, line := range jsonLines(t, r.stderr) {
		for _, key := range []string{"time", "level", "msg"} {
			if _, ok := line[key].(string); !ok {
				t.Errorf("no %s in %v", key, line)
			}
		}
		found[line["level"].(string)+" "+line["msg"].(string)] = line
	}
	params, _ := found["TRACE request"]["params"].(map[string]any)
	if params["action_name"] != "gr\u00fc\u00dfe" || params["token_auth"] != "***" ||
		found["DEBUG batch"]["requests"] != 1.0 {
		t.Errorf("logged:\n%s", r.stderr)
	}
	if refused := found["INFO request rejected"]; refused["idsite"] != "99" || refused["offset"] != 1.0 ||
		refused["reason"] == nil {
		t.Errorf("refused: %v", refused)
	}
	for _, args := range [][]string{
		{"process", "--redis-port", "1"},
		{"monitor", "--once", "--redis-port", "1"},
		{"process", "--cycle", "-1"},
	} {
		r := i.run(t, args)
		lines := jsonLines(t, r.stderr)
		if r.status == statusDone || len(lines) != 1 || lines[0]["level"] != "ERROR" || lines[0]["msg"] == "" {
			t.Errorf("%v: exit status %d\n%s", args, r.status, r.stderr)
		}
	}
	contains(t, i.run(t, []string{"process", "--log-format", "text", "--redis-port", "1"}).stderr, "queuedtracking: redis")
	for _, args := range [][]string{{"process", "--log-format", "xml"}, {"monitor", "--log-format", ""}} {
		r := i.run(t, args)
		if r.status != statusUsage {
			t.Errorf("%v: exit status %d", args, r.status)
		}
		contains(t, r.stderr, "--log-format", "neither text nor json")
	}
	i.env["QUEUEDTRACKING_LOG_FORMAT"] = "yaml"
	contains(t, i.run(t, []string{"monitor"}).stderr, `QUEUEDTRACKING_LOG_FORMAT="yaml": neither text nor json`)
}

// Secrets and escapes do not depend on the form.
func TestLogsAreCleanInBothForms(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var out testserver.Buffer
		l := newLogger(&out)
		if err := l.logFormat().set(format); err != nil {
			t.Fatal(err)
		}
		l.setVerbosity(false, 3)
		l.Warn("x", "url", "https://a/?token_auth=geheim", "error", errors.New("\x1b[31m Bearer geheim"), "took", time.Second)
		l.always().Info("access", "path", "\x1b")
		l.Log(t.Context(), replay.LevelTrace, "request")
		contains(t, out.String(), "token_auth=***", "TRACE", "WARN", "1s")
		lacks(t, out.String(), "geheim", "\x1b", "DEBUG-4")
		if n := strings.Count(out.String(), "\n"); n != 3 {
			t.Errorf("%d lines:\n%s", n, out.String())
		}
	}
}

func TestJSONForPeopleKeepsOnlyEscapesThatAreNeeded(t *testing.T) {
	const same = ""
	for _, test := range []struct{ in, want string }{
		{`"http:\/\/site\/"`, `"http://site/"`},
		{`"gr\u00fc\u00dfe \u4f60"`, `"grüße 你"`},
		{`"\ud83d\ude00"`, `"😀"`},
		{`"\ud83d\ud83d\ude00 \ud83d x"`, `"\ud83d😀 \ud83d x"`}, // halves of a pair
		{`"\u001b[2J \u007f \u009b \u202e \u200b"`, same},
		{`"\\/ \\u00e4 \" \\\/ \n"`, `"\\/ \\u00e4 \" \\/ \n"`},
		{`{"a\/b":["\u00e4",1,null]}`, `{"a/b":["ä",1,null]}`},
		{`"\u12`, same},
		{`"\`, same},
	} {
		want := cmp.Or(test.want, test.in)
		got := readable(test.in)
		if got != want {
			t.Errorf("%s: %s, want %s", test.in, got, want)
		}
		if json.Valid([]byte(test.in)) && !json.Valid([]byte(got)) {
			t.Errorf("%s is no JSON", got)
		}
	}
}

func TestDeadLettersAreShownReadably(t *testing.T) {
	i := newInstallation(t)
	i.db.MustExec("ALTER TABLE matomo_log_visit MODIFY user_id VARCHAR(40) DEFAULT NULL")
	set := pageView("gr\u00fc\u00dfe<b>")
	set.Requests[0].Set("uid", php.String(strings.Repeat("\u00fc/", 40)))
	i.add(t, set, 1)
	i.ok(t, "process", "--num-queue-workers", "1", "--force-num-requests-process-at-once", "1")
	id := i.listed(t)[0].ID
	for _, args := range [][]string{{"failed", "show", id}, {"failed", "show", id, "--json"}} {
		r := i.ok(t, args...)
		contains(t, r.stdout, "https://garden.example.org/gr\u00fc\u00dfe<b>", "\u00fc/\u00fc/")
		lacks(t, r.stdout, `\/`, `\u00`)
	}
}
