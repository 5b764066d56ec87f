// Package history keeps what workers did beside the queues, so that it can be seen after they have ended: per day and
// queue how many requests were tracked, excluded, rejected and put aside and why, when a queue was worked on last and
// by whom, and what went wrong last.
//
// A Recorder adds up what its workers tell it and writes that every few seconds and at the end, in one call. Who is
// killed loses these few seconds of statistics, never more, and nothing else. When the answer to a write is lost it may
// count twice. Read gives what all workers have written.
//
// Days are those of UTC, kept for Keep; the totals of all days stay. Nothing grows with traffic: there is a number for
// each reason of a queue, and reasons are few.
package history
