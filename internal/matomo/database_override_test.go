package matomo_test

import (
	"testing"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

func TestConfigTakesAnotherDatabase(t *testing.T) {
	config, err := matomo.ParseConfig("", "[database]\ncharset = \"UTF8MB4\"\ntables_prefix = \"a_\"\n")
	if err != nil {
		t.Fatal(err)
	}
	if !config.Tracker(0).CharsetUTF8MB4 {
		t.Error("the case of the character set's name counts")
	}
	database := config.Database()
	database.Prefix, database.Charset = "b_", "utf8"
	changed := config.WithDatabase(database)
	if changed.Database().Prefix != "b_" || changed.Tracker(0).CharsetUTF8MB4 {
		t.Errorf("%+v", changed.Database())
	}
	if config.Database().Prefix != "a_" {
		t.Error("the configuration itself has changed")
	}
}
