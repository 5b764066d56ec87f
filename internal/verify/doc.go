// Package verify lets Matomo's own PHP and this program track the same requests, takes both back, and compares every
// cell of every row. It is what command verify does; docs/verify.md says what that proves, and what it touches.
//
//	Source      where entries come from: the front of the queues, or a file (source.go)
//	Run         goes through them batch by batch, finds the requests that differ, and reports (run.go, finding.go)
//	pair        compares one part of a batch once (compare.go)
//	side        one of the trackers with its transaction: phpSide (php.go) and nativeSide (native.go)
//	single      a database all of whose connections are one, which never commits (single.go)
//	footprint   which rows statements may have touched (footprint.go)
//	reader      reads those rows as texts, whatever tables and columns the installation has (schema.go, read.go)
//	equals      which cells that differ mean the same (equals.go); the rest of the rule is package rows
//
// # One comparison
//
// Both transactions begin, and see the database as of that moment. PHP tracks; its rows are read within its
// transaction; it is rolled back. Then we track, our rows are read, and all is rolled back. The two do not write at the
// same time, as each would wait for the other's locks. Salts that PHP has drawn are put into both transactions from
// then on: no process forgets them, and the fingerprints of both depend on them.
//
// # Which rows
//
// New rows are those above the highest AUTO_INCREMENT number that the transaction has begun with. Rows that were there
// before are found by what stands in the statements: PHP's are seen by a class of PDO's statements, ours on the way
// through single. Every number and text of a statement that changes a table may be a key of it; all rows with these
// keys are read, on both sides, and those that nobody has changed are equal. That needs no index but the primary keys,
// and no knowledge of tables: a plugin's are read in the same way. (Looking for visits by site and time, in their
// index, would have meant reading all visits of half an hour.) Rows that only we have changed are read for PHP's side
// after our savepoint is rolled back: they are what the transaction has begun with.
//
// # Why all our statements share one connection
//
// The native tracker commits names of log_action, salts and the last use of tokens by themselves, so that no other
// worker waits for them. None of that may stay. An option for each of these places would be forgotten for the next
// one. So the tracker is given a database whose every connection is the same one: START TRANSACTION and ROLLBACK become
// a savepoint and the way back to it, COMMIT is refused.
//
// # What counts as a difference
//
// One that is seen twice, the second time by new processes on both sides. Then the first request with which it appears
// is looked for: the part up to it differs, the part before it does not. It is left out, and the rest compared again.
package verify
