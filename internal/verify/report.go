package verify

import (
	"encoding/json"
	"time"
)

// Report is what a run has found. Nothing in it is secret, but texts of strangers may still control a terminal.
type Report struct {
	Versions   Versions         `json:"versions"`
	Entries    int              `json:"entries"`
	Requests   int              `json:"requests"`    // that were compared
	Equal      int              `json:"equal"`       // in every cell
	Different  int              `json:"different"`   // a difference was seen twice, and nobody means it
	Deliberate map[string]int   `json:"deliberate"`  // requests that differ on purpose, by the name of the difference
	Refused    int              `json:"refused"`     // by both, among the equal ones
	Moved      int              `json:"moved"`       // differences that were not seen again: others wrote meanwhile
	Left       int              `json:"left"`        // requests that could not be compared, and are not counted above
	LeftWhy    map[string]int   `json:"left_why"`    // why
	Waits      int              `json:"lock_waits"`  // how often somebody waited for a lock, or this run did
	Tables     map[string]Table `json:"tables"`      // what was compared
	Findings   []Finding        `json:"differences"` // the first ones
	Notes      []string         `json:"notes"`
	Seconds    float64          `json:"seconds"`
	Ended      string           `json:"ended"` // why it ended: end, limit, time, difference, signal
}

// Versions are those that a report of a difference needs.
type Versions struct {
	Program  string `json:"queuedtracking"`
	Matomo   string `json:"matomo"`
	Plugin   string `json:"queued_tracking_plugin"`
	PHP      string `json:"php"`
	Database string `json:"database"`
}

// Table says what was compared of a table.
type Table struct {
	Columns int `json:"columns"`
	Rows    int `json:"rows"`
}

// Finding is a request whose rows differ.
type Finding struct {
	Queue    int             `json:"queue"`
	Position int64           `json:"position"` // of its entry, when it was read
	Number   int             `json:"request"`  // in the entry, from 0
	Request  json.RawMessage `json:"parameters"`
	Server   json.RawMessage `json:"server,omitempty"`
	Name     string          `json:"deliberate,omitempty"` // of the deliberate difference that it is
	Cells    []Cell          `json:"cells"`
}

// Cell is one value that differs, or what became of the request.
type Cell struct {
	Table  string `json:"table,omitempty"`
	Column string `json:"column,omitempty"`
	Row    int    `json:"row,omitempty"` // of the table's rows that the requests up to this one wrote, from 1
	Matomo string `json:"matomo"`
	Own    string `json:"queuedtracking"`
	// Unknown tells that the table is one that this program never writes.
	Unknown bool `json:"unknown_table,omitempty"`
}

// Why a run ended.
const (
	EndedAtEnd   = "end"        // of the queues or the file
	EndedLimit   = "limit"      // of requests
	EndedTime    = "time"       // limit
	EndedFailure = "difference" // --fail-fast
	EndedSignal  = "signal"
)

// Compared reports whether anything was.
func (r *Report) Compared() bool { return r.Requests > 0 }

func (r *Report) leave(requests int, why string) {
	r.Left += requests
	r.LeftWhy[why] += requests
}

func (r *Report) finish(started time.Time, ended string) {
	r.Seconds, r.Ended = time.Since(started).Seconds(), ended
}
