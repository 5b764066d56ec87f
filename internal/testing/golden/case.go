// Package golden reads recorded cases, queue entries with the rows that Matomo's PHP wrote for them, and compares rows
// that were found with rows that were expected. The format and the rule are described in the README beside the
// recordings.
package golden

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sort"

	"github.com/klauspost/compress/zlib"
)

// Case is one recorded case.
type Case struct {
	Area    string `json:"-"`
	Name    string
	Matomo  string // the version whose rows it has, "" for 5.1
	About   string
	Config  map[string]map[string]any // section -> key -> value or list
	Options map[string]string
	SQL     []string // statements with {prefix}
	Geo     string   // option usercountry.location_provider
	Now     int64    // unix seconds: the worker's clock
	Queue   []Entry
	Expect  Tables

	Volatile []string // cells of Expect that differ from run to run: table[index].column

	// Area failing only: requests that Matomo refuses, and the rows without them.
	Failing                [][2]int
	ExpectWithoutFailing   Tables   `json:"expect_without_failing"`
	VolatileWithoutFailing []string `json:"volatile_without_failing"`
}

// Entry is one element of a queue.
type Entry struct {
	Key             string
	Entry           json.RawMessage
	UncompressedHex string `json:"uncompressed_hex"`
}

// Payload is what the element holds before compression.
func (e Entry) Payload() ([]byte, error) {
	if e.Entry != nil {
		return e.Entry, nil
	}
	return hex.DecodeString(e.UncompressedHex)
}

// Wanted is what the program should write: Matomo's rows, without what a refused request left behind. A request for an
// unknown site is refused, but leaves its row in tracking_failure.
func (c *Case) Wanted() (Tables, []string) {
	const failures = "tracking_failure"
	if c.ExpectWithoutFailing == nil {
		return c.Expect, c.Volatile
	}
	wanted := maps.Clone(c.ExpectWithoutFailing)
	if rows, ok := c.Expect[failures]; ok {
		wanted[failures] = rows
	}
	return wanted, c.VolatileWithoutFailing
}

// Load reads the case in a file.
func Load(file string) (*Case, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c := &Case{Area: filepath.Base(filepath.Dir(file))}
	decoder := json.NewDecoder(f)
	decoder.UseNumber()
	if err := decoder.Decode(c); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return c, nil
}

// LoadAll reads the cases of the given areas below dir, all areas when none is given.
func LoadAll(dir string, areas ...string) ([]*Case, error) {
	if len(areas) == 0 {
		areas = []string{"*"}
	}
	var cases []*Case
	for _, area := range areas {
		files, err := filepath.Glob(filepath.Join(dir, area, "*.json"))
		if err != nil {
			return nil, err
		}
		sort.Strings(files)
		for _, file := range files {
			c, err := Load(file)
			if err != nil {
				return nil, err
			}
			cases = append(cases, c)
		}
	}
	return cases, nil
}

// Compress gives the queue element of a payload.
func Compress(payload []byte) []byte {
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, _ = w.Write(payload) // a buffer takes everything
	_ = w.Close()
	return b.Bytes()
}

// DatabaseConfig is a config.ini.php that says where the database is and nothing else.
func DatabaseConfig(socket, name string) string {
	return fmt.Sprintf("[database]\nunix_socket = %q\nusername = \"root\"\npassword = \"\"\ndbname = %q\ntables_prefix "+
		"= %q\ncharset = \"utf8mb4\"\n",
		socket, name, Prefix)
}
