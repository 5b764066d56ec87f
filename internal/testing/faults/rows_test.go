package faults

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/jmoiron/sqlx"
)

// rows are the rows of a database as texts, sorted, without what depends on the order in which queues were processed:
// a number that the database has given is replaced by what it stands for.
type rows []string

// read reads all rows that tracking writes.
func (s *site) read(t *testing.T) rows {
	t.Helper()
	r := reader{
		t: t, db: s.db, actions: map[string]string{"0": "none"}, visits: map[string]string{},
		links: map[string]string{},
	}
	r.names()
	r.number()
	for _, table := range []string{"log_visit", "log_link_visit_action", "log_conversion", "log_conversion_item", "tracking_failure"} {
		r.table(table)
	}
	if s.six {
		r.table("log_page_view_time")
		r.table("log_bot_request")
	}
	r.marks()
	r.table("site")
	sort.Strings(r.rows)
	return r.rows
}

type reader struct {
	t                      *testing.T
	db                     *sqlx.DB
	actions, visits, links map[string]string
	rows                   rows
}

func (r *reader) query(query string, each func(row map[string]string)) {
	r.t.Helper()
	found, err := r.db.Queryx(query)
	if err != nil {
		r.t.Fatal(err)
	}
	defer found.Close()
	for found.Next() {
		cells := make(map[string]any)
		if err := found.MapScan(cells); err != nil {
			r.t.Fatal(err)
		}
		row := make(map[string]string, len(cells))
		for column, cell := range cells {
			switch v := cell.(type) {
			case nil:
				row[column] = "NULL"
			case []byte:
				row[column] = string(v)
				if strings.HasPrefix(column, "idvisitor") || column == "config_id" || column == "location_ip" {
					row[column] = hex.EncodeToString(v)
				}
			default:
				row[column] = fmt.Sprint(v)
			}
		}
		each(row)
	}
	if err := found.Err(); err != nil {
		r.t.Fatal(err)
	}
}

// names reads the dictionary. Workers that add the same name in the same millisecond may leave it there twice, as
// Matomo's do; whatever refers to it means the same. The suite tells how often that was.
func (r *reader) names() {
	seen := make(map[string]bool)
	r.query("SELECT * FROM matomo_log_action ORDER BY idaction", func(row map[string]string) {
		name := fmt.Sprintf("%s|%s|%s|%s", row["type"], row["url_prefix"], row["hash"], row["name"])
		r.actions[row["idaction"]] = name
		if seen[name] {
			made.add("names that are twice in the dictionary", 1)
			return
		}
		seen[name] = true
		r.rows = append(r.rows, "log_action "+name)
	})
}

// number tells visits by visitor and time, actions by their place in the visit.
func (r *reader) number() {
	twins := make(map[string]int)
	r.query("SELECT * FROM matomo_log_visit ORDER BY idvisit", func(row map[string]string) {
		key := row["idsite"] + "/" + row["idvisitor"] + "/" + row["visit_first_action_time"]
		twins[key]++
		r.visits[row["idvisit"]] = fmt.Sprintf("%s/%d", key, twins[key])
	})
	r.query("SELECT idlink_va, idvisit FROM matomo_log_link_visit_action ORDER BY idlink_va", func(row map[string]string) {
		key := r.visits[row["idvisit"]]
		twins["link "+key]++
		r.links[row["idlink_va"]] = fmt.Sprintf("%s action %d", key, twins["link "+key])
	})
}

func (r *reader) table(table string) {
	r.query("SELECT * FROM matomo_"+table, func(row map[string]string) {
		cells := make([]string, 0, len(row))
		for column, value := range row {
			cells = append(cells, column+"="+r.cell(row, column, value))
		}
		sort.Strings(cells)
		r.rows = append(r.rows, table+" "+strings.Join(cells, " "))
	})
}

func (r *reader) cell(row map[string]string, column, value string) string {
	known := func(names map[string]string) string {
		if value == "NULL" {
			return value
		}
		if name, ok := names[value]; ok {
			return name
		}
		return "dangling " + value
	}
	switch {
	case column == "idpageviewtime" || column == "idrequest" || column == "created_time":
		return "any"
	case column == "idvisit":
		return known(r.visits)
	case column == "idlink_va" || column == "last_idlink_va":
		return known(r.links)
	case strings.Contains(column, "idaction"):
		return known(r.actions)
	case column == "buster" && value != "0" && row["idgoal"] != "0" && row["idgoal"] != "-1":
		return "random"
	case column == "request_url":
		return "of whichever queue came first" // one row of tracking_failure stands for all requests to an unknown site
	}
	return value
}

var mark = regexp.MustCompile(`report_to_invalidate_(\d+_[\d-]{10})`)

// marks are the days whose reports have to be made again. Two workers may both mark a day.
func (r *reader) marks() {
	seen := make(map[string]bool)
	r.query("SELECT option_name FROM matomo_option WHERE option_name LIKE '%report_to_invalidate%'",
		func(row map[string]string) {
			if m := mark.FindStringSubmatch(row["option_name"]); m != nil && !seen[m[1]] {
				seen[m[1]] = true
				r.rows = append(r.rows, "mark "+m[1])
			}
		})
}

// equal wants the same rows as an undisturbed run's.
func equal(t *testing.T, got, want rows) {
	t.Helper()
	if len(want) < 100 {
		t.Fatalf("only %d rows to compare with", len(want))
	}
	const shown = 4
	missing, surplus := minus(want, got), minus(got, want)
	for _, d := range []struct {
		what string
		rows rows
	}{{"missing", missing}, {"too many", surplus}} {
		if len(d.rows) > 0 {
			t.Errorf("%d rows %s, such as\n%s", len(d.rows), d.what, strings.Join(d.rows[:min(shown, len(d.rows))], "\n"))
		}
	}
}

// minus are the rows of a that b lacks.
func minus(a, b rows) (rest rows) {
	count := make(map[string]int)
	for _, row := range b {
		count[row]++
	}
	for _, row := range a {
		if count[row]--; count[row] < 0 {
			rest = append(rest, row)
		}
	}
	return rest
}

// baselines are the rows of undisturbed runs.
var baselines struct {
	sync.Mutex
	rows map[baseline]rows
}

type baseline struct {
	six, php bool
	requests int
}

// undisturbed gives the rows that a corpus of n requests makes when nothing happens.
func undisturbed(t *testing.T, n int) rows {
	t.Helper()
	return baseline{requests: n}.read(t)
}

// undisturbed gives the rows that the site's corpus of n requests makes when nothing happens.
func (s *site) undisturbed(t *testing.T, n int) rows {
	t.Helper()
	return baseline{s.six, s.php, n}.read(t)
}

func (b baseline) read(t *testing.T) rows {
	t.Helper()
	baselines.Lock()
	defer baselines.Unlock()
	if r, ok := baselines.rows[b]; ok {
		return r
	}
	s := newSite(t)
	if b.six {
		s.upgrade(t)
	}
	if b.php {
		s.trackWithPHP(t)
	}
	s.push(t, s.corpus(t, b.requests))
	s.drain(t)
	if baselines.rows == nil {
		baselines.rows = make(map[baseline]rows)
	}
	baselines.rows[b] = s.read(t)
	for _, table := range []string{"log_page_view_time ", "log_bot_request "} {
		if b.six && !slices.ContainsFunc(baselines.rows[b], func(row string) bool { return strings.HasPrefix(row, table) }) {
			t.Errorf("no rows of %s", table)
		}
	}
	return baselines.rows[b]
}
