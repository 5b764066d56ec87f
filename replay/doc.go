// Package replay is the worker. It takes a queue, locks it, reads a batch of entries, has them tracked in one
// transaction together with the checkpoint, and removes them from the queue. It knows queues, locks and transactions;
// what a request means is the business of an Engine (engine.go): the one in this program (native.go), or another.
//
// # A batch's life
//
// pipeline.go has the stages in this order. At the points of fault.go (left) tests let something go wrong.
//
//	point          stage                                                     in the code
//
//	               lock the queue                                            worker.takeQueue
//	AfterRead      read the oldest entries, or take the batch that the
//	               look-ahead has read                                       worker.read, job.next
//	               decode and prepare them, start the look-ahead             job.decode, prepare, startLookAhead
//	                 |
//	                 |  worker.track: can it overlap with the batches in front of it?
//	                 |
//	      yes: overlap.putInFlight            no: worker.processAlone
//	      (several at once)                   (with nothing in flight)
//	                 |                          |
//	                 |                        job.write: attempts, until one is committed
//	                 |                          |
//	               play in memory               |
//	BeforeBegin    begin                      begin, read the checkpoint     job.attempt, readCheckpoint
//	AfterWrite     write the rows,            play, write the rows,
//	               move the checkpoint        save the checkpoint
//	                 |                          |
//	                 +------------+-------------+
//	                              |
//	BeforeCommit   extend the lock                                           job.commit
//	AfterCommit    commit
//	                 |
//	AfterLetters   put dead letters aside, if there are any                  job.finishCommitted, putAside
//	AfterRemoval   remove the entries from the queue                         job.remove, inFlight.complete
//	               count, report, adapt the size of batches                  job.done
//	                 |
//	               … the next batch, or enough:
//	BeforeRelease  release the lock                                          worker.release
//	AfterRelease
//
//	an error while in flight        roll back, process the first that is not committed alone,
//	                                read those behind it again               overlap.rollBack
//	a server away, a deadlock       the next attempt, after a pause          worker.retry
//	no answer to COMMIT             the next attempt reads the checkpoint    job.readCheckpoint, committedResult
//	a request that is refused       found by halves, then a dead letter      job.isolate
//	the lock lost                   roll back, leave the queue               worker.takeQueue
//
// # Exactly once
//
// Redis counts the entries that were ever removed from a list (queue.Backend.Head returns the counter with the
// entries). The database holds, per list, up to which entry batches are committed, with a digest of the last one. It is
// read and written inside the tracking transaction. So when a worker was killed between commit and removal, its
// successor finds that out, removes what is committed and tracks nothing twice (see checkpoint.go).
//
// Dead letters are noted in the checkpoint, too: they are committed with the rows of their batch, then put aside, then
// the batch is removed from the queue. A mark beside the letters shows a successor whether that was done.
//
// Where the queue is in the database that is tracked into, all of this is one transaction, and a committed batch leaves
// nothing to do: AfterLetters and AfterRemoval come before BeforeCommit (see transactional.go).
//
// In a Galera cluster the next attempt, or the next worker, may be on another node. There the lock of the checkpoint's
// row keeps nobody out, but only one of two transactions that change it is committed: the other one has error 1213, at
// COMMIT at the latest, also when its node had not seen the first one yet. Reading waits for what any node has
// committed (wsrep_sync_wait, set with each connection), so that the checkpoint and the visits found are the newest.
//
// One case is beyond this: PHP's workers do not know the checkpoint. When ours is killed between commit and removal
// from Redis, and a PHP worker is the next one to take the queue, it tracks that batch again.
//
// # Whose fault an error is
//
// A value that its column cannot hold, or a bug that a request runs into, is that request's fault: it is a dead
// letter. Any other error of the database that is not about its own state, the connection, rights, settings or the
// schema (store.IsDataError) may be the fault of a request, which breaks a rule of a table, or that of the rule, as
// when a trigger is broken. Another request that can be written decides: one of the same batch, or one of those
// behind it, up to a hundred (witness.go). If there is none, nothing is put aside and the queue is left as it is
// (ErrAllRefused): a whole queue must not become dead letters, batch by batch. So the only request of a queue stays
// there until another one comes.
//
// # Overlap
//
// Batches of the native engine overlap: while one is committed and removed, the rows of the next are on their way
// (inflight.go), the one behind it is played in memory, and those behind that are read and prepared (lookahead.go).
// They are committed one after the other all the same.
package replay
