package plugins

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// spoiled is an installation with a plugin whose main class runs code when it is loaded.
func spoiled(t *testing.T, code string) (dir string) {
	t.Helper()
	return install(t, map[string]string{
		"core/bootstrap.php": miniature(t, "Piwik"),
		"plugins/Any/Any.php": `<?php namespace Piwik\Plugins\Any; class Any extends \Piwik\Plugin {
			public function registerEvents() { return ['Tracker.setVisitorIp' => 'x']; }
			public function __construct() { ` + code + ` } }`,
	}, "Any").Dir()
}

// What plugins print is no part of the answer, and what they do at the end does not spoil it.
func TestAnswerIsNotSpoiled(t *testing.T) {
	php := phpBinary(t)
	for _, code := range []string{
		"",
		`echo '{"matomo":"x"}'; print_r([1]); fwrite(STDOUT, "out"); fwrite(STDERR, "err"); trigger_error("warning");`,
		`ob_start(); ob_end_clean(); while (ob_get_level()) { ob_end_clean(); }`,
		`register_shutdown_function(function () { exit(3); });`,
		`register_shutdown_function(function () { throw new \Exception("late"); });`,
	} {
		answer, err := run(t.Context(), php, spoiled(t, code), "", nil)
		if err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		if len(answer.of("Any")) != 1 || answer.Matomo != "5.1.2" || answer.PHP == "" {
			t.Errorf("%s: %+v", code, answer)
		}
	}
}

// Where Matomo cannot be started the files are read, and it is said why.
func TestFilesAreReadWherePHPFails(t *testing.T) {
	for code, want := range map[string]string{
		`exit(0);`: "without an answer", `exit(7);`: "exit status 7",
		`throw new \Exception("no such thing");`: "no such thing", `str_repeat('x', 1 << 30);`: "memory size",
		`undefined();`: "undefined", `eval('{');`: "Parse error", `posix_kill(getmypid(), 9);`: "killed",
	} {
		dir := spoiled(t, code)
		o, _ := asking(t)
		j := judge(t, load(t, dir, "5.1.2", nil), o)
		if j.AskedPHP || !strings.Contains(j.Unasked, want) || strings.Contains(j.Unasked, "\n") {
			t.Errorf("%s: asked %v, %q, want %s", code, j.AskedPHP, j.Unasked, want)
		}
		if v := j.Plugins[0]; v.Tracks != PHP || v.FoundBy != Read {
			t.Errorf("%s: %+v", code, v)
		}
	}
}

func TestPHPIsEndedWithItsChildren(t *testing.T) {
	dir := spoiled(
		t,
		`exec('sleep 1000 >/dev/null 2>&1 & echo $!', $out); file_put_contents(PIWIK_DOCUMENT_ROOT . '/pid', $out[0]); sleep(1000);`,
	)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	php := phpBinary(t)
	go func() {
		_, err := run(ctx, php, dir, "", nil)
		done <- err
	}()
	pid := ""
	wait(t, func() bool {
		text, _ := os.ReadFile(filepath.Join(dir, "pid"))
		pid = strings.TrimSpace(string(text))
		return pid != ""
	})
	cancel()
	if err := <-done; err == nil || !strings.Contains(err.Error(), "gave no answer") {
		t.Errorf("%v", err)
	}
	wait(t, func() bool {
		state, err := os.ReadFile("/proc/" + pid + "/stat")
		return err != nil || strings.Contains(string(state), ") Z ")
	})
}

func wait(t *testing.T, until func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !until(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}

// A run that is ended judges nothing.
func TestEndedRunIsAnError(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o, _ := asking(t)
	if _, err := Judge(ctx, load(t, spoiled(t, ""), "5.1.2", nil), o); err == nil {
		t.Error("no error")
	}
}

// Installations that share a folder have files of their own.
func TestHostsConfigurationIsAsked(t *testing.T) {
	c := install(t, map[string]string{
		"core/bootstrap.php":                  miniature(t, "Piwik"),
		"plugins/Any/Any.php":                 main("Any", "Tracker.setVisitorIp")["Any.php"],
		"config/a.example.org.config.ini.php": iniFile([]string{"Any"}),
	}, "Nothing")
	php := phpBinary(t)
	for host, want := range map[string]int{"a.example.org": 1, "": 0} {
		answer, err := run(t.Context(), php, c.Dir(), host, nil)
		if got := 0; err == nil {
			got = len(answer.of("Any"))
			if got != want {
				t.Errorf("%q: %d parts, want %d", host, got, want)
			}
		} else if want > 0 {
			t.Errorf("%q: %v", host, err)
		}
	}
}

// Run by root PHP has no more rights than the user whom Matomo belongs to, and this program's secrets are not told.
func TestPHPHasTheRightsOfMatomosUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give rights up")
	}
	t.Setenv("QUEUEDTRACKING_DB_PASSWORD", "secret")
	t.Setenv("MATOMO_SEEN", "yes")
	dir := spoiled(
		t,
		`fwrite(STDERR, posix_geteuid() . getenv('QUEUEDTRACKING_DB_PASSWORD') . getenv('MATOMO_SEEN')); exit(0);`,
	)
	for path := dir; path != "/" && path != os.TempDir(); path = filepath.Dir(path) {
		if err := os.Chmod(path, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chown(filepath.Join(dir, "config"), 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if _, err := run(t.Context(), phpBinary(t), dir, "", nil); err == nil ||
		!strings.HasSuffix(err.Error(), ": 65534yes") {
		t.Errorf("%v", err)
	}
}

func TestFindPHP(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "php"), "#!/bin/sh\n")
	write(t, filepath.Join(dir, "text"), "")
	if err := os.Chmod(filepath.Join(dir, "php"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ named, setting, path, want, problem string }{
		{"", "", dir, dir + "/php", ""},
		{"", "", "/nowhere:" + dir, dir + "/php", ""},
		{"", "", "/nowhere", "", "no PHP was found"},
		{"", dir + "/php", "/nowhere", dir + "/php", ""},
		{dir + "/php", dir + "/text", "", dir + "/php", ""},
		{dir + "/text", "", dir, "", "is no program"},
		{dir + "/none", "", dir, "", "no such file"},
	} {
		config := install(
			t,
			map[string]string{"config/config.ini.php": "[General]\nphp_binary_path = \"" + c.setting + "\"\n"},
		)
		got, err := FindPHP(config, c.named, c.path)(t.Context())
		if got != c.want || (err == nil) != (c.problem == "") ||
			err != nil && !strings.Contains(err.Error(), c.problem) {
			t.Errorf("%+v: %q, %v", c, got, err)
		}
	}
	if path, err := exec.LookPath("php"); err != nil || path == "" {
		t.Fatal("no php: install the package php-cli")
	}
}
