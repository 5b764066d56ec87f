// Package receive is the front half of QueuedTracking: it takes tracking requests over HTTP, answers as Matomo's
// matomo.php does when the plugin's queue is enabled, and writes the queue entries that PHP would have written, for PHP
// workers and ours to read.
//
//	HTTP request -> parse (input.go, bulk.go, environment.go) -> request set -> queue entries -> Writer (writer.go, spool.go) -> answer
//
// A request is answered when its entries are in the queue, or on disk in the spool while the queue's server is away:
// what was answered with success is never lost. Requests that arrive together share one write.
//
// Differences from PHP, all on purpose: text that is not UTF-8 is queued with U+FFFD in place of the broken bytes (PHP
// loses the whole request), a parameter cip is not authenticated before the request is queued (the tracker does that),
// and limits answer with 4xx and 503.
package receive
