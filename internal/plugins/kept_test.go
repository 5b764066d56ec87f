package plugins

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// keeping is an installation whose answer is kept in a folder.
func keeping(t *testing.T) (c *matomo.Config, o Options, starts *int) {
	t.Helper()
	c = install(t, map[string]string{
		"core/bootstrap.php":      miniature(t, "Piwik"),
		"plugins/Any/Any.php":     main("Any", "Tracker.setVisitorIp")["Any.php"],
		"plugins/Any/plugin.json": `{"version": "1.0.0"}`,
	}, "Any")
	o, starts = asking(t)
	o.Keep, o.Release = []string{t.TempDir()}, "1.0"
	return c, o, starts
}

// answering is a program in PHP's place that has only one answer, for tests that ask often and are not about PHP.
func answering(t *testing.T, o *Options, starts *int) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "php")
	write(t, path, `#!/bin/sh
echo '{"matomo":"5.1.2","php":"8.2","loaded":["Any"],"parts":[{"owner":"Any","kind":"event","name":"Tracker.setVisitorIp"}]}' >&3
`)
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	o.FindPHP = func(context.Context) (string, error) { *starts++; return path, nil }
}

func TestAnswerIsKept(t *testing.T) {
	c, o, starts := keeping(t)
	first := judge(t, c, o)
	if second := judge(t, c, o); *starts != 1 || !cmp.Equal(first, second) || !second.AskedPHP {
		t.Errorf("asked %d times: %s", *starts, cmp.Diff(first, second))
	}
	o.Fresh = true
	if judge(t, c, o); *starts != 2 {
		t.Error("a fresh answer was wanted")
	}
	info, err := os.Stat(filepath.Join(o.Keep[0], fileName(c)))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if files, _ := filepath.Glob(o.Keep[0] + "/*"); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
}

// Whatever an answer depends on makes it be asked for again.
func TestKeptAnswerEnds(t *testing.T) {
	touch := func(name string) func(*testing.T, *matomo.Config, *Options) {
		return func(t *testing.T, c *matomo.Config, _ *Options) {
			write(t, filepath.Join(c.Dir(), filepath.FromSlash(name)), "<?php // another text\n")
		}
	}
	later := func(by time.Duration) func(*testing.T, *matomo.Config, *Options) {
		return func(_ *testing.T, _ *matomo.Config, o *Options) {
			then := o.Clock().Add(by)
			o.Clock = func() time.Time { return then }
		}
	}
	spoil := func(change func(path string) error) func(*testing.T, *matomo.Config, *Options) {
		return func(t *testing.T, c *matomo.Config, o *Options) {
			if err := change(filepath.Join(o.Keep[0], fileName(c))); err != nil {
				t.Fatal(err)
			}
		}
	}
	rewrite := func(change func(text string) string) func(*testing.T, *matomo.Config, *Options) {
		return spoil(func(path string) error {
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			return os.WriteFile(path, []byte(change(string(text))), 0o600)
		})
	}
	for name, c := range map[string]struct {
		change func(*testing.T, *matomo.Config, *Options)
		asked  bool
	}{
		"nothing":                {func(*testing.T, *matomo.Config, *Options) {}, false},
		"an hour":                {later(time.Hour), false},
		"two days":               {later(48 * time.Hour), true},
		"the clock was put back": {later(-time.Hour), true},
		"configuration": {func(t *testing.T, c *matomo.Config, _ *Options) {
			write(t, filepath.Join(c.Dir(), "config/config.ini.php"), iniFile([]string{"Any"})+"; more")
		}, true},
		"global.ini.php": {touch("config/global.ini.php"), true},
		"config.php":     {touch("config/config.php"), true},
		"bootstrap.php":  {touch("bootstrap.php"), true},
		"Version.php":    {touch("core/Version.php"), true},
		"plugin.json":    {touch("plugins/Any/plugin.json"), true},
		"main class": {func(t *testing.T, c *matomo.Config, _ *Options) {
			write(t, filepath.Join(c.Dir(), "plugins/Any/Any.php"), main("Any", "Tracker.isExcludedVisit")["Any.php"])
		}, true},
		"a new column":     {touch("plugins/Any/Columns/New.php"), true},
		"plugin's config":  {touch("plugins/Any/config/tracker.php"), true},
		"a variable":       {func(t *testing.T, _ *matomo.Config, _ *Options) { t.Setenv("MATOMO_GENERAL_SALT", "x") }, true},
		"another variable": {func(t *testing.T, _ *matomo.Config, _ *Options) { t.Setenv("OTHER", "x") }, false},
		"this program":     {func(_ *testing.T, _ *matomo.Config, o *Options) { o.Release = "1.1" }, true},
		"PHP": {func(t *testing.T, _ *matomo.Config, o *Options) {
			php, _ := o.FindPHP(t.Context())
			text, err := os.ReadFile(php)
			if err != nil {
				t.Fatal(err)
			}
			write(t, php, string(text)+"# newer")
		}, true},
		"search for PHP":   {func(_ *testing.T, _ *matomo.Config, o *Options) { o.Search = "elsewhere" }, true},
		"half of the file": {rewrite(func(text string) string { return text[:len(text)/2] }), true},
		"nothing in it":    {rewrite(func(string) string { return "" }), true},
		"null":             {rewrite(func(string) string { return "null" }), true},
		"poison":           {rewrite(func(text string) string { return strings.Replace(text, "Tracker.setVisitorIp", "Tracker.end", 1) }), true},
		"others may write": {spoil(func(path string) error { return os.Chmod(path, 0o666) }), true},
		"somebody else's":  {spoil(func(path string) error { return os.Chown(path, 65534, 65534) }), true},
		"a link": {spoil(func(path string) error {
			if err := os.Rename(path, path+".real"); err != nil {
				return err
			}
			return os.Symlink(path+".real", path)
		}), true},
	} {
		t.Run(name, func(t *testing.T) {
			config, o, starts := keeping(t)
			if name == "somebody else's" && os.Geteuid() != 0 {
				t.Skip("only root can give files away")
			}
			answering(t, &o, starts)
			judge(t, config, o)
			c.change(t, config, &o)
			j := judge(t, load(t, config.Dir(), "5.1.2", nil), o)
			if name == "PHP" {
				*starts-- // the test's own look
			}
			if asked := *starts == 2; asked != c.asked {
				t.Errorf("asked again: %v, want %v", asked, c.asked)
			}
			if !j.AskedPHP || j.NeedPHP() == nil {
				t.Errorf("%+v", j)
			}
		})
	}
}

// That PHP fails is kept, too, but for minutes: it may have been the machine.
func TestFailureIsKeptForMinutes(t *testing.T) {
	c, o, starts := keeping(t)
	write(t, filepath.Join(c.Dir(), "core/bootstrap.php"), "<?php exit(1);")
	for range 2 {
		if j := judge(t, c, o); j.AskedPHP || !strings.Contains(j.Unasked, "cannot start Matomo") ||
			len(j.NeedPHP()) != 1 {
			t.Errorf("%+v", j)
		}
	}
	if *starts != 1 {
		t.Errorf("asked %d times", *starts)
	}
	then := o.Clock().Add(11 * time.Minute)
	o.Clock = func() time.Time { return then }
	if judge(t, c, o); *starts != 2 {
		t.Errorf("asked %d times after eleven minutes", *starts)
	}
}

// A folder that cannot be written to is passed over; where none can be PHP is asked each time.
func TestAnswerIsKeptWhereItCanBe(t *testing.T) {
	c, o, starts := keeping(t)
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "")
	good := filepath.Join(t.TempDir(), cacheFolder)
	answering(t, &o, starts)
	o.Keep = []string{"/nowhere", file, good}
	judge(t, c, o)
	if judge(t, c, o); *starts != 1 {
		t.Errorf("asked %d times", *starts)
	}
	if info, err := os.Stat(good); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", info, err)
	}
	o.Keep = []string{"/nowhere", file}
	judge(t, c, o)
	if judge(t, c, o); *starts != 3 {
		t.Errorf("asked %d times", *starts)
	}
}

func TestKeepIn(t *testing.T) {
	c := install(t, nil)
	for _, test := range []struct {
		env  map[string]string
		want []string
	}{
		{nil, nil},
		{map[string]string{"HOME": "/home/m"}, []string{"/home/m/.cache/queuedtracking"}},
		{map[string]string{"HOME": "relative", "XDG_CACHE_HOME": "/cache"}, []string{"/cache/queuedtracking"}},
		{
			map[string]string{"CACHE_DIRECTORY": "/var/cache/q", "XDG_CACHE_HOME": "/cache", "HOME": "/h"},
			[]string{"/var/cache/q", "/cache/queuedtracking", "/h/.cache/queuedtracking"},
		},
	} {
		got := KeepIn(c, func(name string) (string, bool) { v, ok := test.env[name]; return v, ok })
		if diff := cmp.Diff(append(test.want, filepath.Join(c.Dir(), "tmp")), got); diff != "" {
			t.Errorf("%v: %s", test.env, diff)
		}
	}
}
