package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// publish copies binaries and SBOMs, and what is the same for all architectures as one archive.
func (r *release) publish(context.Context) error {
	if err := r.clear(); err != nil {
		return err
	}
	for _, arch := range r.arches {
		err := errors.Join(
			r.copy(binary(arch), "linux_"+arch, 0o755), r.copy("sbom_"+arch+".cdx.json", "linux_"+arch+".cdx.json", 0o644))
		if err != nil {
			return err
		}
	}
	return r.archive()
}

// ours matches what a release consists of, besides SHA256SUMS.
const ours = "queuedtracking*"

// clear removes what an earlier run has built.
func (r *release) clear() error {
	files, err := filepath.Glob(filepath.Join(r.out, ours))
	for _, file := range files {
		err = errors.Join(err, os.Remove(file))
	}
	return err
}

func (r *release) copy(name, target string, mode fs.FileMode) error {
	text, err := os.ReadFile(filepath.Join(r.stage, name))
	if err != nil {
		return err
	}
	target = r.named(target)
	if err := os.WriteFile(target, text, mode); err != nil {
		return err
	}
	return errors.Join(os.Chmod(target, mode), os.Chtimes(target, r.time, r.time))
}

// notArchived are files of the stage that are for packages alone.
var notArchived = []string{"nfpm.yaml", "scripts", "copyright", "systemd-" + webUsers["rpm"]}

// archive writes an archive of everything but the binaries.
func (r *release) archive() (err error) {
	f, err := os.Create(r.named("extras.tar.gz"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	zipped, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	w := tar.NewWriter(zipped)
	folder := "queuedtracking_" + r.build.Version
	err = fs.WalkDir(os.DirFS(r.stage), ".", func(name string, entry fs.DirEntry, err error) error {
		top, _, _ := strings.Cut(name, "/")
		switch {
		case err != nil || entry.IsDir():
			return err
		case slices.Contains(notArchived, top), strings.HasPrefix(top, "queuedtracking_"), strings.HasPrefix(top, "sbom_"):
			return nil
		}
		text, err := os.ReadFile(filepath.Join(r.stage, name))
		if err != nil {
			return err
		}
		name = strings.Replace(name, "systemd-"+webUsers["deb"], "systemd", 1)
		header := &tar.Header{
			Name: folder + "/" + name, Mode: 0o644, Size: int64(len(text)), ModTime: r.time, Uname: "root", Gname: "root",
		}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		_, err = w.Write(text)
		return err
	})
	return errors.Join(err, w.Close(), zipped.Close())
}

// sum writes the checksums of all files, for sha256sum -c.
func (r *release) sum(context.Context) error {
	files, err := filepath.Glob(filepath.Join(r.out, ours))
	if err != nil {
		return err
	}
	var b bytes.Buffer
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(text), filepath.Base(file))
	}
	return os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), b.Bytes(), 0o644)
}
