package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"
)

// licenceFile matches the names that texts of licences have.
var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|patents)([.-].*)?$`)

// licences are the texts of the licences of all libraries in a binary and of Go itself: most of them ask to be passed
// on with it.
func (r *release) licences(ctx context.Context, binary string) ([]byte, error) {
	noted, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, err
	}
	folders, err := r.folders(ctx, noted.Deps)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.WriteString("The licences of Go and of the libraries that are part of queuedtracking.\n")
	for _, f := range folders {
		texts, err := texts(f.path)
		if err != nil {
			return nil, fmt.Errorf("licence of %s: %w", f.name, err)
		}
		fmt.Fprintf(&b, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 80), f.name, texts)
	}
	return b.Bytes(), nil
}

type folder struct{ name, path string }

// folders are where the sources of Go and of modules are.
func (r *release) folders(ctx context.Context, modules []*debug.Module) ([]folder, error) {
	c := exec.CommandContext(ctx, "go", "env", "GOROOT")
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	all := []folder{{"Go", strings.TrimSpace(string(out))}}
	c = exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Path}} {{.Version}}\t{{.Dir}}")
	for _, m := range modules {
		c.Args = append(c.Args, m.Path)
	}
	c.Dir, c.Stderr = r.source, r.log
	if out, err = c.Output(); err != nil {
		return nil, fmt.Errorf("go list -m: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		name, path, _ := strings.Cut(strings.TrimSpace(line), "\t")
		all = append(all, folder{name, path})
	}
	return all, nil
}

// texts are a module's licences.
func texts(folder string) (string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	var found []string
	for _, e := range entries {
		if e.IsDir() || !licenceFile.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			return "", err
		}
		found = append(found, strings.TrimSpace(string(text)))
	}
	if found == nil {
		return "", fmt.Errorf("%s has none", folder)
	}
	return strings.Join(found, "\n\n"), nil
}
