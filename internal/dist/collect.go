package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// shipped are files of the source by the name that they have in the stage.
var shipped = map[string]string{
	"environment":            "packaging/environment",
	"copyright":              "packaging/copyright",
	"nfpm.yaml":              "packaging/nfpm.yaml",
	"scripts/postinstall.sh": "packaging/scripts/postinstall.sh",
	"scripts/preremove.sh":   "packaging/scripts/preremove.sh",
	"scripts/postremove.sh":  "packaging/scripts/postremove.sh",
	"alerts.yml":             "docs/alerts.yml",
	"alerts_test.yml":        "docs/alerts_test.yml",
	"dashboard.json":         "docs/grafana/queuedtracking.json",
	"LICENSE":                "LICENSE",
}

// webUsers are the users of the web server, as whom services run, by kind of package.
var webUsers = map[string]string{"deb": "www-data", "rpm": "apache"}

// collect puts everything but the binaries into the stage.
func (r *release) collect(ctx context.Context) error {
	for name, source := range shipped {
		text, err := os.ReadFile(filepath.Join(r.source, source))
		if err != nil {
			return err
		}
		if err := r.write(name, text); err != nil {
			return err
		}
	}
	changes, err := os.ReadFile(filepath.Join(r.source, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	licences, err := r.licences(ctx, filepath.Join(r.stage, binary(r.arches[0])))
	if err != nil {
		return err
	}
	for _, step := range []func() error{
		func() error { return r.writeCompressed("changelog.gz", changes) },
		func() error { return r.write("licences.txt", licences) },
		r.units, r.manual, r.completions,
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// units writes the units for each kind of package into a folder of its own.
func (r *release) units() error {
	files, err := filepath.Glob(filepath.Join(r.source, "packaging/systemd/*"))
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return fmt.Errorf("%s has no folder packaging/systemd", r.source)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		for _, user := range webUsers {
			unit := strings.ReplaceAll(string(text), "=www-data", "="+user)
			if err := r.write("systemd-"+user+"/"+filepath.Base(file), []byte(unit)); err != nil {
				return err
			}
		}
	}
	return nil
}

// write makes a file in the stage that everybody may read.
func (r *release) write(name string, text []byte) error {
	file := filepath.Join(r.stage, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file, text, 0o644); err != nil {
		return err
	}
	return os.Chmod(file, 0o644) // whatever the umask is
}

func (r *release) writeCompressed(name string, text []byte) error {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(text); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	return r.write(name, b.Bytes())
}
