package testserver

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// freshDatadir puts an empty MariaDB datadir at path: a copy of the one that was made once for this user and server
// version.
func freshDatadir(binary, install, path string) error {
	template, err := templateDatadir(binary, install)
	if err != nil {
		return fmt.Errorf("datadir template: %w", err)
	}
	return os.CopyFS(path, os.DirFS(template))
}

func templateDatadir(binary, install string) (string, error) {
	version, err := exec.Command(binary, "--no-defaults", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", binary, err)
	}
	key := sha256.Sum256(fmt.Appendf(version, "uid %d format 1", os.Getuid()))
	template := filepath.Join(os.TempDir(), fmt.Sprintf("queuedtracking-mariadb-%x", key[:6]))
	whole := filepath.Join(template, "ibdata1") // absent when the system has cleaned its temporary directory halfway
	if _, err := os.Stat(whole); err == nil {
		return template, nil
	}
	if err := os.RemoveAll(template); err != nil {
		return "", err
	}
	fresh, err := newFolder("install")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(fresh)
	data := filepath.Join(fresh, "data")
	args := append(commonFlags(data), "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve")
	if out, err := exec.Command(install, args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", install, err, out)
	}
	if err := os.Rename(data, template); err != nil {
		if _, statErr := os.Stat(whole); statErr != nil { // nobody else was quicker
			return "", err
		}
	}
	return template, nil
}
