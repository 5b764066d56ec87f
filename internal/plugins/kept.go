package plugins

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// record is an answer as it is kept in a file. Digest is of all that the answer depends on, Sum of the rest of the
// record: a file that was cut short, or changed by hand, is as good as none.
type record struct {
	Digest  string    `json:"depends_on"`
	Sum     string    `json:"sum"`
	PHP     string    `json:"php_binary"`
	At      time.Time `json:"at"`
	Answer  *Answer   `json:"answer,omitempty"`
	Failure string    `json:"failure,omitempty"` // why PHP could not be asked
}

// How long an answer holds: what a plugin does may depend on what is not looked at, such as options in the database.
// That PHP fails may be a busy machine's fault, and is asked again soon, but not by every run.
const (
	holds        = 24 * time.Hour
	failureHolds = 10 * time.Minute
	recordLimit  = 2 * answerLimit
)

// cacheFolder is the name of this program's folder among a user's caches, which is made when there is none.
const cacheFolder = "queuedtracking"

// KeepIn are the folders in which a user keeps answers: what systemd gives to a unit, that user's folder of caches, and
// Matomo's folder for temporary files where the others are not there.
func KeepIn(config *matomo.Config, lookupEnv func(string) (string, bool)) (folders []string) {
	for _, place := range []struct{ variable, below string }{
		{"CACHE_DIRECTORY", ""}, {"XDG_CACHE_HOME", cacheFolder}, {"HOME", ".cache/" + cacheFolder},
	} {
		if folder, _ := lookupEnv(place.variable); filepath.IsAbs(folder) {
			folders = append(folders, filepath.Join(folder, filepath.FromSlash(place.below)))
		}
	}
	tmp := config.String("General", "tmp_path")
	if tmp == "" {
		tmp = "/tmp"
	}
	return append(folders, filepath.Join(config.Dir(), filepath.FromSlash(tmp)))
}

// kept is a record that holds, nil when there is none.
func (o Options) kept(config *matomo.Config, depends []string) *record {
	for _, folder := range o.Keep {
		k, err := readRecord(filepath.Join(folder, fileName(config)))
		if err != nil {
			continue
		}
		age, limit := o.Clock().Sub(k.At), holds
		if k.Failure != "" {
			limit = failureHolds
		}
		if k.Digest == digest(depends, k.PHP) && 0 <= age && age < limit && (k.Answer == nil) == (k.Failure != "") {
			return k
		}
	}
	return nil
}

func readRecord(path string) (*record, error) {
	f, err := openOwn(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, recordLimit))
	if err != nil {
		return nil, err
	}
	var k record
	if err := json.Unmarshal(text, &k); err != nil {
		return nil, err
	}
	if k.Sum != k.sum() {
		return nil, fmt.Errorf("%s: wrong sum", path)
	}
	return &k, nil
}

// keep writes a record, whole or not at all. That it cannot be kept costs time and nothing else.
func (o Options) keep(config *matomo.Config, depends []string, k record) {
	k.Digest = digest(depends, k.PHP)
	k.Sum = k.sum()
	text, err := json.Marshal(k)
	if err != nil {
		return
	}
	for _, folder := range o.Keep {
		if filepath.Base(folder) == cacheFolder {
			_ = os.MkdirAll(folder, 0o700)
		}
		if writeWhole(filepath.Join(folder, fileName(config)), text) == nil {
			return
		}
	}
}

func writeWhole(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // for its user alone
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return err
}

func (k record) sum() string {
	k.Sum = ""
	text, _ := json.Marshal(k)
	return hash(string(text))
}

// fileName has a name of its own for each installation, and for each host of one.
func fileName(config *matomo.Config) string {
	return "queuedtracking-plugins-" + hash(config.Dir(), config.Host())[:16] + ".json"
}

func digest(depends []string, php string) string {
	return hash(append(slices.Clone(depends), stamp(php))...)
}

func hash(parts ...string) string {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s\n", len(part), part)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// depends lists what an answer depends on, the PHP binary left out.
func (o Options) depends(config *matomo.Config) []string {
	dir := config.Dir()
	parts := []string{o.Release, script, o.Search, config.Host(), strings.Join(without(config), " ")}
	for _, file := range []string{
		config.LocalFile(), "config/common.config.ini.php", "config/global.ini.php",
		"config/config.php", "config/global.php",
		"bootstrap.php", "core/Version.php", "core/bootstrap.php",
	} {
		parts = append(parts, stamp(filepath.Join(dir, filepath.FromSlash(file))))
	}
	for _, name := range config.Plugins().Names() {
		for _, file := range []string{
			"", "plugin.json", name + ".php", "config", "config/config.php", "config/tracker.php", "Columns", "Tracker",
		} {
			parts = append(parts, stamp(filepath.Join(dir, "plugins", name, filepath.FromSlash(file))))
		}
	}
	var names []string // of variables: their values may be secrets
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "MATOMO_") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return append(parts, names...)
}

// stamp tells a file from a later one in its place.
func stamp(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return path + ": none"
	}
	return fmt.Sprintf("%s: %d bytes of %d, %v", path, info.Size(), info.ModTime().UnixNano(), info.Mode())
}
