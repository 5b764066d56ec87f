package matomo

import (
	"errors"
	"strings"
	"testing"
)

func TestHostOfADomain(t *testing.T) {
	for domain, want := range map[string]string{
		"stats.example.org":                  "stats.example.org",
		"http://stats.example.org/matomo/":   "stats.example.org",
		"https://stats.example.org:8443":     "stats.example.org",
		"//stats.example.org":                "stats.example.org",
		"stats.example.org:8080":             "stats.example.org",
		"Stats.example.org":                  "Stats.example.org", // Matomo's names of files have upper case, too
		"10.0.0.1":                           "10.0.0.1",
		"../../etc":                          "",
		"http://../x":                        "",
		"a/../../b":                          "a", // what follows is a path, as in a URL
		"..":                                 "",
		".htaccess":                          "",
		"":                                   "",
		"a b":                                "",
		"a\\b":                               "",
		"a\n":                                "a_",
		"http://":                            "http", // both as PHP's parse_url
		"münchen.de":                         "",
		"http://user:pw@stats.example.org/x": "stats.example.org",
	} {
		host, err := Host(domain)
		if host != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v, want %q", domain, host, err, want)
		}
	}
}

func TestInstallationsThatShareAFolder(t *testing.T) {
	dir := writeFiles(t, map[string]string{
		"config/config.ini.php":                  "[database]\nhost = all\n",
		"config/common.config.ini.php":           "[database]\nport = 1\n",
		"config/a.example.org.config.ini.php":    "[database]\nhost = a\n",
		"misc/user/b.example.org/config.ini.php": "[database]\nhost = b\n",
		"misc/user/a.example.org/config.ini.php": "[database]\nhost = never\n",
	})
	for _, test := range []struct{ host, want, file, problem string }{
		{"", "all", "config/config.ini.php", ""},
		{"a.example.org", "a", "config/a.example.org.config.ini.php", ""},
		{"b.example.org", "b", "misc/user/b.example.org/config.ini.php", ""},
		{
			"c.example.org", "all", "config/config.ini.php",
			"no configuration file of its own for c.example.org: config/config.ini.php is used, as Matomo does; there are " +
				"files for a.example.org, b.example.org",
		},
	} {
		c, err := Source{Dir: dir, Host: test.host}.Load()
		if err != nil {
			t.Fatal(err)
		}
		if d := c.Database(); d.Host != test.want || d.Port != 1 || c.LocalFile() != test.file ||
			c.DomainProblem() != test.problem {
			t.Errorf("%s: host %s of %s, %q", test.host, d.Host, c.LocalFile(), c.DomainProblem())
		}
	}
}

func TestMissingConfigurationNamesWhatIsThere(t *testing.T) {
	for _, test := range []struct {
		files map[string]string
		want  string
	}{
		{
			map[string]string{"config/a.example.org.config.ini.php": "", "config/b.example.org.config.ini.php": ""},
			"--matomo-domain or MATOMO_DOMAIN: a.example.org, b.example.org",
		},
		{
			map[string]string{"bootstrap.php": "<?php define('PIWIK_USER_PATH', '/etc/matomo');"},
			"bootstrap.php sets PIWIK_USER_PATH",
		},
	} {
		dir := writeFiles(t, test.files)
		_, err := LoadConfig(dir)
		if err == nil || !strings.Contains(err.Error(), test.want) || errors.Is(err, ErrNotMatomo) {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
	if dir := writeFiles(t, map[string]string{"config/common.config.ini.php": ""}); HasConfig(dir) {
		t.Error("common.config.ini.php counts as a host's")
	}
}

// A bootstrap.php that takes the configuration elsewhere must not go unnoticed; others do no harm.
func TestBootstrapIsJudged(t *testing.T) {
	for text, want := range map[string]bool{
		"<?php $GLOBALS['MATOMO_MODIFY_CONFIG_SETTINGS'] = function ($s) { return $s; };": true,
		"<?php $GLOBALS['CONFIG_INI_PATH_RESOLVER'] = 'x';":                               true,
		"<?php error_reporting(0);":                                                       false,
	} {
		c := loadConfig(t, writeFiles(t, map[string]string{"config/config.ini.php": "", "bootstrap.php": text}))
		if got := c.Bootstrap(); (got != "") != want {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func loadConfig(t *testing.T, dir string) *Config {
	t.Helper()
	c, err := LoadConfig(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
