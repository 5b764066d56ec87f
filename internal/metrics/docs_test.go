package metrics

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const docs = "../../docs"

// alertRules are the expressions of docs/alerts.yml by the names of alerts.
func alertRules(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, "alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Groups []struct {
			Rules []struct{ Alert, Expr string }
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	rules := map[string]string{}
	for _, group := range file.Groups {
		for _, rule := range group.Rules {
			rules[rule.Alert] = rule.Expr
		}
	}
	return rules
}

// panels are the expressions of the dashboard by panel and legend.
func panels(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(docs, "grafana/queuedtracking.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, LegendFormat string }
		}
	}
	if err := json.Unmarshal(text, &dashboard); err != nil {
		t.Fatal(err)
	}
	expressions := map[string]string{}
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			expressions[panel.Title+", "+target.LegendFormat] = target.Expr
		}
	}
	return expressions
}

// ofQueues matches what every process tells of the same queues.
var ofQueues = regexp.MustCompile(`queuedtracking_queue_(length|oldest_age_seconds|dead_letters|lock_seconds)\b`)

// Processes that are scraped all tell of the same queues: the highest value counts, never their sum or number.
func TestNoExpressionCountsQueuesOncePerProcess(t *testing.T) {
	alerts, dashboard := alertRules(t), panels(t)
	if len(alerts) < 9 || len(dashboard) < 14 {
		t.Fatalf("only %d alerts, %d expressions of the dashboard", len(alerts), len(dashboard))
	}
	for name, expr := range alerts {
		if strings.Contains(expr, "instance") {
			t.Errorf("%s alerts once per instance: %s", name, expr)
		}
		if !regexp.MustCompile(`sum\(|max|count\(|absent\(`).MatchString(expr) {
			t.Errorf("%s alerts once per series: %s", name, expr)
		}
		wantHighest(t, name, expr)
	}
	for name, expr := range dashboard {
		wantHighest(t, name, expr)
	}
	for _, doubles := range []string{
		"sum(queuedtracking_queue_length)", "sum by (queue) (queuedtracking_queue_dead_letters)",
		"count(queuedtracking_queue_lock_seconds > 0)",
	} {
		if countsOnce(doubles) {
			t.Errorf("%s is not found out", doubles)
		}
	}
}

func wantHighest(t *testing.T, name, expr string) {
	t.Helper()
	if !countsOnce(expr) {
		t.Errorf("%s: counts the queues once per process: %s", name, expr)
	}
}

var inMax = regexp.MustCompile(`max( by \(queue\) )?\((max_over_time\()?$`)

// countsOnce reports whether the gauges of queues stand directly in a max.
func countsOnce(expr string) bool {
	for _, at := range ofQueues.FindAllStringIndex(expr, -1) {
		before := strings.TrimSpace(expr[:at[0]])
		if !inMax.MatchString(before) {
			return false
		}
	}
	return true
}

// promtool runs Prometheus' own tool.
func promtool(t *testing.T, args ...string) {
	t.Helper()
	tool, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("no promtool: scripts/install-servers.sh takes it from Debian's package prometheus")
	}
	if out, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

func TestAlertsPassTheirUnitTests(t *testing.T) {
	promtool(t, "check", "rules", filepath.Join(docs, "alerts.yml"))
	promtool(t, "test", "rules", filepath.Join(docs, "alerts_test.yml"))
}

// An alert that always fires, and one that never does, would pass half of these.
func TestEachAlertHasAUnitTestOfItsFiringAndOfItsSilence(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(docs, "alerts_test.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Tests []struct {
			Cases []struct {
				Alert string `yaml:"alertname"`
				Fired []any  `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	fires, silent := make(map[string]bool), make(map[string]bool)
	for _, test := range file.Tests {
		for _, c := range test.Cases {
			if len(c.Fired) > 0 {
				fires[c.Alert] = true
			} else {
				silent[c.Alert] = true
			}
		}
	}
	for name := range alertRules(t) {
		if !fires[name] || !silent[name] {
			t.Errorf("%s: a unit test in which it fires %t, in which it does not %t", name, fires[name], silent[name])
		}
	}
}

func TestDocumentsListTheAlerts(t *testing.T) {
	list, err := os.ReadFile(filepath.Join(docs, "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	for name := range alertRules(t) {
		if !strings.Contains(string(list), "\n| "+name+" | ") {
			t.Errorf("metrics.md does not list %s", name)
		}
	}
}

// forPrometheus is an expression of the dashboard with what Grafana puts into it.
func forPrometheus(expr string) string {
	return strings.NewReplacer("$instance", ".*", "$__rate_interval", "5m").Replace(expr)
}

func TestPrometheusUnderstandsEachExpressionOfTheDashboard(t *testing.T) {
	var b strings.Builder
	b.WriteString("groups:\n  - name: dashboard\n    rules:\n")
	for _, expr := range panels(t) {
		fmt.Fprintf(&b, "      - {record: 'x', expr: '%s', labels: {n: '%d'}}\n", forPrometheus(expr), b.Len())
	}
	file := filepath.Join(t.TempDir(), "rules.yml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "check", "rules", file)
}

// scraped are the series of "process" on hosts a and b and of "serve" on c.
const scraped = `
      - {series: 'queuedtracking_queue_length{instance="a",queue="0"}', values: '2000x20'}
      - {series: 'queuedtracking_queue_length{instance="b",queue="0"}', values: '2000x20'}
      - {series: 'queuedtracking_queue_length{instance="c",queue="0"}', values: '2000x20'}
      - {series: 'queuedtracking_queue_length{instance="c",queue="1"}', values: '30x20'}
      - {series: 'queuedtracking_queue_oldest_age_seconds{instance="a",queue="0"}', values: '90x20'}
      - {series: 'queuedtracking_queue_oldest_age_seconds{instance="c",queue="0"}', values: '90x20'}
      - {series: 'queuedtracking_queue_dead_letters{instance="a",queue="0"}', values: '7x20'}
      - {series: 'queuedtracking_queue_dead_letters{instance="c",queue="0"}', values: '7x20'}
      - {series: 'queuedtracking_queue_lock_seconds{instance="a",queue="0"}', values: '30x20'}
      - {series: 'queuedtracking_queue_lock_seconds{instance="c",queue="0"}', values: '30x20'}
      - {series: 'queuedtracking_spool_waiting_entries{instance="c"}', values: '5x20'}
      - {series: 'queuedtracking_spool_waiting_entries{instance="d"}', values: '6x20'}
      - {series: 'queuedtracking_tracked_requests_total{instance="a",result="tracked"}', values: '0+60x20'}
      - {series: 'queuedtracking_tracked_requests_total{instance="b",result="tracked"}', values: '0+60x20'}
`

func TestDashboardIsRightWhenSeveralProcessesAreScraped(t *testing.T) {
	expressions := panels(t)
	var b strings.Builder
	const begin = "evaluation_interval: 1m\ntests:\n  - interval: 1m\n    input_series:%s    promql_expr_test:\n"
	fmt.Fprintf(&b, begin, scraped)
	for panel, want := range map[string]string{
		"Waiting request sets, waiting":      "[{labels: '{}', value: 2030}]",
		"Oldest request, age":                "[{labels: '{}', value: 90}]",
		"Dead letters, dead letters":         "[{labels: '{}', value: 7}]",
		"Spool, entries on disk":             "[{labels: '{}', value: 11}]",
		"Waiting by queue, queue {{queue}}":  `[{labels: '{queue="0"}', value: 2000}, {labels: '{queue="1"}', value: 30}]`,
		"Queues that a worker holds, locked": "[{labels: '{}', value: 1}]",
		"Requests tracked, {{result}}":       `[{labels: '{result="tracked"}', value: 2}]`,
	} {
		expr, ok := expressions[panel]
		if !ok {
			t.Fatalf("no panel %s", panel)
		}
		fmt.Fprintf(&b, "      - {expr: '%s', eval_time: 10m, exp_samples: %s}\n", forPrometheus(expr), want)
	}
	file := filepath.Join(t.TempDir(), "dashboard_test.yml")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	promtool(t, "test", "rules", file)
}
