package phpchild_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/demo"
	"github.com/queuedtracking/queuedtracking/internal/phpchild"
	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/tracker/store"
)

func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }

// miniature makes the Matomo of testdata/php and its option table.
func miniature(t *testing.T) (dir string, db *sqlx.DB) {
	t.Helper()
	dir = t.TempDir()
	if err := demo.CopyFolder(os.DirFS("../../testdata/php"), "matomo", dir); err != nil {
		t.Fatal(err)
	}
	maria := testserver.MariaDB(t)
	db = maria.NewDatabase(t)
	var name string
	if err := db.Get(&name, "SELECT DATABASE()"); err != nil {
		t.Fatal(err)
	}
	db.MustExec("CREATE TABLE matomo_option (option_name varchar(191) PRIMARY KEY, option_value longtext, " +
		"autoload tinyint)")
	config := fmt.Sprintf("[database]\nunix_socket = %q\nusername = \"root\"\npassword = \"\"\ndbname = %q\n",
		maria.Socket, name)
	if err := os.Mkdir(filepath.Join(dir, "config"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config", "config.ini.php"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir, db
}

func start(t *testing.T, dir string) *phpchild.Child {
	t.Helper()
	want := phpchild.Wanted{Binary: testserver.PHP(t), Matomo: "5.1.2"}
	c, notes, err := phpchild.Find(t.Context(), phpchild.Options{Dir: dir}, want)
	if err != nil || len(notes) != 0 {
		t.Fatalf("%v, %v", err, notes)
	}
	t.Cleanup(c.Kill)
	return c
}

func TestChildSaysHello(t *testing.T) {
	dir, _ := miniature(t)
	hello := start(t, dir).Hello()
	if hello.SAPI != "cli" || hello.Matomo != "5.1.2" || !slices.Contains(hello.Plugins, "Nasty") {
		t.Errorf("hello %+v", hello)
	}
}

// Matomo's classes are about to be renamed.
func TestOtherNamespace(t *testing.T) {
	dir, _ := miniature(t)
	err := filepath.WalkDir(dir, func(file string, entry fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(file) != ".php" || strings.Contains(file, "config") {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		renamed := strings.NewReplacer(`Piwik\`, `Matomo\`, "namespace Piwik", "namespace Matomo").Replace(string(text))
		return os.WriteFile(file, []byte(renamed), 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, dir)
	if _, err := c.Begin(t.Context(), ""); err != nil {
		t.Error(err)
	}
	if err := c.End(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAnotherMatomoIsRefused(t *testing.T) {
	dir, _ := miniature(t)
	want := phpchild.Wanted{Binary: testserver.PHP(t), Matomo: "5.2.0"}
	_, _, err := phpchild.Find(t.Context(), phpchild.Options{Dir: dir}, want)
	if err == nil || !strings.Contains(err.Error(), "it runs Matomo 5.1.2") {
		t.Errorf("error %v, want one of the version", err)
	}
}

func TestMatomoThatDoesNotStart(t *testing.T) {
	for name, test := range map[string]struct{ file, text, want string }{
		"a missing class": {"core/framework.php", "<?php\n", "this Matomo has no class"},
		"bad syntax":      {"core/framework.php", "<?php\nfunction {\n", "syntax error"},
		"an exit":         {"core/framework.php", "<?php\nexit(0);\n", "the script was ended (exit or die)"},
		"a missing file":  {"core/framework.php", "<?php\nrequire 'not-there.php';\n", "not-there.php"},
	} {
		t.Run(name, func(t *testing.T) {
			dir, _ := miniature(t)
			if err := os.WriteFile(filepath.Join(dir, test.file), []byte(test.text), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := phpchild.Start(t.Context(), phpchild.Options{Dir: dir, Binary: testserver.PHP(t)})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// A database that is away is not the fault of a PHP.
func TestDatabaseAwayAtStart(t *testing.T) {
	dir, _ := miniature(t)
	config := "[database]\nunix_socket = \"/there/is/none\"\nusername = \"root\"\npassword = \"\"\ndbname = \"x\"\n"
	if err := os.WriteFile(filepath.Join(dir, "config", "config.ini.php"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	_, _, err := phpchild.Find(t.Context(), phpchild.Options{Dir: dir}, phpchild.Wanted{Binary: testserver.PHP(t)})
	if !store.IsConnectionLost(err) {
		t.Errorf("error %v, want one of a lost connection", err)
	}
}

func TestCheckpointTravelsAndIsGuarded(t *testing.T) {
	dir, db := miniature(t)
	c := start(t, dir)
	const option = "QueuedTracking.replayed.list"
	begun, err := c.Begin(t.Context(), option)
	if err != nil || !begun.Missing {
		t.Fatalf("%+v, %v, want a missing option", begun, err)
	}
	if err := c.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	old := "17 \x00ü'\"\\"
	db.MustExec("INSERT INTO matomo_option VALUES (?, ?, 0)", option, old)
	begun, err = c.Begin(t.Context(), option)
	if err != nil || begun.Checkpoint != old || begun.Connection == 0 || begun.Marked {
		t.Fatalf("%+v, %v, want %q", begun, err, old)
	}
	if err := c.CommitMoved(t.Context(), "16 other", "18"); !errors.Is(err, store.ErrCheckpointMoved) {
		t.Errorf("error %v, want %v", err, store.ErrCheckpointMoved)
	}
	if err := c.CommitMoved(t.Context(), old, "18 new"); err != nil {
		t.Fatal(err)
	}
	var value string
	err = db.Get(&value, "SELECT CONCAT(option_value, '/', autoload) FROM matomo_option")
	if err != nil || value != "18 new/0" {
		t.Errorf("option %q, %v, want the new checkpoint", value, err)
	}
}

func TestStatementsTakeBytesAndErrorsLeaveTheChild(t *testing.T) {
	dir, db := miniature(t)
	db.MustExec("CREATE TABLE bytes (id INT, b LONGBLOB)")
	c := start(t, dir)
	if _, err := c.Begin(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	all := make([]byte, 0, 256*1024)
	for i := range cap(all) {
		all = append(all, byte(i))
	}
	n, err := c.Exec(t.Context(), "INSERT INTO bytes VALUES (?, ?), (?, ?)", 1, all, int64(2), "text")
	if err != nil || n != 2 {
		t.Fatalf("%d rows, %v, want 2", n, err)
	}
	_, err = c.Exec(t.Context(), "INSERT INTO not_there VALUES (1)")
	if err == nil || strings.Contains(err.Error(), "INSERT") {
		t.Errorf("error %v, want one without the statement", err)
	}
	if err := c.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	var got []byte
	if err := db.Get(&got, "SELECT b FROM bytes WHERE id = 1"); err != nil || !slices.Equal(got, all) {
		t.Errorf("%d bytes, %v, want the same %d", len(got), err, len(all))
	}
}

func TestCancelledWorkEndsTheChild(t *testing.T) {
	dir, db := miniature(t)
	c := start(t, dir)
	db.MustExec("INSERT INTO matomo_option VALUES ('locked', '', 0)")
	tx := db.MustBegin()
	defer tx.Rollback()
	tx.MustExec("UPDATE matomo_option SET option_value = 'x'")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := c.Begin(ctx, "locked"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v, want %v", err, context.DeadlineExceeded)
	}
	c.Wait()
	if c.Usable() {
		t.Error("the child still is of use")
	}
}

// Opcache ends PHP where it cannot start.
func TestStartsWithoutOpcacheToo(t *testing.T) {
	dir, _ := miniature(t)
	php := filepath.Join(t.TempDir(), "php")
	script := "#!/bin/sh\ncase \"$*\" in *opcache.enable_cli*) exit 254 ;; esac\nexec " + testserver.PHP(t) + " \"$@\"\n"
	if err := os.WriteFile(php, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := phpchild.Start(t.Context(), phpchild.Options{Dir: dir, Binary: php})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	if got := c.Hello().Matomo; got != "5.1.2" {
		t.Errorf("Matomo %q, want 5.1.2", got)
	}
}
