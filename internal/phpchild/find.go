package phpchild

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/tracker/store"
)

// names are what PHP's command line is called, places where it is besides the PATH: distributions, Plesk, cPanel.
var (
	names  = []string{"php", "php8.4", "php8.3", "php8.2", "php8.1", "php8.0", "php7.4"}
	places = []string{
		"/usr/bin/php*", "/usr/local/bin/php*", "/opt/plesk/php/*/bin/php", "/opt/cpanel/ea-php*/root/usr/bin/php",
		"/usr/local/php*/bin/php", "/opt/homebrew/bin/php",
	}
)

// Wanted says which PHP is looked for.
type Wanted struct {
	Binary     string // the one the user names; "" looks for one
	Configured string // [General] php_binary_path of Matomo's config
	Matomo     string // version of the Matomo that this program has read; "" for any
}

// NotFoundError says that there is no PHP that can track, and what is wrong with those that are there.
type NotFoundError struct{ Unfit []error }

func (e *NotFoundError) Error() string {
	if len(e.Unfit) == 0 {
		return "no PHP for the command line was found: install the package php-cli with php-mysql and php-mbstring, " +
			"or name the binary with --php or QUEUEDTRACKING_PHP"
	}
	reasons := make([]string, len(e.Unfit))
	for i, err := range e.Unfit {
		reasons[i] = err.Error()
	}
	return "no PHP that can track for this Matomo: " + strings.Join(reasons, "; ")
}

// Unwrap gives the reasons.
func (e *NotFoundError) Unwrap() []error { return e.Unfit }

// Find starts a child with the first binary that can track for the Matomo in o.Dir. It returns it with the reasons
// against those that were tried before. A database that is away is not the binary's fault: that error is returned.
func Find(ctx context.Context, o Options, want Wanted) (*Child, []error, error) {
	var unfit []error
	for _, binary := range candidates(want) {
		o.Binary = binary
		c, err := Start(ctx, o)
		if err == nil {
			if err = c.sameMatomo(o.Dir, want.Matomo); err == nil {
				return c, unfit, nil
			}
			c.Kill()
		}
		if store.IsRetryable(err) || ctx.Err() != nil {
			return nil, unfit, err
		}
		if _, told := errors.AsType[*UnfitError](err); !told {
			err = fmt.Errorf("%s: %w", binary, err)
		}
		unfit = append(unfit, err)
	}
	return nil, unfit, &NotFoundError{unfit}
}

// sameMatomo makes sure that PHP runs the Matomo whose files and settings this program has read.
func (c *Child) sameMatomo(dir, version string) error {
	if version != "" && c.hello.Matomo != version {
		return fmt.Errorf("it runs Matomo %s, %s is Matomo %s", c.hello.Matomo, dir, version)
	}
	return nil
}

// candidates are the binaries to try, in order, each once.
func candidates(want Wanted) (found []string) {
	if want.Binary != "" {
		return []string{want.Binary}
	}
	seen := make(map[string]bool)
	add := func(path string) {
		real, err := filepath.EvalSymlinks(path)
		if err != nil || seen[real] {
			return
		}
		seen[real] = true
		found = append(found, path)
	}
	if want.Configured != "" {
		add(want.Configured)
	}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			add(path)
		}
	}
	for _, pattern := range places {
		paths, _ := filepath.Glob(pattern) // the patterns are ours
		slices.Sort(paths)
		slices.Reverse(paths) // newer versions first
		for _, path := range paths {
			if name := filepath.Base(path); name == "php" || slices.Contains(names, name) {
				add(path)
			}
		}
	}
	return found
}
