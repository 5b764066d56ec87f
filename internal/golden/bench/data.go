package bench

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/queuedtracking/queuedtracking/tracker/device"
)

// Data is what cases are played with: recordings, the reference installation, Matomo's vendor files.
type Data struct {
	Cases   string // folder of areas
	Install string // folder of the reference installation
	Shared  bool   // the full recordings; otherwise what the repository holds

	vendor, devices, geo string
}

// Find returns the full recordings, which lie beside the repository where the program is developed, or else those that are part of it.
// root is the path to the repository.
func Find(root string) Data {
	if d := shared(root); d.exists() {
		return d
	}
	return Own(root)
}

func shared(root string) Data {
	dir := filepath.Join(root, "..", "shared")
	data := filepath.Join(dir, "matomo-data")
	return Data{
		Cases: filepath.Join(dir, "golden"), Install: filepath.Join(dir, "golden", "install"), Shared: true,
		vendor:  filepath.Join(data, "vendor", "matomo"),
		devices: filepath.Join(data, "vendor", "matomo", "device-detector"),
		geo:     filepath.Join(data, "misc", "GeoIP2-City-Test.mmdb"),
	}
}

// Own returns the recordings and vendor files that are part of the repository.
func Own(root string) Data {
	dir := filepath.Join(root, "testdata")
	return Data{
		Cases: filepath.Join(dir, "golden"), Install: filepath.Join(dir, "golden", "install"),
		vendor: filepath.Join(dir, "vendor", "matomo"), devices: filepath.Join(dir, "device-detector"),
	}
}

func (d Data) exists() bool {
	_, err := os.Stat(d.Install)
	return err == nil
}

// Home makes a Matomo directory with the vendor files, with or without the GeoIP2 database.
func (d Data) Home(t testing.TB, geo bool) string {
	t.Helper()
	home := t.TempDir()
	link(t, d.devices, filepath.Join(home, "vendor", "matomo", "device-detector"))
	for _, folder := range []string{"searchengine-and-social-list", "referrer-spam-list"} {
		link(t, filepath.Join(d.vendor, folder), filepath.Join(home, "vendor", "matomo", folder))
	}
	if geo {
		link(t, d.geo, filepath.Join(home, "misc", "DBIP-City.mmdb"))
	}
	return home
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

// Devices loads the patterns of user agents.
func (d Data) Devices(t testing.TB) *device.Detector {
	t.Helper()
	detector, err := device.Load(os.DirFS(d.devices))
	if err != nil {
		t.Fatal(err)
	}
	return detector
}
