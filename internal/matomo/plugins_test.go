package matomo

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func pluginConfig(t *testing.T, active, installed string) *Config {
	t.Helper()
	var b strings.Builder
	b.WriteString("[Plugins]\n")
	for _, name := range strings.Fields(active) {
		b.WriteString("Plugins[] = " + name + "\n")
	}
	if installed != "" {
		b.WriteString("[PluginsInstalled]\n")
	}
	for _, name := range strings.Fields(installed) {
		b.WriteString("PluginsInstalled[] = " + name + "\n")
	}
	return parseConfig(t, b.String())
}

func TestPluginsAreActiveInLoadOrder(t *testing.T) {
	c := pluginConfig(t, "zeta Goals IP10Location CustomVariables Actions CoreHome IP2Location Provider Goals", "")
	want := []string{"CoreHome", "Actions", "Goals", "CustomVariables", "IP2Location", "IP10Location", "zeta"}
	if diff := cmp.Diff(want, c.Plugins().Names()); diff != "" {
		t.Error(diff)
	}
}

func TestPluginsMustBeInstalled(t *testing.T) {
	p := pluginConfig(t, "Goals Events Contents", "Goals Contents Referrers").Plugins()
	for name, want := range map[string]bool{"Goals": true, "Events": false, "Contents": true, "Referrers": false} {
		if got := p.Active(name); got != want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestNaturalCompare(t *testing.T) {
	sorted := []string{"", "1", "01a", "2", "10", "a", "a1", "a1b", "a02", "a10", "ab", "b"}
	got := slices.Clone(sorted)
	slices.Reverse(got)
	slices.SortStableFunc(got, naturalCompare)
	if diff := cmp.Diff(sorted, got); diff != "" {
		t.Error(diff)
	}
}
