package phpchild

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// request is a message to the child.
type request struct {
	Op     string        `json:"op"`
	Dir    string        `json:"dir,omitempty"`
	Host   string        `json:"host,omitempty"`
	Option string        `json:"option"`
	SQL    string        `json:"sql,omitempty"`
	Params []any         `json:"params,omitempty"` // nil, numbers, and [n] for a blob
	Leave  map[int][]int `json:"leave,omitempty"`
	Sites  []int64       `json:"sites,omitempty"`
	Bytes  []int         `json:"bytes,omitempty"`

	blobs [][]byte
}

func (r *request) blob(b []byte) (number int) {
	r.blobs = append(r.blobs, b)
	r.Bytes = append(r.Bytes, len(b))
	return len(r.blobs) - 1
}

func (r *request) send(w io.Writer) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.Write(line)
	b.WriteByte('\n')
	for _, blob := range r.blobs {
		b.Write(blob)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// answer is a message from the child.
type answer struct {
	Op string `json:"op"`

	PHP     string   `json:"php"`
	SAPI    string   `json:"sapi"`
	Matomo  string   `json:"matomo"`
	Plugins []string `json:"plugins"`

	Connection int64  `json:"connection"`
	Checkpoint []byte `json:"checkpoint"`
	Missing    bool   `json:"missing"`
	Marked     bool   `json:"marked"`

	Sets   [][]Status `json:"sets"`
	Leaked bool       `json:"leaked"`
	Rows   int64      `json:"rows"`

	Table      [][]*string `json:"table"` // of texts, nil for NULL
	Watched    bool        `json:"watched"`
	Statements []Statement `json:"statements"`

	words
	RolledBack bool    `json:"rolledback"`
	At         *[2]int `json:"at"`      // with it: set and request
	Tracked    int     `json:"tracked"` // with it: requests of the batch before

	Memory int64 `json:"memory"` // bytes that PHP has of the system
	Micros int64 `json:"micros"` // of processor time since its start
}

// words describe a Throwable.
type words struct {
	Class string `json:"class"`
	Errno int    `json:"errno"`
	State string `json:"state"`
	Text  string `json:"error"`
	Where string `json:"where"`
}

// Status is what became of one request.
type Status struct {
	What Outcome `json:"s"`
	Kind string  `json:"kind"` // of a rejection: site, parameter, type
	words
}

// Err is the error of a request that was not tracked: a *mysql.MySQLError where the database has refused it.
func (s *Status) Err() error { return s.words.err() }

// Outcome is the kind of a Status.
type Outcome string

// The outcomes of requests.
const (
	Tracked  Outcome = "tracked"
	Excluded Outcome = "excluded"
	Rejected Outcome = "rejected" // by Matomo
	Failed   Outcome = "failed"   // by the database
	Broken   Outcome = "broken"   // an error of PHP, such as a function that is not there
	Left     Outcome = "left"     // as it was told
	Unopened Outcome = "unopened" // stands for all requests of a set with which Matomo can do nothing
)

// maxLine bounds a message of the child, so that a broken one cannot take all memory.
const maxLine = 64 << 20

func newLines(r io.Reader) *bufio.Scanner {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 1<<16), maxLine)
	return lines
}

func parse(line []byte) (*answer, error) {
	a := new(answer)
	if err := json.Unmarshal(line, a); err != nil {
		return nil, fmt.Errorf("no answer of the child's protocol: %w", err)
	}
	return a, nil
}
