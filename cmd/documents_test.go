package cmd

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/queuedtracking/queuedtracking/queue"
)

// document is a text that tells people what to type.
type document struct{ name, text string }

// documents are README, docs, the units that packages have and all help texts.
func documents(t *testing.T) (all []document) {
	t.Helper()
	for _, folder := range []string{"../docs", "../packaging/systemd"} {
		err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				all = append(all, readDocument(t, path))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	all = append(all, readDocument(t, "../README.md"))
	p := newProgram(nil)
	p.logs = newLogger(p.stderr)
	everyCommand(p.rootCommand(), func(c *cobra.Command) {
		all = append(all, document{c.CommandPath() + " --help", c.Long + "\n" + c.Example})
	})
	return all
}

func readDocument(t *testing.T, path string) document {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return document{strings.TrimPrefix(path, "../"), string(text)}
}

// installed is where README tells to put the binary, packaged where packages put it.
const (
	installed = "/usr/local/bin/queuedtracking"
	packaged  = "/usr/bin/queuedtracking"
)

var (
	crontabLine     = regexp.MustCompile(`(?m)^\s*(?:[\d*/,-]+\s+){5}(\S.*)$`)
	crontabVariable = regexp.MustCompile(`(?m)^ +([A-Z_]+)=(\S+)$`)
	startLine       = regexp.MustCompile(`(?m)^\s*(?:Exec\w+|command)=[-+!@:]*(\S+)`)
	foreignPath     = regexp.MustCompile(`/(?:usr/local|usr/bin|var|run|srv|etc)/[\w./-]+`)
)

func TestReadmeInstallsWhereTheDocumentsLook(t *testing.T) {
	readme := readDocument(t, "../README.md")
	if !regexp.MustCompile(`(?m)^ +install -m 755 \S+ ` + installed + `\b`).MatchString(readme.text) {
		t.Error("README does not tell to install the program at " + installed)
	}
}

// cron and service managers know no PATH that somebody has set in a shell.
func TestCrontabLinesWorkAsCronRunsThem(t *testing.T) {
	i := newInstallation(t)
	i.writeSettings(t)
	root := newRoot(t, i.dir)
	found := 0
	for _, d := range documents(t) {
		for _, match := range crontabLine.FindAllStringSubmatch(d.text, -1) {
			line := match[1]
			if strings.Contains(line, "./console") {
				continue // Matomo's own
			}
			found++
			i.fill(t, 200, 1)
			cron := exec.Command("/bin/sh", "-c", root.move(t, line))
			cron.Env = []string{"PATH=/usr/bin:/bin", "SHELL=/bin/sh", "HOME=" + t.TempDir(), "LOGNAME=www-data"}
			for _, variable := range crontabVariable.FindAllStringSubmatch(d.text, -1) { // a crontab may set some
				cron.Env = append(cron.Env, variable[1]+"="+root.move(t, variable[2]))
			}
			if out, err := cron.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s: %s: %v\n%s", d.name, line, err, out)
			}
			if n := i.waiting(t); n >= 25 {
				t.Errorf("%s: %s: %d request sets are left", d.name, line, n)
			}
			if _, err := i.backend.Delete(context.Background(), queue.Key(0)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if found < 2 {
		t.Errorf("%d lines of crontabs found in README, docs and help texts", found)
	}
}

func TestServicesAreStartedByTheirWholePath(t *testing.T) {
	found := 0
	for _, d := range documents(t) {
		want := []string{installed, packaged}
		if strings.HasPrefix(d.name, "packaging/") {
			want = []string{packaged}
		}
		for _, match := range startLine.FindAllStringSubmatch(d.text, -1) {
			found++
			if program := match[1]; !filepath.IsAbs(program) || filepath.Base(program) == "queuedtracking" &&
				!slices.Contains(want, program) {
				t.Errorf("%s starts %s, want one of %v", d.name, program, want)
			}
		}
	}
	if found < 3 {
		t.Errorf("%d services found", found)
	}
}

func TestUnitsAreCorrect(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Fatal("no systemd-analyze: install package systemd (scripts/install-servers.sh does)")
	}
	root := newRoot(t, t.TempDir())
	found := 0
	for _, d := range documents(t) {
		if strings.HasPrefix(d.name, "packaging/") {
			continue // they name each other: internal/dist verifies them as the package installs them
		}
		for n, unit := range units(d.text) {
			if !strings.Contains(unit, "ExecStart=") {
				continue // lines for a unit that stands elsewhere
			}
			found++
			file := filepath.Join(t.TempDir(), "queuedtracking"+strconv.Itoa(n)+".service")
			if err := os.WriteFile(file, []byte(root.move(t, unit)), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(analyze, "verify", file).CombinedOutput()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			if strings.Contains(string(out), file) || err != nil {
				t.Errorf("%s: %v\n%s\n%s", d.name, err, out, unit)
			}
		}
	}
	if found < 1 {
		t.Errorf("%d units found in README, docs and help texts", found)
	}
}

// units are the systemd units of a text: lines from the first section on, as far as they are indented alike.
func units(text string) (found []string) {
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		first := strings.TrimSpace(lines[i])
		if first != "[Unit]" && first != "[Service]" {
			continue
		}
		indent := lines[i][:strings.Index(lines[i], "[")]
		var unit []string
		for ; i < len(lines) && strings.HasPrefix(lines[i], indent) && lines[i] != "```" || i < len(lines) && lines[i] == ""; i++ {
			unit = append(unit, strings.TrimPrefix(lines[i], indent))
		}
		found = append(found, strings.Join(unit, "\n"))
	}
	return found
}

// root is a folder that stands for / in commands of documents: the program and a Matomo are in it.
type root string

func newRoot(t *testing.T, matomo string) root {
	t.Helper()
	program, err := exec.LookPath("queuedtracking") // testscript.Main has put it there
	if err != nil {
		t.Fatal(err)
	}
	r := root(t.TempDir())
	for path, target := range map[string]string{installed: program, packaged: program, "/var/www/matomo": matomo} {
		link := filepath.Join(string(r), path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(link), 0o755), os.Symlink(target, link)); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// move makes paths of a command those below the root, and folders for files that the command writes.
func (r root) move(t *testing.T, command string) string {
	t.Helper()
	return foreignPath.ReplaceAllStringFunc(command, func(path string) string {
		moved := filepath.Join(string(r), path)
		if err := os.MkdirAll(filepath.Dir(moved), 0o755); err != nil {
			t.Fatal(err)
		}
		return moved
	})
}

// writeSettings puts what tests keep in the environment into config.ini.php.
func (i *installation) writeSettings(t *testing.T) {
	t.Helper()
	v := func(name string) string { return strconv.Quote(i.env["QUEUEDTRACKING_"+name]) }
	i.configure(t, "[database]\nusername = root\ntables_prefix = matomo_\ncharset = utf8mb4"+
		"\nhost = "+v("DB_HOST")+"\nport = "+v("DB_PORT")+"\ndbname = "+v("DB_NAME")+
		"\n[QueuedTracking]\nnumQueueWorkers = 1"+
		"\nredisHost = "+v("REDIS_HOST")+"\nredisPort = "+v("REDIS_PORT")+"\nredisDatabase = "+v("REDIS_DATABASE"))
}

var (
	requirement = regexp.MustCompile(`(?m)^\s+(\S+) v\S+$`)
	major       = regexp.MustCompile(`/v\d+$`)
	quoted      = regexp.MustCompile("`([^`]+)`")
)

func TestContributingNamesTheDependencies(t *testing.T) {
	contributing, mod := readDocument(t, "../CONTRIBUTING.md"), readDocument(t, "../go.mod")
	_, text, ok := strings.Cut(contributing.text, "Dependencies and why:")
	if !ok {
		t.Fatal("CONTRIBUTING.md names no dependencies")
	}
	text, _, _ = strings.Cut(text, "\n\n")
	named := make(map[string]bool)
	for _, match := range quoted.FindAllStringSubmatch(text, -1) {
		named[match[1]] = true
	}
	for _, match := range requirement.FindAllStringSubmatch(mod.text, -1) { // those that are not indirect
		name := major.ReplaceAllString(strings.TrimPrefix(match[1], "github.com/"), "")
		if !named[name] {
			t.Errorf("CONTRIBUTING.md does not name %s, which go.mod requires", name)
		}
		delete(named, name)
	}
	for name := range named {
		t.Errorf("CONTRIBUTING.md names %s, which go.mod does not require", name)
	}
}

// docs/settings.md has every setting, by its flag, and no other.
func TestSettingsDocumentHasEveryFlag(t *testing.T) {
	named := make(map[string]bool)
	for line := range strings.Lines(readDocument(t, "../docs/settings.md").text) {
		cells := strings.Split(line, " | ")
		if !strings.HasPrefix(line, "| `--") || len(cells) < 2 {
			continue
		}
		for _, match := range quoted.FindAllStringSubmatch(cells[0], -1) {
			named[match[1]] = true
		}
	}
	for _, o := range newOverrides().all() {
		if !named["--"+o.flag] {
			t.Errorf("docs/settings.md lacks --%s", o.flag)
		}
		delete(named, "--"+o.flag)
	}
	for flag := range named {
		t.Errorf("docs/settings.md has %s, which is no flag of a setting", flag)
	}
}
