package cmd

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// withSecret is an installation with a Redis that wants a password.
func withSecret(t *testing.T) *installation {
	t.Helper()
	i := newInstallation(t)
	server := testserver.Redis(t, testserver.WithPassword("pass-word"))
	i.env["QUEUEDTRACKING_REDIS_PORT"], i.env["QUEUEDTRACKING_REDIS_DATABASE"] = port(server), "0"
	return i
}

func writeSecret(t *testing.T, name, text string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestPasswordsComeFromFiles(t *testing.T) {
	i := withSecret(t)
	for _, text := range []string{"pass-word", "pass-word\n", "pass-word\r\n"} {
		i.env["QUEUEDTRACKING_REDIS_PASSWORD_FILE"] = writeSecret(t, "secret", text)
		i.ok(t, "lock-status")
	}
	// only one line end is left out
	i.env["QUEUEDTRACKING_REDIS_PASSWORD_FILE"] = writeSecret(t, "secret", "pass-word\n\n")
	if r := i.run(t, []string{"lock-status"}); r.status != statusFailed {
		t.Errorf("exit status %d with a password that ends with a line end", r.status)
	}
}

func TestPasswordsAreAmongSystemdsCredentials(t *testing.T) {
	i := withSecret(t)
	folder := filepath.Dir(writeSecret(t, "queuedtracking.redis-password", "pass-word\n"))
	i.env["CREDENTIALS_DIRECTORY"] = folder
	i.ok(t, "lock-status")
	contains(t, i.ok(t, "test").stdout, "queuedtracking.redis-password")
	i.env["QUEUEDTRACKING_REDIS_PASSWORD_FILE"] = writeSecret(t, "secret", "wrong") // comes before
	if r := i.run(t, []string{"lock-status"}); r.status != statusFailed {
		t.Errorf("exit status %d", r.status)
	}
	i.ok(t, "lock-status", "--redis-password", "pass-word") // comes first
}

func TestFilesOfSecretsThatCannotBeUsed(t *testing.T) {
	i := withSecret(t)
	empty := writeSecret(t, "secret", "\n")
	for _, test := range []struct {
		env    map[string]string
		status int
		want   string
	}{
		{
			map[string]string{"QUEUEDTRACKING_DB_PASSWORD_FILE": "/nowhere/secret"},
			statusFailed,
			"QUEUEDTRACKING_DB_PASSWORD_FILE: open /nowhere/secret",
		},
		{
			map[string]string{"QUEUEDTRACKING_REDIS_PASSWORD_FILE": empty},
			statusFailed,
			"QUEUEDTRACKING_REDIS_PASSWORD_FILE: " + empty + ": is empty",
		},
		{
			map[string]string{"QUEUEDTRACKING_REDIS_PASSWORD": "pass-word", "QUEUEDTRACKING_REDIS_PASSWORD_FILE": empty},
			statusUsage,
			"QUEUEDTRACKING_REDIS_PASSWORD and QUEUEDTRACKING_REDIS_PASSWORD_FILE are both set",
		},
	} {
		r := i.run(t, []string{"lock-status"}, func(p *program) {
			p.lookupEnv = func(name string) (string, bool) {
				if v, ok := test.env[name]; ok {
					return v, true
				}
				v, ok := i.env[name]
				return v, ok
			}
		})
		if r.status != test.status {
			t.Errorf("%v: exit status %d", test.env, r.status)
		}
		contains(t, r.stderr, test.want)
		lacks(t, r.stderr, "pass-word")
	}
}
