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
		{"5.0.0", false, "", ""},
		{"5.0.3", false, "", ""},
		{"5.1.0-b3", false, "", ""},
		{"5.14.1", false, "", ""},
		{"6.0.0-b1", false, "", ""},
		{"6.0.12", false, "", ""},
		{"4.16.1", false, "", `Matomo 4.16.1 is not supported: the rows of 5.0 to 5.14 and 6.0 are known; --force-version`},
		{"5.15.0", false, "", `Matomo 5.15.0 is not supported`},
		{"6.1.0", true, `Matomo 6.1.0 is not supported: the rows of 5.0 to 5.14 and 6.0 are known; going on because`, ""},
		{"7.0.0", false, "", `Matomo 7.0.0 is not supported`},
		{"", false, "", "the version of Matomo is unknown (no option version_core); --force-version processes all the same"},
		{"5", false, "", `Matomo 5 is not supported`},
		{"5.x", false, "", `Matomo 5.x is not supported`},
		{"6.0\x1b[31m", false, "", ""},
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
}

func TestVersionSince(t *testing.T) {
	tests := []struct {
		version, first string
		want           bool
	}{
		{"5.2.0", "5.2.0", true},
		{"5.2.0-b1", "5.2.0", true},
		{"5.1.9", "5.2.0", false},
		{"5.10.0", "5.9.3", true},
		{"6.0.0", "5.14.2", true},
		{"5.2", "5.2.0", true},
		{"", "5.0.0", false},
		{"x5.2.0", "5.0.0", false},
	}
	for _, tt := range tests {
		v, _ := ParseVersion(tt.version)
		if got := v.Since(tt.first); got != tt.want {
			t.Errorf("%q since %s: %v, want %v", tt.version, tt.first, got, tt.want)
		}
	}
}
