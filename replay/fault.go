package replay

// Point names an instant in the life of a batch at which a test can let something go wrong.
type Point string

// The points, in the order in which a batch passes them. Where the queue takes part in the transaction, AfterLetters
// and AfterRemoval come before BeforeCommit.
const (
	AfterRead     Point = "after-read"     // the entries are read
	BeforeBegin   Point = "before-begin"   // of the transaction
	AfterWrite    Point = "after-write"    // of each message that writes rows
	BeforeCommit  Point = "before-commit"  // everything is written
	AfterCommit   Point = "after-commit"   // the entries are still in the queue
	AfterLetters  Point = "after-letters"  // dead letters are put aside, if there are any
	AfterRemoval  Point = "after-removal"  // the entries are out of the queue
	BeforeRelease Point = "before-release" // of the lock
	AfterRelease  Point = "after-release"
)

// Points are all points.
func Points() []Point {
	return []Point{
		AfterRead, BeforeBegin, AfterWrite, BeforeCommit, AfterCommit, AfterLetters, AfterRemoval, BeforeRelease,
		AfterRelease,
	}
}

// at lets a test act. Several batches are in flight at once, but the test's function is never called twice at once.
func (r *run) at(point Point) {
	if r.options.Fault != nil {
		r.faults.Lock()
		defer r.faults.Unlock()
		r.options.Fault(point)
	}
}
