package matomo

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ForeignReceptionPlugins looks for active plugins that act when a tracking request is received, before it is in the
// queue: they find requests in other forms, put another handler into the place of the queue's, or change the site of
// a request. Known ones are told from others as by ForeignTrackerPlugins. Plugins that only act when requests are
// tracked are not among them.
func (c *Config) ForeignReceptionPlugins() ([]Foreign, error) {
	var found []Foreign
	for _, name := range c.Plugins().Names() {
		reason, err := c.judgeReception(name)
		if err != nil {
			return nil, fmt.Errorf("plugin %s: %w", name, err)
		}
		if reason != "" {
			found = append(found, Foreign{name, reason})
		}
	}
	overrides := filepath.Join("config", "config.php")
	hint, err := receptionHint(filepath.Join(c.dir, overrides))
	if err != nil {
		return nil, err
	}
	if hint != "" {
		found = append(found, Foreign{overrides, fmt.Sprintf("replaces parts of Matomo (%s)", hint)})
	}
	return found, nil
}

var (
	// receptionEvents are posted while a request is received.
	receptionEvents = []string{"Tracker.initRequestSet", "Tracker.newHandler", "Tracker.Request.getIdSite"}
	// receptionClasses make up reception, as configurations that replace them name them.
	receptionClasses = []string{
		`Tracker\Handler`, `Tracker\Response`, `Tracker\RequestSet`, `Request\AuthenticationToken`,
		`Tracker\Request::class`, `Tracker\Request'`, `Tracker\Request"`,
	}
)

// judgeReception tells what a plugin does at reception that is not known here, "" when it does nothing.
func (c *Config) judgeReception(name string) (reason string, err error) {
	isKnown, gone := known(name, c.version)
	_, isNative := native[name]
	if isKnown || harmless[name] || isNative {
		return "", nil
	}
	folder := filepath.Join(c.dir, "plugins", name)
	if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
		if _, tracks := trackerPlugins[name]; gone || tracks {
			return "", nil
		}
		return "is not known, and its folder plugins/" + name + " is not there to look into", nil
	}
	if hint, err := hintIn(filepath.Join(folder, name+".php"), receptionEvents); hint != "" || err != nil {
		return fmt.Sprintf("acts when requests are received (%s in %s.php)", hint, name), err
	}
	files, err := filepath.Glob(filepath.Join(folder, "config", "*.php"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		if hint, err := receptionHint(file); hint != "" || err != nil {
			return fmt.Sprintf("replaces parts of reception (%s in config/%s)", hint, filepath.Base(file)), err
		}
	}
	return "", nil
}

// receptionHint is what of reception a configuration replaces or listens to, "" when it does not.
func receptionHint(file string) (string, error) {
	return hintIn(file, slices.Concat(receptionEvents, receptionClasses))
}

// hintIn is the first of the words that a file holds, "" when it holds none or is not there.
func hintIn(file string, words []string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return strings.Trim(firstOf(string(text), words...), `'"`), nil
}
