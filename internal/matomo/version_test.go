package matomo

import (
	"strings"
	"testing"
)

func TestCheckVersion(t *testing.T) {
	tests := []struct {
		version       string
		force         bool
		warning, fail string // parts of the texts; "": none
	}{
		{"5.1.2", false, "", ""},
		{"5.1.0-b3", false, "", ""},
		{"5.0.3", false, "Matomo 5.0.3 is not 5.1.x, whose rows are reproduced: before 5.1 parameter lang", ""},
		{"5.2.0", false, "since 5.2 query parameters", ""},
		{"5.5.1", false, "since 5.5 AI assistants are referrer type 8", ""},
		{"5.14.1", false, "since 5.7 plugin BotTracking", ""},
		{"4.16.1", false, "", "Matomo 4.16.1 is not supported, only version 5 is: --force-version goes on all the same"},
		{"6.0.0", true, "Matomo 6.0.0 is not supported, only version 5 is: going on because of --force-version", ""},
		{"", false, "", "the version of Matomo is unknown (no option version_core): --force-version goes on all the same"},
		{"5", false, "", "Matomo 5 is not supported"},
		{"5.x", false, "", "Matomo 5.x is not supported"},
	}
	for _, tt := range tests {
		warning, err := CheckVersion(tt.version, tt.force)
		if (warning == "") != (tt.warning == "") || !strings.Contains(warning, tt.warning) {
			t.Errorf("%q: warning %q, want %q", tt.version, warning, tt.warning)
		}
		if (err == nil) != (tt.fail == "") || err != nil && !strings.Contains(err.Error(), tt.fail) {
			t.Errorf("%q: error %v, want %q", tt.version, err, tt.fail)
		}
	}
	if warning, _ := CheckVersion("5.2.1", false); strings.Contains(warning, "5.5") || strings.Contains(warning, "before") {
		t.Errorf("differences of other versions: %s", warning)
	}
}
