// Package faults holds the fault suite: workers are killed, frozen and stopped at any instant, connections are cut,
// servers go away and come back with an older state, locks are stolen. After each of it the rows in the database must
// be exactly those of an undisturbed run, nothing may be left in the queue and nothing twice.
//
// Queues are in Redis, and in the database that is tracked into: the two ways in which rows and queue are kept in step.
//
// The servers are real and private ones (internal/testing/testserver), workers are processes of their own: the test
// binary, started again. The same traffic is invented each time, from the data in testdata.
//
//	go test ./internal/testing/faults                     the whole suite, in a few minutes
//	go test ./internal/testing/faults -faults.budget 10   ten times as many kills, cuts and signals
//	go test ./internal/testing/faults -run UnderLoad -faults.failover 50000
//	                                              masters of Sentinel and Cluster are killed while 50,000 entries are written and tracked
//	go test ./internal/testing/faults -run Galera -faults.galera 100
//	                                              nodes of a Galera cluster leave and come back, a hundred times
//
// At the end the suite tells how many faults it made.
package faults
