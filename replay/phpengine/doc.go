// Package phpengine is the engine that tracks through Matomo's own PHP: an Engine of package replay whose transactions
// are those of a child process (package phpchild). It is for installations with plugins, or a version of Matomo, that
// this program does not know. Rows are what Matomo makes of a request, because Matomo makes them; the queue, its locks,
// dead letters and the checkpoint are this program's all the same. It is slower than the native engine by far.
//
// # A batch
//
// The child opens the transaction, reads and locks the checkpoint (transaction.go), tracks the requests one by one
// (result.go), executes what the queue has to do in the same transaction, moves the
// checkpoint and commits, each when it is told. So nothing is kept here that a killed process could forget.
//
// # When a child dies
//
// An exit in a plugin, too little memory, a crash of PHP or a request that takes a minute end the child, and with it
// the transaction. The child has told which request was at work. The batch is tried again in a new child; the request
// with which two have died goes to the dead letters, if others can be tracked (suspects.go). A lost answer to COMMIT
// leaves open whether the batch is committed: the child's connection is ended first, and waited for (settle.go), then
// the checkpoint tells.
//
// # Age
//
// A running Matomo never sees changed settings, and what it remembers grows. PHP's worker lives for a minute at most.
// A child does, too, or for 500 batches, or until it has 256 MB. The next one is started while the old one works
// (pool.go).
//
// # What cannot be kept
//
// A plugin that ends the transaction (with a CREATE TABLE, say) commits the first part of the batch by itself. The
// checkpoint is moved all the same. Between the two there are milliseconds in which a killed worker leaves a batch
// that is tracked again. It is counted and warned of.
package phpengine
