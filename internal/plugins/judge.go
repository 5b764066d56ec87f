package plugins

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/matomo"
)

// Judgement is what takes part in tracking beside Matomo's core.
type Judgement struct {
	Plugins   []Verdict // the active ones, in load order
	Overrides []Verdict // what is no plugin's: files of the installation, settings, observers
	AskedPHP  bool
	PHP       string // the binary that was asked, with its version
	PHPBinary string // its path alone
	Unasked   string // why PHP was not asked
}

// Verdict is the judgement on one plugin, file or setting.
type Verdict struct {
	Name     string  `json:"plugin"`
	Version  string  `json:"version"`
	Does     string  `json:"does"` // in tracking
	Tracks   Tracks  `json:"tracks"`
	FoundBy  FoundBy `json:"found_by"`
	Shipped  bool    `json:"belongs_to_matomo"`
	Receives string  `json:"receives"` // what it does when requests are received that is not part of this program
}

// Tracks tells who can do what a plugin does in tracking.
type Tracks string

// Native is part of this program, only PHP can do what is not, and Harmless ones do nothing.
const (
	Native   Tracks = "native"
	PHP      Tracks = "PHP"
	Harmless Tracks = "harmless"
)

// FoundBy tells how a plugin was judged.
type FoundBy string

// The ways of judging.
const (
	Asked FoundBy = "asked PHP"
	Read  FoundBy = "read its files"
	Named FoundBy = "known by name"
)

// NeedPHP is what only Matomo's own PHP can track.
func (j Judgement) NeedPHP() []Verdict {
	return j.those(func(v Verdict) bool { return v.Tracks == PHP })
}

// Receiving is what acts when requests are received, before they are in the queue, in ways that are not known here.
func (j Judgement) Receiving() []Verdict {
	return j.those(func(v Verdict) bool { return v.Receives != "" })
}

func (j Judgement) those(ok func(Verdict) bool) (verdicts []Verdict) {
	for _, v := range slices.Concat(j.Plugins, j.Overrides) {
		if ok(v) {
			verdicts = append(verdicts, v)
		}
	}
	return verdicts
}

// Judge judges the active plugins, and what the installation replaces without a plugin. PHP is asked if it can be;
// that it cannot is no error. Errors tell of files that cannot be read.
func Judge(ctx context.Context, config *matomo.Config, options Options) (Judgement, error) {
	j := judging{config: config}
	var result Judgement
	answer, php, err := options.ask(ctx, config)
	if err == nil {
		j.answer, result.AskedPHP, result.PHP, result.PHPBinary = answer, true, php+" ("+answer.PHP+")", php
	} else if ctx.Err() != nil {
		return Judgement{}, ctx.Err()
	} else {
		result.Unasked = err.Error()
	}
	for _, name := range j.names() {
		v, err := j.plugin(name)
		if err != nil {
			return Judgement{}, fmt.Errorf("plugin %s: %w", name, err)
		}
		result.Plugins = append(result.Plugins, v)
	}
	result.Overrides, err = j.overrides()
	return result, err
}

// judging is the look at one installation.
type judging struct {
	config *matomo.Config
	answer *Answer // nil: PHP was not asked
}

// names are the active plugins, and those that Matomo loads beside them.
func (j judging) names() []string {
	names := slices.Clone(j.config.Plugins().Names())
	if j.answer != nil {
		for _, name := range j.answer.Loaded {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

func (j judging) plugin(name string) (Verdict, error) {
	v := Verdict{Name: name, Tracks: Harmless, FoundBy: Named}
	if version := j.config.PluginVersion(name); version != (matomo.Version{}) {
		v.Version = version.String()
	}
	known := j.config.Knows(name)
	v.Shipped, v.Does, v.Receives = known.Shipped, known.Does, known.Receives
	switch known.Standing {
	case matomo.Native:
		v.Tracks = Native
		return v, nil
	case matomo.Quiet:
		return v, nil
	}
	parts, foundBy, err := j.parts(name)
	if errors.Is(err, fs.ErrNotExist) {
		return v.withoutFolder(known.Standing), nil
	}
	if err != nil {
		return Verdict{}, err
	}
	does, receives := j.weigh(name, parts)
	v.Receives = receives
	if known.Standing == matomo.Theirs && (foundBy == Read || does != "") {
		v.Tracks = PHP
		if foundBy == Asked {
			v.FoundBy = Asked // what it does is still said best by its name
		}
		return v, nil
	}
	v.Does, v.FoundBy = does, foundBy
	if does != "" {
		v.Tracks = PHP
	}
	return v, nil
}

// parts are those that a plugin has, by PHP's answer or else by its files; the error is fs.ErrNotExist when it has
// none.
func (j judging) parts(name string) ([]Part, FoundBy, error) {
	if j.answer != nil {
		return j.answer.of(name), Asked, nil
	}
	parts, err := readPlugin(j.config.Dir(), name)
	return parts, Read, err
}

// withoutFolder judges a plugin that cannot be looked into.
func (v Verdict) withoutFolder(standing matomo.Standing) Verdict {
	switch standing {
	case matomo.Theirs:
		v.Tracks = PHP
	case matomo.Stranger:
		v.Tracks, v.FoundBy = PHP, Read
		v.Does = "is not known, and its folder plugins/" + v.Name + " is not there to look into"
		v.Receives = v.Does
	}
	return v
}

// overrides judges what is no plugin's.
func (j judging) overrides() (verdicts []Verdict, err error) {
	for _, file := range []string{"config/config.php", "bootstrap.php"} {
		v := Verdict{Name: file, FoundBy: Read}
		parts, err := readFile(filepath.Join(j.config.Dir(), filepath.FromSlash(file)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if j.answer != nil {
			parts, v.FoundBy = j.answer.of(file), Asked
		}
		v.Does, v.Receives = j.weigh("", parts)
		if words := j.config.Bootstrap(); file == "bootstrap.php" && words != "" {
			v.Does = fmt.Sprintf("sets %s: Matomo may have other settings than are seen here", words)
			v.Receives, v.FoundBy = v.Does, Read
		}
		verdicts = append(verdicts, v)
	}
	if j.answer != nil {
		verdicts = append(verdicts, j.strays()...)
		verdicts = append(verdicts, j.settings())
	}
	return slices.Collect(func(yield func(Verdict) bool) {
		for _, v := range verdicts {
			v.Tracks = Harmless
			if v.Does != "" {
				v.Tracks = PHP
			}
			if (v.Does != "" || v.Receives != "") && !yield(v) {
				return
			}
		}
	}), nil
}

// strays are parts in PHP's answer that belong to nothing judged otherwise.
func (j judging) strays() (verdicts []Verdict) {
	judged := append(j.names(), "config/config.php", "bootstrap.php")
	for _, part := range j.answer.Parts {
		if slices.Contains(judged, part.Owner) || j.config.Knows(part.Owner).Standing == matomo.Native ||
			j.config.Knows(part.Owner).Standing == matomo.Quiet {
			continue
		}
		judged = append(judged, part.Owner)
		v := Verdict{Name: part.Owner, FoundBy: Asked}
		v.Does, v.Receives = j.weigh(part.Owner, j.answer.of(part.Owner))
		verdicts = append(verdicts, v)
	}
	return verdicts
}

// settings names those that Matomo has otherwise than the files and the environment say.
func (j judging) settings() Verdict {
	var changed []string
	for _, s := range j.answer.Settings {
		if !j.config.FromEnvironment(s[0], s[1]) {
			changed = append(changed, fmt.Sprintf("[%s] %s", s[0], s[1]))
		}
	}
	v := Verdict{Name: "settings", FoundBy: Asked}
	if len(changed) > 0 {
		v.Does = "are not those of the files: " + some(changed)
		v.Receives = v.Does
	}
	return v
}

// most is how many names of a kind are told.
const most = 5

// some lists names, the first ones of many.
func some(names []string) string {
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// isFolder reports whether a path is a folder, or a link to one.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
