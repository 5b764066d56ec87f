// Package faults holds the fault suite: workers are killed, frozen and stopped at any instant, connections are cut, servers go away and come
// back with an older state, locks are stolen. After each of it the rows in the database must be exactly those of an undisturbed run,
// nothing may be left in the queue and nothing twice.
//
// The servers are real and private ones (internal/testserver), workers are processes of their own: the test binary, started again. The
// same traffic is invented each time, from the data in testdata.
//
//	go test ./internal/faults                     the whole suite, in a few minutes
//	go test ./internal/faults -faults.budget 10   ten times as many kills, cuts and signals
//
// At the end the suite tells how many faults it made.
package faults
