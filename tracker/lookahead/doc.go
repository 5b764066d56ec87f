// Package lookahead finds visits in memory: it knows what the database has said, what the batch that is played has
// changed since, and what the batches in front of it have written that the database does not show yet.
//
//	LookUps   what the requests of a batch ask
//	InFlight  what the batches in front have written, of one tracker
//	Reading   what was asked ahead for batches that follow each other, while those in front were on their way
//	Visits    the visits as the requests of one batch see them. Find is where a visit is found
//	Visit     one of them: its row as the database has it, and as the batch has left it
//	PageViews what is known of a visit's page view times
//
// A batch begins with Ask (outside of any transaction, while the batch in front is written) and Recall (when its turn
// has come), or with Read, which asks within its transaction. Then each of its requests asks Find, and tells Keep or
// Begin what it has changed. What the batch has written goes to InFlight.Add, and from there to the batches behind it.
// The answers are those that one query at a time would get from a database with all changes in it. What a visit means
// is none of the package's business: it knows by which columns visits are looked up, and in which order.
//
// # When an answer from memory is sure
//
// The database's answer to a query is the newest visit that matches when the query is asked, its answer for now. Rows
// are changed by this worker only (a queue has one worker, which has all requests of a visitor), so that every change
// since is in memory; and no change moves the last action of a visit back. The newest visit is then that answer or one
// of those that were changed or begun since and match. This is sure, unless
//
//   - the query was not asked ahead;
//   - the row of the answer has changed so that it does not match any more: it has another visitor id, fingerprint or
//     user id, or its last action is later than the query looks. An older row, which nobody has read, may be the
//     newest now, and where the visitor id does not find it, the fingerprint may, for which nobody has asked;
//   - texts have to be compared as the collation of the database does, beyond what all collations agree on (SameText).
//
// Then Find asks the database. All that has changed is written before, so that the answer is good.
//
// An answer that was asked ahead is sure for the batch if all that was written since it was given is known: the list
// of the batches from the one that the database showed then to the one in front has no gap (InFlight.since). A batch
// that was rolled back makes a gap, also when only the answer to its COMMIT was lost. Recall says no where there is
// one; the batch then reads within its transaction, in which everything in front of it is visible.
//
// An answer may serve batches further behind, too (span): for the same question if it looks no further back and no
// further ahead than what was asked for.
package lookahead
