package matomo

import "testing"

func TestProviderIsLoadedByNewerQueues(t *testing.T) {
	for _, tt := range []struct {
		queuedTracking string
		want           bool
	}{{"5.1.3", false}, {"5.2.0", true}, {"6.0.1", true}, {"", false}} {
		c, err := ParseConfig("", "[Plugins]\nPlugins[] = Actions\nPlugins[] = Provider")
		if err != nil {
			t.Fatal(err)
		}
		v, _ := ParseVersion(tt.queuedTracking)
		if c, err = c.For(Found{QueuedTracking: v}); err != nil {
			t.Fatal(err)
		}
		if got := c.Plugins().Active("Provider"); got != tt.want {
			t.Errorf("QueuedTracking %q: %v, want %v", tt.queuedTracking, got, tt.want)
		}
	}
}

func TestProviderWithoutNameLookUps(t *testing.T) {
	const file = "class Configuration { const KEY = 'skip_reverse_dns_lookup'; }"
	for _, tt := range []struct {
		version, file, ini string
		want               bool
	}{
		{"5.0.3", "", "", true},
		{"5.0.3", "", "skip_reverse_dns_lookup = 1", true}, // it does not know the setting
		{"5.9.0", file, "", false},
		{"6.0.0", "", "", false},
		{"6.0.0", "", "skip_reverse_dns_lookup = 1", false},
		{"6.0.0", "", "skip_reverse_dns_lookup = \"\"", false},
		{"6.0.0", "", "skip_reverse_dns_lookup = 0", true},
		{"6.0.0", "", "skip_reverse_dns_lookup = false", true},
	} {
		c, err := ParseConfig("", "[Provider]\n"+tt.ini)
		if err != nil {
			t.Fatal(err)
		}
		v, _ := ParseVersion(tt.version)
		if c, err = c.For(Found{Provider: v, ProviderFile: tt.file}); err != nil {
			t.Fatal(err)
		}
		if got := c.ProviderLookUps(); got != tt.want {
			t.Errorf("Provider %s, file %q, %q: %v, want %v", tt.version, tt.file, tt.ini, got, tt.want)
		}
	}
}
