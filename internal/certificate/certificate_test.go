package certificate

import "testing"

func TestCommonNamesMatch(t *testing.T) {
	for _, c := range []struct {
		common, name string
		want         bool
	}{
		{"db.example.org", "db.example.org", true},
		{"DB.example.org", "db.Example.org.", true},
		{"127.0.0.1", "127.0.0.1", true},
		{"*.example.org", "db.example.org", true},
		{"*.example.org", "example.org", false},
		{"*.example.org", "a.db.example.org", false},
		{"*.example.org", ".example.org", false},
		{"*.org", "example.org", false},
		{"*", "db", false},
		{"d*.example.org", "db.example.org", false},
		{"", "", false},
		{"other", "db", false},
	} {
		if got := matches(c.common, c.name); got != c.want {
			t.Errorf("%q for %q: %v", c.common, c.name, got)
		}
	}
}
