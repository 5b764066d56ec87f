package cmd

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// useEnvironmentPlugin takes the database out of this program's variables and puts it into Matomo's.
func (i *installation) useEnvironmentPlugin(t *testing.T) {
	t.Helper()
	i.write(t, "plugins/EnvironmentVariables/config/config.php", "<?php")
	i.reconfigure(t, "[Plugins]", "[Plugins]\nPlugins[] = \"EnvironmentVariables\"")
	for _, name := range []string{"HOST", "PORT"} {
		i.env["MATOMO_DATABASE_"+name] = i.env["QUEUEDTRACKING_DB_"+name]
		delete(i.env, "QUEUEDTRACKING_DB_"+name)
	}
	i.env["MATOMO_DATABASE_DBNAME"] = i.env["QUEUEDTRACKING_DB_NAME"]
	delete(i.env, "QUEUEDTRACKING_DB_NAME")
	i.configure(t, "[QueuedTracking]\nnumRequestsToProcess = \"\"")
	i.env["MATOMO_QUEUEDTRACKING_NUMREQUESTSTOPROCESS"] = "1"
}

func TestEnvironmentVariablesCountInEveryCommand(t *testing.T) {
	i := newInstallation(t)
	i.useEnvironmentPlugin(t)
	i.add(t, pageView("a"), 1)
	contains(t, i.ok(t, "process").stdout, "Tracked: 1 of 1 request ")
	contains(t, i.ok(t, "test").stdout, "environment", "MATOMO_DATABASE_DBNAME", "QUEUEDTRACKING_REDIS_HOST",
		"Everything that is needed works.")
	for _, command := range []string{"lock-status", "print-queued-requests", "failed list", "monitor --iterations 1"} {
		i.ok(t, strings.Fields(command)...)
	}
	s := startServe(t, i.dir, i.env)
	if status, _ := s.get(t, "/matomo.php?idsite=1&rec=1"); status != 200 || i.waiting(t) != 1 {
		t.Errorf("status %d, %d sets wait", status, i.waiting(t))
	}
	i.env["QUEUEDTRACKING_DB_NAME"] = "nowhere" // this program's own variables come before
	if r := i.run(t, []string{"process"}); !strings.Contains(r.stderr,
		"check dbname in the variable QUEUEDTRACKING_DB_NAME") {
		t.Error(r.stderr)
	}
}

// A wrong password is looked for where it came from.
func TestWrongPasswordsAreTracedToTheirPlace(t *testing.T) {
	i := newInstallation(t)
	i.useEnvironmentPlugin(t)
	i.reconfigure(t, `username = "root"`, `username = "nobody"`)
	inFile := "section [database] of config/config.ini.php"
	for _, test := range []struct{ variable, flag, want string }{
		{"", "", "check username and password in " + inFile +
			"; plugin EnvironmentVariables is active, and this program was started without " +
			"MATOMO_DATABASE_USERNAME and MATOMO_DATABASE_PASSWORD"},
		{"MATOMO_DATABASE_PASSWORD", "", "check username in " + inFile +
			", password in the variable MATOMO_DATABASE_PASSWORD (plugin EnvironmentVariables)"},
		{"QUEUEDTRACKING_DB_PASSWORD", "", "check username in " + inFile +
			", password in the variable QUEUEDTRACKING_DB_PASSWORD"},
		{"", "--db-password=wr-ong", "check username in " + inFile + ", password in --db-password"},
	} {
		args := []string{"process"}
		if test.flag != "" {
			args = append(args, test.flag)
		}
		if test.variable != "" {
			i.env[test.variable] = "wr-ong"
		}
		r := i.run(t, args)
		if r.status != statusFailed {
			t.Errorf("exit status %d", r.status)
		}
		contains(t, r.stderr, "wrong password or user", test.want)
		lacks(t, r.stderr, "wr-ong")
		delete(i.env, test.variable)
	}
}

func TestInstallationsThatShareADirectory(t *testing.T) {
	i := newInstallation(t)
	const host = "stats.example.org"
	config := filepath.Join(i.dir, "config", "config.ini.php")
	if err := os.Rename(config, filepath.Join(i.dir, "config", host+".config.ini.php")); err != nil {
		t.Fatal(err)
	}
	r := i.run(t, []string{"process"})
	if r.status != statusFailed {
		t.Errorf("exit status %d", r.status)
	}
	contains(t, r.stderr, "say which one with --matomo-domain or MATOMO_DOMAIN: "+host)
	for _, domain := range []string{host, "https://" + host + "/matomo/"} {
		i.ok(t, "process", "--matomo-domain", domain)
		i.ok(t, "lock-status", "--matomo-domain="+domain)
	}
	i.env["MATOMO_DOMAIN"] = host
	i.ok(t, "process")
	s := startServe(t, i.dir, i.env)
	if status, _ := s.get(t, "/matomo.php?idsite=1&rec=1"); status != 200 {
		t.Errorf("status %d", status)
	}
	for _, domain := range []string{"../../etc", "/etc/matomo", "a b", `..\x`} {
		r := i.run(t, []string{"process", "--matomo-domain", domain})
		if r.status != statusUsage || !strings.Contains(r.stderr, "is no host name such as") {
			t.Errorf("%s: exit status %d: %s", domain, r.status, r.stderr)
		}
	}

	// Without a file of its own a host has that of all: Matomo does the same, but says nothing.
	i.write(t, "config/config.ini.php", fmt.Sprintf("[database]\nhost = 127.0.0.1\ndbname = \"%s\"\nusername = root\ntables_prefix = matomo_\n"+
		"[Plugins]\nPlugins[] = CoreHome\n", i.env["QUEUEDTRACKING_DB_NAME"]))
	contains(t, i.ok(t, "lock-status", "--matomo-domain", "other.example.org").stderr,
		"no configuration file of its own for other.example.org", host)
}

func TestTestNamesVariablesWithoutEffect(t *testing.T) {
	i := newInstallation(t)
	i.useEnvironmentPlugin(t)
	i.env["MATOMO_QUEUEDTRACKING_REDISHOST"] = "redis.example.org"
	contains(t, i.ok(t, "test").stdout, "MATOMO_QUEUEDTRACKING_REDISHOST", "has no effect",
		"-> add the setting, with an empty value")
	i.configure(t, "redisHost = \"\"") // into [QueuedTracking]
	lacks(t, i.ok(t, "test").stdout, "has no effect")
}

func TestTestNamesSettingsThatMatomoIgnores(t *testing.T) {
	i := newInstallation(t)
	i.reconfigure(t, "[General]", "[General]\nproxy_client_headers = \"HTTP_X_FORWARDED_FOR\"")
	contains(t, i.ok(t, "test").stdout, "[General] proxy_client_headers", "is no list: Matomo ignores it",
		"-> write a line proxy_client_headers[] = …")
}
