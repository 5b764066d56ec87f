package bench

import (
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/queuedtracking/queuedtracking/tracker/device"
	"github.com/queuedtracking/queuedtracking/tracker/device/devicetest"
)

// Data is what cases are played with: recordings, the reference installation, Matomo's vendor files.
type Data struct {
	Cases   string   // folder of areas
	Install []string // folders of the reference installation: golden.Install
	Shared  bool     // the full recordings; otherwise what the repository holds
	Six     bool     // of Matomo 6.0, otherwise of 5.1
	Without string   // a table that Matomo 6.0 has and the database shall not have

	vendor, devices, geo string
}

// Find returns the full recordings of Matomo 5.1, which lie beside the repository where the program is developed, or
// else those that are part of it. root is the path to the repository.
func Find(root string) Data { return find(root, Own(root), "") }

// FindSix is Find for recordings of Matomo 6.0.
func FindSix(root string) Data { return find(root, OwnSix(root), "-6") }

func find(root string, own Data, suffix string) Data {
	if d := shared(root, suffix); d.exists() {
		return d
	}
	return own
}

func shared(root, suffix string) Data {
	dir := filepath.Join(root, "..", "shared")
	data := filepath.Join(dir, "matomo-data"+suffix)
	return Data{
		Cases:   filepath.Join(dir, "golden"+suffix),
		Install: []string{filepath.Join(dir, "golden"+suffix, "install")},
		Shared:  true, Six: suffix != "",
		vendor:  filepath.Join(data, "vendor", "matomo"),
		devices: filepath.Join(data, "vendor", "matomo", "device-detector"),
		geo:     filepath.Join(data, "misc", "GeoIP2-City-Test.mmdb"),
	}
}

// Own returns the recordings and vendor files that are part of the repository.
func Own(root string) Data { return own(root, "golden") }

// OwnSix is Own for recordings of Matomo 6.0.
func OwnSix(root string) Data {
	d := own(root, "golden-6")
	d.Six, d.Install = true, append(Own(root).Install, d.Install...)
	return d
}

func own(root, cases string) Data {
	dir := filepath.Join(root, "testdata")
	return Data{
		Cases: filepath.Join(dir, cases), Install: []string{filepath.Join(dir, cases, "install")},
		vendor: filepath.Join(dir, "lists"), devices: filepath.Join(dir, "device-detector"),
	}
}

func (d Data) exists() bool {
	_, err := os.Stat(d.Install[0])
	return err == nil
}

// Home makes a Matomo directory with the vendor files, with or without the GeoIP2 database.
func (d Data) Home(t testing.TB, geo bool) string {
	t.Helper()
	home := t.TempDir()
	link(t, filepath.Join(d.devices, "regexes"), filepath.Join(home, "vendor", "matomo", "device-detector", "regexes"))
	d.writeDetector(t, filepath.Join(home, "vendor", "matomo", "device-detector"))
	for _, folder := range []string{"searchengine-and-social-list", "referrer-spam-list"} {
		link(t, filepath.Join(d.vendor, folder), filepath.Join(home, "vendor", "matomo", folder))
	}
	if d.Six {
		// The recordings were made with the plugin's worker as it is since 5.2.0, whatever option version_QueuedTracking
		// says.
		writePlugin(t, home, "QueuedTracking", `{"name": "QueuedTracking", "version": "6.0.1"}`)
	}
	if geo {
		link(t, d.geo, filepath.Join(home, "misc", "DBIP-City.mmdb"))
	}
	return home
}

// Version is the series of the Matomo that was recorded.
func (d Data) Version() string {
	if d.Six {
		return "6.0"
	}
	return "5.1"
}

func writePlugin(t testing.TB, home, plugin, about string) {
	t.Helper()
	folder := filepath.Join(home, "plugins", plugin)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "plugin.json"), []byte(about), 0o644); err != nil {
		t.Fatal(err)
	}
}

func link(t testing.TB, target, name string) {
	t.Helper()
	target, err := filepath.Abs(target)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, name); err != nil {
		t.Fatal(err)
	}
}

// php is what the installation's device-detector keeps in PHP, as far as it is needed to know its release. That of
// Matomo 5.1 is the one which is taken without such files.
func (d Data) php() fstest.MapFS {
	if d.Six {
		return devicetest.Version("6.5.1")
	}
	return nil
}

func (d Data) writeDetector(t testing.TB, folder string) {
	t.Helper()
	for name, file := range d.php() {
		if err := os.WriteFile(filepath.Join(folder, name), file.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Devices loads the patterns of user agents.
func (d Data) Devices(t testing.TB) *device.Detector {
	t.Helper()
	detector, err := device.Load(devicetest.Folder(os.DirFS(filepath.Join(d.devices, "regexes")), d.php()))
	if err != nil {
		t.Fatal(err)
	}
	return detector
}
