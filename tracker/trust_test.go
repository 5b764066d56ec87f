package tracker

import (
	"fmt"
	"strings"
	"testing"
)

// TestIntranetTrust plays requests for intranet sites (i) and others (w), and shows which of them are trusted (T).
func TestIntranetTrust(t *testing.T) {
	for _, tt := range []struct {
		configured, stays bool
		requests, want    string
	}{
		{false, false, "iiiwii", "T-T-T-"},
		{false, true, "iiiwii", "TTT-TT"},
		{false, false, "wwiwiw", "--T-T-"},
		{false, true, "wwiwiw", "--T-T-"},
		{true, false, "iiwi", "TTTT"},
		{true, true, "iiwi", "TTTT"},
	} {
		var trust trust
		var got strings.Builder
		for _, r := range tt.requests {
			mark := "-"
			if trust.next(tt.configured, r == 'i', tt.stays) {
				mark = "T"
			}
			fmt.Fprint(&got, mark)
		}
		if got.String() != tt.want {
			t.Errorf("configured %v, stays %v, %s: %s, want %s", tt.configured, tt.stays, tt.requests, &got, tt.want)
		}
	}
}
