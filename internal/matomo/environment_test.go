package matomo

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// withEnvironment loads a configuration whose environment is as given.
func withEnvironment(t *testing.T, files, env map[string]string) *Config {
	t.Helper()
	source := Source{Dir: writeFiles(t, files), LookupEnv: func(name string) (string, bool) {
		value, ok := env[name]
		return value, ok
	}}
	c, err := source.Load()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const (
	activePlugin    = "[Plugins]\nPlugins[] = Goals\nPlugins[] = EnvironmentVariables\n"
	pluginContainer = "plugins/EnvironmentVariables/config/config.php"
)

func TestVariablesReplaceSettings(t *testing.T) {
	c := withEnvironment(t, map[string]string{
		"config/config.ini.php": activePlugin + `
[database]
host = db
username = matomo
password = old
tables_prefix = "matomo_"
[Tracker_2]
create_new_visit_after_x_actions = 5
[QueuedTracking]
redisHost = ""
[General]
proxy_client_headers[] = HTTP_X_FORWARDED_FOR
`,
		pluginContainer: "<?php",
	}, map[string]string{
		"MATOMO_DATABASE_PASSWORD":                          "ge$heim&amp;",
		"MATOMO_DATABASE_USERNAME":                          "", // empty is not unset
		"MATOMO_DATABASE_COLLATION":                         "utf8mb4_bin",
		"MATOMO_TRACKER_VISIT_STANDARD_LENGTH":              "99",
		"MATOMO_TRACKER_2_CREATE_NEW_VISIT_AFTER_X_ACTIONS": "7",
		"MATOMO_QUEUEDTRACKING_REDISHOST":                   "redis.example.org",
		"MATOMO_QUEUEDTRACKING_REDISPORT":                   "7000", // is in no file
		"MATOMO_GENERAL_PROXY_CLIENT_HEADERS":               "HTTP_CLIENT_IP",
		"MATOMO_PLUGINS_PLUGINS":                            "Bandwidth",
	})
	d := c.Database()
	got := []any{
		d.Host, d.Username, d.Password, d.Prefix, c.Int("Tracker",
			"visit_standard_length"), c.Tracker(2).NewVisitAfterActions,
		c.queueSettings(nil).RedisHost, c.queueSettings(nil).RedisPort, c.List("General",
			"proxy_client_headers"), c.Plugins().Names(),
	}
	want := []any{
		"db", "", "ge$heim&amp;", "matomo_", int64(99), int64(7),
		"redis.example.org", "", []string(nil),
		[]string{"Goals", "EnvironmentVariables"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	names := []string{
		"MATOMO_DATABASE_PASSWORD", "MATOMO_DATABASE_USERNAME", "MATOMO_GENERAL_PROXY_CLIENT_HEADERS",
		"MATOMO_PLUGINS_PLUGINS",
		"MATOMO_QUEUEDTRACKING_REDISHOST", "MATOMO_TRACKER_2_CREATE_NEW_VISIT_AFTER_X_ACTIONS",
		"MATOMO_TRACKER_VISIT_STANDARD_LENGTH",
	}
	if _, ok := c.files.Value("database").Array().Get("collation"); ok { // built-in defaults have it
		names = append([]string{"MATOMO_DATABASE_COLLATION"}, names...)
	}
	if diff := cmp.Diff(names, c.Variables()); diff != "" {
		t.Error(diff)
	}
	if got := c.Origin("database", "password"); got != "the variable MATOMO_DATABASE_PASSWORD (plugin "+
		"EnvironmentVariables)" {
		t.Error(got)
	}
	if got := c.Origin("database", "host"); got != "config/config.ini.php" {
		t.Error(got)
	}
	misfits := c.Misfits()
	if len(misfits) != 1 || misfits[0].Advice != "unset MATOMO_GENERAL_PROXY_CLIENT_HEADERS" {
		t.Errorf("%+v", misfits)
	}
	if !c.FromEnvironment("database", "password") || c.FromEnvironment("database", "host") {
		t.Error("wrong settings from the environment")
	}
	if again, err := c.For(Found{}); err != nil || again.Database().Password != "ge$heim&amp;" {
		t.Errorf("forgotten once the database is open: %v", err)
	}
}

// Without the plugin the variables have no effect: those of Docker's image are for its installer.
func TestVariablesCountOnlyWithThePlugin(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"not active": {
			"config/config.ini.php": "[Plugins]\nPlugins[] = Goals\n[database]\nhost = db\n",
			pluginContainer:         "<?php",
		},
		"not installed": {"config/config.ini.php": activePlugin + "[database]\nhost = db\n"},
	} {
		c := withEnvironment(t, files, map[string]string{"MATOMO_DATABASE_HOST": "other"})
		if got := c.Database().Host; got != "db" || c.Variables() != nil {
			t.Errorf("%s: host %s, %v", name, got, c.Variables())
		}
	}
}

// What Matomo reads from the files, before or beside the plugin, stays.
func TestVariablesDoNotReachReadersOfTheFiles(t *testing.T) {
	c := withEnvironment(t, map[string]string{
		"config/config.ini.php": activePlugin + "[TrackingSpamPrevention]\niprange_allowlist[] = 10.0.0.0/8\n" +
			"[PluginsInstalled]\nPluginsInstalled[] = Goals\nPluginsInstalled[] = EnvironmentVariables\n",
		pluginContainer: "<?php",
	}, map[string]string{
		"MATOMO_TRACKINGSPAMPREVENTION_IPRANGE_ALLOWLIST": "x",
		"MATOMO_PLUGINSINSTALLED_PLUGINSINSTALLED":        "x",
	})
	s, err := c.spamPrevention(nil)
	if err != nil || len(s.AllowedIPs) != 1 {
		t.Errorf("%+v %v", s, err)
	}
	if len(c.Misfits()) > 0 || !c.Plugins().Active("Goals") {
		t.Errorf("%+v, plugins %v", c.Misfits(), c.Plugins().Names())
	}
}
