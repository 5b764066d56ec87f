package metrics

//lint:file-ignore SA1019 the newer format is read by Grafana 12 and later alone

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// checkDashboard reads a dashboard as Grafana's own description of its format says: no field that it does not know, no
// value that it does not allow.
func checkDashboard(text []byte) (d dashboard.Dashboard, err error) {
	cog.NewRuntime().RegisterPanelcfgVariant(stat.VariantConfig())
	cog.NewRuntime().RegisterPanelcfgVariant(timeseries.VariantConfig())
	cog.NewRuntime().RegisterDataqueryVariant(prometheus.VariantConfig())
	var problems cog.BuildErrors
	err = new(dashboard.Dashboard).UnmarshalJSONStrict(text)
	if err != nil && (!errors.As(err, &problems) || len(problems) > 0) { // without problems it is no error
		return d, err
	}
	if err := json.Unmarshal(text, &d); err != nil { // the strict reader leaves panels out
		return d, err
	}
	return d, d.Validate()
}

func TestDashboardIsWhatGrafanaDescribes(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(docs, "grafana/queuedtracking.json"))
	if err != nil {
		t.Fatal(err)
	}
	d, err := checkDashboard(text)
	if err != nil {
		t.Fatal(err)
	}
	if d.Title == nil || d.Uid == nil || len(d.Panels) < 14 {
		t.Fatalf("%d panels", len(d.Panels))
	}
	places := make(map[[2]uint32]string) // each unit of the screen has one panel
	ids := make(map[uint32]bool)
	for _, p := range d.Panels {
		panel := p.Panel
		if panel == nil || panel.Id == nil || panel.Title == nil || panel.GridPos == nil || len(panel.Targets) == 0 {
			t.Fatalf("a panel without id, title, place or query: %+v", panel)
		}
		if ids[*panel.Id] {
			t.Errorf("two panels have id %d", *panel.Id)
		}
		ids[*panel.Id] = true
		at := *panel.GridPos
		if at.X+at.W > 24 {
			t.Errorf("%s ends at column %d of 24", *panel.Title, at.X+at.W)
		}
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				if other := places[[2]uint32{x, y}]; other != "" {
					t.Fatalf("%s lies on %s", *panel.Title, other)
				}
				places[[2]uint32{x, y}] = *panel.Title
			}
		}
	}
	for from, to := range map[string]string{
		`"gridPos"`: `"gridPosition"`, `"title": "QueuedTracking"`: `"titel": "QueuedTracking"`,
		`"schemaVersion": 39`: `"schemaVersion": "39"`, `"unit": "short"`: `"unit": 1`,
	} {
		if _, err := checkDashboard([]byte(strings.Replace(string(text), from, to, 1))); err == nil {
			t.Errorf("%s is taken", to)
		}
	}
}
