// Package selftest tries what the program needs of the servers it works with, one primitive after the other, and says
// what does not work, why, and what to do about it. It leaves nothing behind.
package selftest

// Status tells how a check went.
type Status string

// The outcomes of a check.
const (
	OK      Status = "ok"
	Notice  Status = "notice" // works, but should be known
	NotOK   Status = "not ok"
	Skipped Status = "skipped"
)

// Check is the outcome of one check.
type Check struct {
	Group  string `json:"group"`
	Name   string `json:"check"`
	Status Status `json:"status"`
	Detail string `json:"detail,omitempty"` // what was found, or why it does not work
	Advice string `json:"advice,omitempty"` // what to do
}

// Report collects checks.
type Report struct {
	Checks []Check
	group  string
}

// Group begins a group of checks.
func (r *Report) Group(name string) { r.group = name }

func (r *Report) add(status Status, name, detail, advice string) {
	r.Checks = append(r.Checks, Check{r.group, name, status, detail, advice})
}

// OK notes a check that went well.
func (r *Report) OK(name, detail string) { r.add(OK, name, detail, "") }

// Notice notes something that works but should be known.
func (r *Report) Notice(name, detail, advice string) { r.add(Notice, name, detail, advice) }

// Skip notes a check that could not be made.
func (r *Report) Skip(name, why string) { r.add(Skipped, name, why, "") }

// Fail notes something that is needed and does not work.
func (r *Report) Fail(name string, err error, advice string) { r.add(NotOK, name, err.Error(), advice) }

// Check notes err, or that all is well.
func (r *Report) Check(name string, err error, detail, advice string) bool {
	if err != nil {
		r.Fail(name, err, advice)
		return false
	}
	r.OK(name, detail)
	return true
}

// Works reports whether everything that is needed works.
func (r *Report) Works() bool {
	for _, c := range r.Checks {
		if c.Status == NotOK {
			return false
		}
	}
	return true
}
