package cmd

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
	"github.com/queuedtracking/queuedtracking/tracker/device"
)

// checkVersions names the versions on which the rows depend.
func (c *testCommand) checkVersions() {
	version := c.conn.installation.Version()
	_, err := matomo.CheckVersion(version, false)
	c.report.Check("Matomo's version", err, version, "rows are then those of the nearest version that is known")
	if plugin := c.conn.installation.Found().QueuedTracking; plugin != (matomo.Version{}) {
		c.report.OK("QueuedTracking's version", plugin.String())
	} else {
		c.report.Notice("QueuedTracking's version", "not to be seen",
			"plugins/QueuedTracking/plugin.json or option version_QueuedTracking would tell; what is new in 5.2.0 is left out")
	}
}

// checkDeviceDetector names the version of the library, and what of it is not known here.
func (c *testCommand) checkDeviceDetector() {
	const name = "device-detector's version"
	detector, err := device.Load(c.conn.config.Vendor().DeviceDetector())
	if err != nil {
		c.report.Skip(name, err.Error()) // see the check of the detection data
		return
	}
	found := detector.Found()
	c.devices = &found
	version := cmp.Or(found.Version, "not to be seen")
	switch {
	case found.Newer:
		c.report.Notice(name, version+", newer than all that are known",
			"devices are told by the rules of "+found.Rules+" with the installation's own data")
	case found.Older:
		c.report.Notice(name, version+", older than all that are known",
			"devices are told by the rules of "+found.Rules+" with the installation's own data")
	case found.Version == "":
		c.report.Notice(name, version+" in vendor/matomo/device-detector/DeviceDetector.php",
			"devices are told by the rules of "+found.Rules)
	default:
		c.report.OK(name, version)
	}
	switch problems := strings.Join(found.Problems, ", "); {
	case found.BuiltInTables != "":
		c.report.Notice("device-detector's tables", "those of "+found.BuiltInTables+" that are built in: "+problems,
			"what is newer has no code: install Matomo's folder vendor as a whole")
	case problems != "":
		c.report.Notice("device-detector's files", problems, "install Matomo's folder vendor as a whole")
	}
}

// testVersions are the versions that were found, "" for what could not be seen.
type testVersions struct {
	Matomo         string `json:"matomo"`
	QueuedTracking string `json:"queued_tracking"`
	DeviceDetector string `json:"device_detector"`
}

// versions are nil as long as the database was not looked at.
func (c *testCommand) versions() *testVersions {
	if c.conn.installation == nil {
		return nil
	}
	v := testVersions{Matomo: c.conn.installation.Version()}
	if plugin := c.conn.installation.Found().QueuedTracking; plugin != (matomo.Version{}) {
		v.QueuedTracking = plugin.String()
	}
	if c.devices != nil {
		v.DeviceDetector = c.devices.Version
	}
	return &v
}

// testBehaviour is something in which versions differ.
type testBehaviour struct {
	Name  string `json:"name"`
	What  string `json:"what"`
	Since string `json:"since"`
	Told  string `json:"told_by,omitempty"` // what tells it beside or in place of the version
	Holds bool   `json:"holds"`
}

// behaviours are nil as long as the database was not looked at.
func (c *testCommand) behaviours() (list []testBehaviour) {
	if c.conn.installation == nil {
		return nil
	}
	for _, d := range c.conn.installation.Behaviours().Describe() {
		list = append(list, testBehaviour{d.Name, d.What, d.Since, d.Told, d.Holds})
	}
	return list
}

// printBehaviours is for -v.
func (c *testCommand) printBehaviours() error {
	if c.program.flags.verbose == 0 || c.conn.installation == nil {
		return nil
	}
	var rows [][]string
	for _, b := range c.behaviours() {
		holds := "no"
		if b.Holds {
			holds = "yes"
		}
		rows = append(rows, []string{holds, b.Since, b.What})
	}
	fmt.Fprintf(c.stdout, "\nWhat Matomo %s does (docs/versions.md)\n", clean(c.conn.installation.Version()))
	return c.table(c.stdout, []string{"Here", "Since", "What"}, rows)
}
