package tracker

import "testing"

func TestTextsAreComparedAsFarAsCollationsAgree(t *testing.T) {
	tests := []struct {
		a, b        string
		same, known bool
	}{
		{"", "", true, true},
		{"anna", "anna", true, true},
		{"Anna", "aNNa", true, true},
		{"anna", "annb", false, true},
		{"anna", "annab", false, true},
		{"José", "José", true, true},
		{"José", "jose", false, false},
		{"éa", "ea", false, false},
		{"José", "Karl", false, true}, // the first letters differ
		{"anna", "anna ", false, false},
		{"anna", "anna\x00", false, false},
		{"anna ", "bert", false, true},
	}
	for _, test := range tests {
		for _, pair := range [][2]string{{test.a, test.b}, {test.b, test.a}} {
			if same, known := sameText(pair[0], pair[1]); same != test.same || known != test.known {
				t.Errorf("sameText(%q, %q) = %v, %v, want %v, %v", pair[0], pair[1], same, known, test.same, test.known)
			}
		}
	}
}
