package plugins

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/queuedtracking/queuedtracking/internal/phpsource"
)

// hookMethods are the methods by which a column takes part in tracking, in lower case.
var hookMethods = strings.Fields(`onnewvisit onexistingvisit onconvertedvisit onanygoalconversion shouldforcenewvisit
	getrequiredvisitfields onlookupaction getactionid onnewaction onecommerceorderconversion
	onecommercecartupdateconversion ongoalconversion`)

// role is what classes in a folder of a plugin are that are derived from a class whose name ends so.
type role struct {
	folder, base string
	kind         Kind
}

// roles are those that Matomo looks for when it tracks, beside columns.
var roles = []role{
	{"Tracker", "RequestProcessor", Processor},
	{"Tracker", "BotRequestProcessor", BotProcessor},
	{"Actions", "Action", Action},
	{"LocationProvider", "LocationProvider", LocationProvider},
}

// source is a PHP file of a plugin.
type source struct {
	file string // below the plugin's folder
	phpsource.Outline
}

// reader reads plugins of an installation.
type reader struct {
	matomo  string // the directory
	classes map[string]phpsource.Class
	read    map[string]bool // paths of files whose classes are there
}

// readPlugin finds what in the files of a plugin takes part in tracking. The error is fs.ErrNotExist when the plugin
// has no folder.
func readPlugin(dir, name string) ([]Part, error) {
	folder := filepath.Join(dir, "plugins", name)
	if !isFolder(folder) {
		return nil, fs.ErrNotExist
	}
	r := reader{matomo: dir, classes: map[string]phpsource.Class{}, read: map[string]bool{}}
	sources, err := r.sources(folder)
	if err != nil {
		return nil, err
	}
	var parts []Part
	for _, s := range sources {
		parts = append(parts, literals(s)...)
		for _, class := range s.Classes {
			parts = append(parts, r.parts(s, class, name)...)
		}
	}
	for _, file := range []string{"config/config.php", "config/tracker.php"} {
		defined, err := readFile(filepath.Join(folder, filepath.FromSlash(file)))
		if err != nil && !os.IsNotExist(err) {
			return nil, err
		}
		parts = append(parts, defined...)
	}
	return parts, nil
}

// readFile finds events and definitions in a PHP file; it is nothing when the file is not there.
func readFile(path string) ([]Part, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	s := source{Outline: phpsource.Outlined(string(text))}
	parts := literals(s)
	for _, key := range s.Keys {
		parts = append(parts, Part{Kind: Definition, Name: key})
	}
	return parts, nil
}

// literals are the strings that may be names of events, or begin names that are put together.
func literals(s source) (parts []Part) {
	for _, text := range s.Strings {
		if beginsWith(text, trackingEvents) && !strings.ContainsAny(text, " \n") {
			parts = append(parts, Part{Kind: Event, Name: text})
		}
	}
	return parts
}

// parts are those that a class is. The main class of a plugin may get its events from classes of other plugins.
func (r reader) parts(s source, class phpsource.Class, plugin string) (parts []Part) {
	folder, _, _ := strings.Cut(s.file, "/")
	family, lost := r.family(class)
	switch {
	case s.file == plugin+".php":
		for _, c := range family[1:] {
			parts = append(parts, r.eventsOf(c.Name)...)
		}
	case folder == "Columns":
		if does := hooks(family); does != "" {
			parts = append(parts, Part{Kind: Column, Name: s.file, Detail: does})
		}
	case slices.ContainsFunc(roles, func(r role) bool { return r.folder == folder }):
		for _, role := range roles {
			if role.folder == folder && slices.ContainsFunc(family, role.isParent) {
				return []Part{{Kind: role.kind, Name: s.file}}
			}
		}
	default:
		return nil
	}
	if lost != "" {
		parts = append(parts, Part{Kind: Unseen, Name: s.file, Detail: lost})
	}
	return parts
}

// hooks are the methods of a class, its parents and traits by which a column takes part.
func hooks(family []phpsource.Class) string {
	var found []string
	for _, class := range family {
		for _, method := range class.Methods {
			if slices.Contains(hookMethods, method) && !slices.Contains(found, method) {
				found = append(found, method)
			}
		}
	}
	return strings.Join(found, " ")
}

// family is a class with the parents and traits that plugins have, and one of a plugin that is not to be found, "" when
// all are. Classes of Matomo's core end it.
func (r reader) family(class phpsource.Class) (family []phpsource.Class, lost string) {
	family = []phpsource.Class{class}
	for i := 0; i < len(family); i++ {
		for _, name := range append([]string{family[i].Extends}, family[i].Traits...) {
			if name == "" ||
				slices.ContainsFunc(family, func(c phpsource.Class) bool { return strings.EqualFold(c.Name, name) }) {
				continue
			}
			if c, ok := r.class(name); ok {
				family = append(family, c)
			} else if rest, isMatomo := withoutRoot(name); isMatomo && strings.HasPrefix(rest, `Plugins\`) &&
				!slices.ContainsFunc(roles, func(r role) bool { return last(name) == r.base }) {
				lost = name
			}
		}
	}
	return family, lost
}

// isParent reports whether a class is derived from the role's.
func (r role) isParent(c phpsource.Class) bool { return last(c.Extends) == r.base }

func last(name string) string { return name[strings.LastIndexByte(name, '\\')+1:] }

// class finds a class of a plugin, also of another plugin.
func (r reader) class(name string) (phpsource.Class, bool) {
	if c, ok := r.classes[strings.ToLower(name)]; ok {
		return c, true
	}
	if path := r.path(name); path != "" && !r.read[path] {
		_, _ = r.outline(path) // what cannot be read is lost
	}
	c, ok := r.classes[strings.ToLower(name)]
	return c, ok
}

// path is the file in which a class of a plugin is, "" of other classes.
func (r reader) path(class string) string {
	rest, isMatomo := withoutRoot(class)
	rest, isPlugin := strings.CutPrefix(rest, `Plugins\`)
	if !isMatomo || !isPlugin {
		return ""
	}
	return filepath.Join(r.matomo, "plugins", filepath.FromSlash(strings.ReplaceAll(rest, `\`, "/"))+".php")
}

// eventsOf are the events in the file of a class.
func (r reader) eventsOf(class string) []Part {
	outline, err := r.outline(r.path(class))
	if err != nil {
		return nil // a class beside others in a file of the plugin's own
	}
	return literals(source{Outline: outline})
}

// outline reads a file and notes its classes.
func (r reader) outline(path string) (phpsource.Outline, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return phpsource.Outline{}, err
	}
	r.read[path] = true
	outline := phpsource.Outlined(string(text))
	for _, class := range outline.Classes {
		r.classes[strings.ToLower(class.Name)] = class
	}
	return outline, nil
}

// unread are folders of a plugin that Matomo's tracker does not look into by itself. What config has is a matter of
// its own: only two of its files are loaded.
var unread = []string{"config", "lang", "libs", "node_modules", "test", "tests", "vendor", "vue"}

// Bounds of a plugin: links may lead in circles.
const (
	deepest   = 12
	mostFiles = 20_000
)

// sources reads the PHP files of a plugin.
func (r reader) sources(folder string) (sources []source, err error) {
	var walk func(below string, depth int) error
	walk = func(below string, depth int) error {
		entries, err := os.ReadDir(filepath.Join(folder, below))
		if err != nil {
			return err
		}
		for _, entry := range entries {
			file := filepath.Join(below, entry.Name())
			path := filepath.Join(folder, file)
			switch {
			case entry.IsDir() || entry.Type()&fs.ModeSymlink != 0 && isFolder(path):
				if below == "" && slices.Contains(unread, strings.ToLower(entry.Name())) || depth == deepest {
					continue
				}
				if err := walk(file, depth+1); err != nil {
					return err
				}
			case filepath.Ext(file) == ".php":
				outline, err := r.outline(path)
				if err != nil {
					return err
				}
				if sources = append(sources, source{filepath.ToSlash(file), outline}); len(sources) > mostFiles {
					return fmt.Errorf("more than %d PHP files", mostFiles)
				}
			}
		}
		return nil
	}
	err = walk("", 0)
	return sources, err
}
