package cmd

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/php"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/internal/verify"
	"github.com/queuedtracking/queuedtracking/queue"
)

// recordedRows are what Matomo in miniature writes for a request (testdata/php/matomo/plugins/Recorded.php).
type recordedRows struct {
	Actions []map[string]any     `json:"actions"`
	Visit   map[string]*string   `json:"visit"`
	Links   []map[string]*string `json:"links"`
}

// verified is an installation whose PHP writes for the sets in its queue the rows that this program writes.
type verified struct {
	*installation
	sets     []queue.RequestSet
	recorded map[string]recordedRows
}

// visitors are page views of so many visitors, one each.
func visitors(n int) (sets []queue.RequestSet) {
	for i := range n {
		set := pageView(fmt.Sprintf("%c/%d", 'a'+i%3, i))
		set.Requests[0].Set("_id", php.String(fmt.Sprintf("%016x", i+1)))
		set.Requests[0].Set("recorded", php.String(strconv.Itoa(i)))
		set.Env.Server = php.NewArray(0)
		set.Env.Server.Set("REMOTE_ADDR", php.String("192.0.2.7"))
		set.Env.Server.Set("HTTP_USER_AGENT", php.String(fmt.Sprintf(
			"Mozilla/5.0 (X11; Linux x86_64; rv:%d.0) Gecko/20100101 Firefox/%d.0", 100+i, 100+i)))
		set.Env.Cookie = php.NewArray(0)
		set.Time = time.Now().Unix() - 60
		sets = append(sets, set)
	}
	return sets
}

// newVerified tracks the sets once to record their rows, and puts everything back.
func newVerified(t *testing.T, sets []queue.RequestSet) *verified {
	t.Helper()
	v := &verified{installation: withPHP(t), sets: sets, recorded: make(map[string]recordedRows)}
	v.db.MustExec("CREATE TABLE matomo_nasty_log (id int NOT NULL AUTO_INCREMENT PRIMARY KEY, what text)")
	for _, set := range sets {
		v.addTo(t, 0, set)
	}
	v.ok(t, "process", "--force-num-requests-process-at-once", "1")
	actions := v.hexRows(t, "log_action", "1 = 1")
	for i := range sets {
		visits := v.hexRows(t, "log_visit", fmt.Sprintf("idvisitor = x'%016x'", i+1))
		if len(visits) != 1 {
			t.Fatalf("%d visits of visitor %d, want 1", len(visits), i)
		}
		r := recordedRows{Visit: visits[0], Links: v.hexRows(t, "log_link_visit_action",
			"idvisit = "+plain(visits[0]["idvisit"]))}
		for _, row := range actions {
			if !refersTo(r, plain(row["idaction"])) {
				continue
			}
			action := map[string]any{"name": plain(row["name"]), "url_prefix": nil}
			for _, column := range []string{"idaction", "hash", "type", "url_prefix"} {
				if row[column] != nil {
					action[column] = json.Number(plain(row[column]))
				}
			}
			r.Actions = append(r.Actions, action)
		}
		v.recorded[strconv.Itoa(i)] = r
	}
	for _, table := range []string{"log_visit", "log_link_visit_action", "log_action", "log_conversion"} {
		v.db.MustExec("DELETE FROM matomo_" + table)
	}
	v.db.MustExec("DELETE FROM matomo_option WHERE option_name LIKE 'QueuedTracking.%' " +
		"OR option_name LIKE '%\\_report\\_to%'")
	v.record(t)
	for _, set := range sets {
		v.addTo(t, 0, set)
	}
	return v
}

func refersTo(r recordedRows, id string) bool {
	for _, row := range append([]map[string]*string{r.Visit}, r.Links...) {
		for column, value := range row {
			if strings.Contains(column, "idaction") && value != nil && plain(value) == id {
				return true
			}
		}
	}
	return false
}

// hexRows reads rows with hexadecimal cells.
func (v *verified) hexRows(t *testing.T, table, condition string) (list []map[string]*string) {
	t.Helper()
	var columns []string
	if err := v.db.Select(&columns, "SELECT COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() "+
		"AND TABLE_NAME = ?", "matomo_"+table); err != nil {
		t.Fatal(err)
	}
	expressions := make([]string, len(columns))
	for i, column := range columns {
		expressions[i] = "HEX(CONCAT(`" + column + "`))"
	}
	rows, err := v.db.Query("SELECT " + strings.Join(expressions, ",") + " FROM matomo_" + table + " WHERE " + condition +
		" ORDER BY 1")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		cells, targets := make([]*string, len(columns)), make([]any, len(columns))
		for i := range cells {
			targets[i] = &cells[i]
		}
		if err := rows.Scan(targets...); err != nil {
			t.Fatal(err)
		}
		row := make(map[string]*string)
		for i, column := range columns {
			row[column] = cells[i]
		}
		list = append(list, row)
	}
	return list
}

func plain(value *string) string {
	text, _ := hex.DecodeString(*value)
	return string(text)
}

// record gives PHP what it writes.
func (v *verified) record(t *testing.T) {
	t.Helper()
	text, err := json.Marshal(v.recorded)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(v.dir, "recorded.json"), text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// cell changes what PHP writes for a request.
func (v *verified) cell(t *testing.T, request int, column, value string) {
	t.Helper()
	encoded := hex.EncodeToString([]byte(value))
	v.recorded[strconv.Itoa(request)].Visit[column] = &encoded
	v.record(t)
}

// state is everything in the database and in the queue.
func (v *verified) state(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	var names []string
	if err := v.db.Select(&names, "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() "+
		"ORDER BY 1"); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		rows, err := v.db.Queryx("SELECT * FROM `" + name + "` ORDER BY 1, 2")
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
			cells, err := rows.SliceScan()
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "%s %q\n", name, cells)
		}
		_ = rows.Close()
	}
	elements, err := v.backend.Range(context.Background(), queue.Key(0), 0, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	for _, element := range elements {
		fmt.Fprintf(&b, "%x\n", element)
	}
	return b.String()
}

// same wants nothing to have changed.
func (v *verified) same(t *testing.T, before string) {
	t.Helper()
	after := v.state(t)
	if after == before {
		return
	}
	for _, line := range strings.Split(after, "\n") {
		if !slices.Contains(strings.Split(before, "\n"), line) {
			t.Errorf("was not there before: %.200s", line)
		}
	}
	if !t.Failed() {
		t.Error("something that was there is gone")
	}
}

// verify runs the command and wants an exit status.
func (v *verified) verify(t *testing.T, status int, args ...string) result {
	t.Helper()
	r := v.run(t, append([]string{"verify", "--php", testserver.PHP(t)}, args...))
	if r.status != status {
		t.Fatalf("verify %v: exit status %d, want %d\n%s%s", args, r.status, status, r.stdout, r.stderr)
	}
	return r
}

func TestVerifyFindsNoDifference(t *testing.T) {
	sets := visitors(12)
	refused := pageView("refused")
	refused.Requests[0].Set("idgoal", php.String("99")) // there is none
	refused.Requests[0].Set("nasty", php.String("throw"))
	v := newVerified(t, sets)
	refused.TokenAuth = "0123456789abcdef0123456789abcdef"
	v.addTo(t, 0, refused)
	before := v.state(t)
	kept := filepath.Join(t.TempDir(), "kept.jsonl")
	r := v.verify(t, statusDone, "--keep", kept)
	contains(t, r.stdout, "13 requests, 13 equal (1 refused by both", "log_link_visit_action", "log_visit", "Matomo 5.1.2",
		"plugin QueuedTracking 5.1.1", "PHP ")
	v.same(t, before)

	info, err := os.Stat(kept)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v of the file, %v", info.Mode(), err)
	}
	text, err := os.ReadFile(kept)
	if err != nil || strings.Contains(string(text), refused.TokenAuth) || strings.Count(string(text), "\n") != 13 {
		t.Errorf("not 13 lines without a token, or %v:\n%s", err, text)
	}
	if r := v.verify(t, statusNotCompared, "--keep", kept); !strings.Contains(r.stderr, "exists") {
		t.Errorf("a file that exists: %s", r.stderr)
	}
	var report verify.Report
	if err := json.Unmarshal([]byte(v.verify(t, statusDone, "--from", kept, "--json").stdout), &report); err != nil {
		t.Fatal(err)
	}
	if report.Requests != 13 || report.Equal != 13 || report.Ended != verify.EndedAtEnd ||
		report.Tables["log_visit"].Rows != 12 {
		t.Errorf("of the file: %+v", report)
	}
	contains(t, v.verify(t, statusDone, "--limit", "5").stdout, "5 requests, 5 equal")
	contains(t, v.verify(t, statusDone, "--sample", "1/4").stdout, "4 requests, 4 equal")
	v.same(t, before)
}

func TestVerifyTellsDifferences(t *testing.T) {
	v := newVerified(t, visitors(8))
	v.cell(t, 5, "config_os", "AND")
	before := v.state(t)
	r := v.verify(t, statusFailed)
	contains(t, r.stdout, "Difference 1: queue 0, entry 5, request 0", "log_visit: column config_os, row 3",
		`Matomo          text "AND"`, `queuedtracking  text "LIN"`, `"url":"https://garden.example.org/c/5"`,
		"8 requests, 7 equal, 1 different")
	var report verify.Report
	if err := json.Unmarshal([]byte(v.verify(t, statusFailed, "--json").stdout), &report); err != nil {
		t.Fatal(err)
	}
	if len(report.Findings) != 1 || len(report.Findings[0].Cells) != 1 ||
		report.Findings[0].Cells[0].Column != "config_os" {
		t.Errorf("findings %+v, want one of config_os", report.Findings)
	}
	v.cell(t, 1, "config_os", "AND")
	contains(t, v.verify(t, statusFailed, "--fail-fast").stdout, "entry 1, ", "1 different", "--fail-fast")
	v.same(t, before)
}

func TestVerifyNamesWhatIsMeant(t *testing.T) {
	v := newVerified(t, visitors(3))
	v.cell(t, 1, "location_browser_lang", "de")
	r := v.verify(t, statusDone)
	contains(t, r.stdout, "3 requests, 2 equal, 1 different on purpose: language of the worker's environment",
		"Difference 1: queue 0, entry 1, request 0, on purpose")
}

func TestVerifyWithPlugins(t *testing.T) {
	for _, c := range []struct {
		deed   string
		status int
		says   []string
	}{
		{"table", statusFailed, []string{
			"PHP also writes into table nasty_log: rows", "Matomo          1", "queuedtracking  0",
			"4 requests, 3 equal, 1 different",
		}},
		{"exit", statusFailed, []string{"what became of it", "exit or die", "4 requests, 3 equal, 1 different"}},
		{"throw", statusFailed, []string{"refused: no, says Matomo", "not refused", "4 requests, 3 equal, 1 different"}},
		{"deadlock once", statusDone, []string{"4 requests, 4 equal (1 wait for locks"}},
		{"cut once", statusDone, []string{"4 requests, 4 equal (1 wait for locks"}},
	} {
		t.Run(c.deed, func(t *testing.T) {
			sets := visitors(4)
			sets[2].Requests[0].Set("nasty", php.String(c.deed))
			v := newVerified(t, sets)
			before := v.state(t)
			contains(t, v.verify(t, c.status).stdout, c.says...)
			v.same(t, before)
		})
	}
}

// A plugin that ends the transaction is told with the first entry, before more is left behind.
func TestVerifyEndsWhenATransactionLeaks(t *testing.T) {
	sets := visitors(4)
	for _, set := range sets {
		set.Requests[0].Set("nasty", php.String("ddl"))
	}
	v := newVerified(t, sets)
	r := v.verify(t, statusNotCompared)
	contains(t, r.stderr, "a plugin has ended PHP's transaction", "up to 1 request", "nothing was compared")
	if n := v.count(t, "log_visit"); n > 1 {
		t.Errorf("%d visits have stayed, want 1 at most", n)
	}
}

func TestVerifyWithNothingToCompare(t *testing.T) {
	v := newVerified(t, nil)
	contains(t, v.verify(t, statusNotCompared).stderr, "the queues are empty", "--from")
	v.db.MustExec("ALTER TABLE matomo_nasty_log ENGINE=MyISAM")
	contains(t, v.verify(t, statusNotCompared).stderr, "matomo_nasty_log", "no part in transactions",
		"nothing was compared")
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--limit", "-1"}, "--limit -1"},
		{[]string{"--batch", "0"}, "--batch 0"},
		{[]string{"--sample", "2/3"}, "1/100"},
		{[]string{"--lock-wait", "10ms"}, "--lock-wait"},
		{[]string{"--queue-id", "7"}, "the number of queues is 1, counted from 0"},
		{[]string{"--from", "/nowhere/at/all"}, "/nowhere/at/all"},
		{[]string{"--php", "/nowhere/php"}, "/nowhere/php"},
	} {
		r := v.run(t, append([]string{"verify"}, c.args...))
		if r.status != statusUsage {
			t.Errorf("%v: exit status %d, want 2", c.args, r.status)
		}
		contains(t, r.stderr, c.says)
	}
}

// Whenever it is killed, the server takes back what it was doing.
func TestVerifyKilled(t *testing.T) {
	sets := visitors(40)
	v := newVerified(t, sets)
	before := v.state(t)
	program, err := exec.LookPath("queuedtracking")
	if err != nil {
		t.Fatal(err)
	}
	written := 0
	for n := range 6 {
		command := exec.Command(program, "verify", "--matomo", v.dir, "--php", testserver.PHP(t), "--batch", "40")
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- command.Wait() }()
		writing := func() (n int) {
			err := v.db.Get(&n, "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_rows_modified > 3")
			if err != nil {
				t.Error(err)
			}
			return n
		}
		// The first while either writes, the others after further moments.
		testserver.Eventually(t, "a transaction writes, or it is over", func() bool {
			return writing() > 0 || len(ended) > 0
		})
		for range n {
			written += writing()
		}
		_ = command.Process.Kill()
		<-ended
		testserver.Eventually(t, "no transaction is left", func() bool {
			var left int
			err := v.db.Get(&left, "SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_rows_modified > 0")
			return err == nil && left == 0
		})
		v.same(t, before)
	}
	contains(t, v.verify(t, statusDone).stdout, "40 requests, 40 equal")
}
