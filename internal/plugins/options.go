package plugins

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// Options tell how PHP is asked.
type Options struct {
	// FindPHP gives the path of a PHP binary; nil: PHP is not asked. It is called when no answer is kept.
	FindPHP func(ctx context.Context) (string, error)
	// Search is all that FindPHP depends on beside the configuration: a kept answer holds only for the same text.
	Search  string
	Keep    []string // folders to keep the answer in, the first one that can be written to; none: it is not kept
	Fresh   bool     // ask, whatever is kept
	Release string   // the version of this program
	Clock   func() time.Time
}

// errNoPHP is why PHP is not asked where it would have nothing to start.
var errNoPHP = errors.New("PHP is not looked for")

// ask gives Matomo's own answer, a kept one if it holds, and the binary that was asked. The error says why there is
// none.
func (o Options) ask(ctx context.Context, config *matomo.Config) (*Answer, string, error) {
	if o.FindPHP == nil {
		return nil, "", errNoPHP
	}
	if _, err := os.Stat(filepath.Join(config.Dir(), "core", "bootstrap.php")); err != nil {
		return nil, "", fmt.Errorf("no core/bootstrap.php in %s: Matomo's PHP files are not there", config.Dir())
	}
	depends := o.depends(config)
	if k := o.kept(config, depends); k != nil && !o.Fresh {
		if k.Failure != "" {
			return nil, "", errors.New(k.Failure)
		}
		return k.Answer, k.PHP, nil
	}
	php, err := o.FindPHP(ctx)
	if err != nil {
		return nil, "", err
	}
	answer, err := run(ctx, php, config.Dir(), config.Host(), without(config))
	if ctx.Err() != nil {
		return nil, "", ctx.Err()
	}
	k := record{PHP: php, At: o.Clock(), Answer: answer}
	if err != nil {
		k.Failure = err.Error()
	}
	o.keep(config, depends, k)
	return answer, php, err
}

// FindPHP looks for a PHP binary: the one that the user names, Matomo's own setting, then the folders of path.
func FindPHP(config *matomo.Config, named, path string) func(context.Context) (string, error) {
	return func(context.Context) (string, error) {
		for _, path := range []string{named, config.String("General", "php_binary_path")} {
			if path == "" {
				continue
			}
			info, err := os.Stat(path)
			if err == nil && (info.IsDir() || info.Mode().Perm()&0o111 == 0) {
				err = errors.New("is no program")
			}
			if err != nil {
				return "", fmt.Errorf("PHP at %s: %w", path, err)
			}
			return path, nil
		}
		for _, folder := range filepath.SplitList(path) {
			php := filepath.Join(folder, "php")
			if info, err := os.Stat(php); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0 {
				return php, nil
			}
		}
		return "", errors.New("no PHP was found")
	}
}
