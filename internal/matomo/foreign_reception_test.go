package matomo

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestForeignReceptionPlugins(t *testing.T) {
	c := installed(t, "5.1.2", map[string]string{
		"plugins/XMLTracking/XMLTracking.php":       "<?php return ['Tracker.initRequestSet' => 'x'];",
		"plugins/OtherQueue/OtherQueue.php":         "<?php return [\"Tracker.newHandler\" => 'x'];",
		"plugins/OtherSite/OtherSite.php":           "<?php return ['Tracker.Request.getIdSite' => 'x'];",
		"plugins/Answers/config/tracker.php":        "<?php return [Piwik\\Tracker\\Response::class => 1];",
		"plugins/Answers6/config/config.php":        "<?php return ['Matomo\\Tracker\\RequestSet' => 1];",
		"plugins/Observer/config/tracker.php":       "<?php return ['observers.global' => [['Tracker.newHandler', 'x']]];",
		"plugins/QueuedTracking/QueuedTracking.php": "<?php return ['Tracker.newHandler' => 'x'];",
		"plugins/BulkTracking/BulkTracking.php":     "<?php return ['Tracker.initRequestSet' => 'x'];",

		"plugins/Dimensions/Columns/A.php":      "<?php class A extends VisitDimension {}",
		"plugins/Processors/Tracker/P.php":      "<?php class P extends \\Piwik\\Tracker\\RequestProcessor {}",
		"plugins/Excludes/Excludes.php":         "<?php use Piwik\\Tracker\\Handler; return ['Tracker.isExcludedVisit' => 'x'];",
		"plugins/BruteForce/BruteForce.php":     "<?php return ['Tracker.Request.authenticate.failed' => 'x'];",
		"plugins/Recognizer/config/tracker.php": "<?php return ['Piwik\\Tracker\\VisitorRecognizer' => 1];",
		"plugins/Processor/config/tracker.php":  "<?php return ['Piwik\\Tracker\\RequestProcessor' => 1];",
		"plugins/Renames/Renames.php":           "<?php return ['Request.getRenamedModuleAndAction' => 'x'];", // of reports
		"plugins/Empty/readme.txt":              "",
	}, `XMLTracking OtherQueue OtherSite Answers Answers6 Observer QueuedTracking BulkTracking Dimensions Processors
		Excludes BruteForce Recognizer Processor Renames Empty Absent AbTesting TrackingSpamPrevention Goals`)
	got, err := c.ForeignReceptionPlugins()
	if err != nil {
		t.Fatal(err)
	}
	want := []Foreign{
		{"Absent", "is not known, and its folder plugins/Absent is not there to look into"},
		{"Answers", `replaces parts of reception (Tracker\Response in config/tracker.php)`},
		{"Answers6", `replaces parts of reception (Tracker\RequestSet in config/config.php)`},
		{"Observer", "replaces parts of reception (Tracker.newHandler in config/tracker.php)"},
		{"OtherQueue", "acts when requests are received (Tracker.newHandler in OtherQueue.php)"},
		{"OtherSite", "acts when requests are received (Tracker.Request.getIdSite in OtherSite.php)"},
		{"XMLTracking", "acts when requests are received (Tracker.initRequestSet in XMLTracking.php)"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestReceptionReplacedInConfigPHP(t *testing.T) {
	for text, want := range map[string]string{
		"<?php return ['Piwik\\Tracker\\Handler' => 1];":           `replaces parts of Matomo (Tracker\Handler)`,
		"<?php return ['Piwik\\Tracker\\VisitorRecognizer' => 1];": "",
		"<?php return ['path.geoip2' => '/geo'];":                  "",
	} {
		got, err := installed(t, "5.1.2", map[string]string{"config/config.php": text}, "Goals").ForeignReceptionPlugins()
		switch {
		case err != nil:
			t.Error(err)
		case want == "" && got != nil, want != "" && (len(got) != 1 || got[0] != Foreign{"config/config.php", want}):
			t.Errorf("%s: %v, want %q", text, got, want)
		}
	}
}

// Known tracker plugins only act when requests are tracked; where their folder is there it is looked into all the same.
func TestKnownTrackerPluginIsJudgedByItsFolder(t *testing.T) {
	c := installed(t, "5.1.2", map[string]string{
		"plugins/MediaAnalytics/MediaAnalytics.php": "<?php return ['Tracker.newHandler' => 'x'];",
	}, "MediaAnalytics")
	if got, err := c.ForeignReceptionPlugins(); err != nil || len(got) != 1 {
		t.Errorf("%v, %v", got, err)
	}
}
