package matomo

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
)

// TestReferenceInstallation reads the installation that the golden cases were recorded with.
func TestReferenceInstallation(t *testing.T) {
	folder := filepath.Join("..", "..", "..", "shared", "golden", "install")
	text, err := os.ReadFile(filepath.Join(folder, "config.ini.php"))
	if err != nil {
		t.Skip("the recorded installation is not beside the repository")
	}
	config, err := LoadConfig(writeFiles(t, map[string]string{"config/config.ini.php": string(text)}))
	if err != nil {
		t.Fatal(err)
	}
	server := testserver.MariaDB(t)
	d := config.Database()
	d.Socket, d.Name = server.Socket, server.CreateDatabase(t)
	db, err := d.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // fixtures.sql sets the session's sql_mode
	for _, name := range []string{"schema.sql", "fixtures.sql"} {
		script, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		for statement := range strings.SplitSeq(string(script), ";\n") {
			if strings.TrimSpace(statement) != "" {
				mustExec(t, db, statement)
			}
		}
	}
	ctx := context.Background()
	i, err := Open(ctx, config, db, newClock().Now, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if warning, err := CheckVersion(i.Version(), false); warning != "" || err != nil {
		t.Errorf("version %s: %s, %v", i.Version(), warning, err)
	}
	for _, name := range i.Plugins().Names() {
		if standing := i.Config().Knows(name).Standing; standing != Quiet && standing != Native {
			t.Errorf("plugin %s: %v", name, standing)
		}
	}
	settings, err := i.QueueSettings(ctx)
	want := DefaultQueueSettings()
	want.RedisPort, want.RedisDatabase, want.Enabled, want.ProcessDuringTrackingRequest = "6379", 15, true, false
	if diff := cmp.Diff(want, settings); err != nil || diff != "" {
		t.Errorf("%v, %s", err, diff)
	}
	if err := i.LoadSites(ctx, 1, 2, 3, 4, 5, 6); err != nil {
		t.Fatal(err)
	}
	salt := config.Tracker(0).Salt
	for _, token := range []struct {
		token     string
		mayTrack  []int64
		superuser bool
	}{
		{"a1b2c3d4e5f60718293a4b5c6d7e8f90", nil, true},
		{"b1b2c3d4e5f60718293a4b5c6d7e8f91", nil, false}, // for secure requests only
		{"c1b2c3d4e5f60718293a4b5c6d7e8f92", []int64{1}, false},
		{"d1b2c3d4e5f60718293a4b5c6d7e8f93", nil, false},
		{"e1b2c3d4e5f60718293a4b5c6d7e8f94", []int64{2}, false},
	} {
		hash := TokenHash(token.token, salt)
		var mayTrack []int64
		for id := int64(1); id <= 6; id++ {
			site, err := i.Site(ctx, id)
			if err != nil {
				t.Fatal(err)
			}
			if site.MayTrack(hash) {
				mayTrack = append(mayTrack, id)
			}
		}
		superuser, err := i.SuperuserToken(ctx, db, hash, false)
		if err != nil || superuser != token.superuser || !cmp.Equal(mayTrack, token.mayTrack) {
			t.Errorf("%s: superuser %v, sites %v, %v", token.token, superuser, mayTrack, err)
		}
	}
	one, _ := i.Site(ctx, 1)
	two, _ := i.Site(ctx, 2)
	if len(one.Goals) != 13 || one.Goals[10].Revenue != "7.77" || one.Goals[2].Pattern != `/goal/re[0-9]+\.html` {
		t.Errorf("goals of site 1: %+v", one.Goals)
	}
	if len(two.Dimensions) != 5 ||
		!cmp.Equal(two.Dimensions[3].Extractions, []Extraction{{"url", "/category/([^/?#]+)"}}) {
		t.Errorf("dimensions of site 2: %+v", two.Dimensions)
	}
}
