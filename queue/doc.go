// Package queue knows what a queue of tracking requests holds and where it is kept: the codec of one entry (spec §0.2),
// the names of the lists and which list a request belongs to (spec §0.1), the Backend interface with its
// implementations, and the Manager that adds requests to the queues and moves them when the number of queues shrinks.
//
// Keys, bytes and rules are those of Matomo's plugin QueuedTracking, so that PHP and Go may write and read the same
// queues.
package queue
