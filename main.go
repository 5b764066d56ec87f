// Queuedtracking does the work of Matomo's QueuedTracking console commands: see package cmd.
package main

import (
	"embed"
	"io/fs"
	"os"

	"github.com/queuedtracking/queuedtracking/cmd"
)

// No folder in here may be called vendor: Go leaves those out of modules, and "go install" would fail.
//
//go:embed testdata/demo testdata/matomo testdata/matomo-6 testdata/device-detector testdata/lists
var testdata embed.FS

func main() {
	files, err := fs.Sub(testdata, "testdata")
	if err != nil {
		panic(err) // the name is a valid one
	}
	os.Exit(cmd.Main(os.Args[1:], files))
}
