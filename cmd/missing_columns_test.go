package cmd

import (
	"strings"
	"testing"
)

func TestMissingColumnIsToldOnceAtTheStart(t *testing.T) {
	i := newInstallation(t)
	i.db.MustExec("ALTER TABLE matomo_log_visit DROP COLUMN config_os_version")
	i.add(t, pageView("a"), 1)
	r := i.ok(t, "process", "--force-num-requests-process-at-once", "1")
	contains(t, r.stderr, "columns are missing",
		"log_visit.config_os_version (plugin DevicesDetection)", "./console core:update")
	if n := strings.Count(r.stderr, "config_os_version"); n != 1 {
		t.Errorf("told %d times:\n%s", n, r.stderr)
	}
	contains(t, r.stdout, "Tracked: 1 of 1")
	i.db.MustExec("ALTER TABLE matomo_log_visit ADD COLUMN config_os_version varchar(100)")
	lacks(t, i.ok(t, "process").stderr, "columns are missing")
	contains(t, i.ok(t, "test").stdout, "ok       columns")
}
