// Package phpchild runs Matomo's own tracker in a child process: PHP, with the installation's own files, plugins and
// settings. It finds a PHP that can do it, starts it, talks to it and ends it. What a queue's batch is, and what
// becomes of its transaction, is the business of package replay/phpengine.
//
// # The process
//
// The child's script is child.php. It is embedded in this program and handed over through a pipe, so no file is
// installed and nothing of it shows in a list of processes. It starts Matomo as the console does, and then does what it
// is told, in one thread and on one connection to the database, that of Matomo's tracker.
//
// The child listens on file descriptor 3 and answers on 4. Its standard output and error, what plugins print and PHP's
// warnings, are lines of the log and nothing else. A child never outlives its parent: it ends when its pipe does, and
// on Linux the kernel kills it.
//
// # The protocol
//
// A message is a line of JSON. Where it has the member "bytes", the lengths of blobs, the blobs follow.
//
//	first, the script: its length in a line, and the text
//	<- {"op":"php","php":"8.2.0","sapi":"cli"}
//	-> {"op":"start","dir":"/var/www/matomo","host":""}
//	<- {"op":"ready","matomo":"5.1.2","plugins":["CoreHome", …]}
//
//	-> {"op":"begin","option":"QueuedTracking.replayed.trackingQueueV1"}
//	<- {"op":"begun","connection":17,"checkpoint":"base64"}       the row is locked, the transaction open; option "":
//	                                                              nothing is to stay, and there is no checkpoint
//	-> {"op":"track","bytes":[812,790],"leave":{"1":[0]}}         blobs: entries as they are in the queue
//	<- {"op":"tracked","sets":[[{"s":"tracked"}],[{"s":"left"}]],"leaked":false}
//	-> {"op":"sql","sql":"DELETE …","params":[1,[0]],"bytes":[5]} a list is the number of a blob
//	<- {"op":"done","rows":1}
//	-> {"op":"commit","bytes":[40,44]}                            blobs, or none: the old checkpoint and the new one,
//	<- {"op":"committed"}                                         to which it is moved before
//	<- {"op":"moved"}                                             instead: it was not the old one, nothing is committed
//	-> {"op":"rollback"}  <- {"op":"rolledback"}
//	-> {"op":"end"}       <- {"op":"ended"}                       event Tracker.end was posted
//
// For comparisons (package verify): {"op":"watch"}, after which {"op":"written"} tells the statements that have
// written; {"op":"rows","sql":"SELECT …"} gives {"op":"rows","table":[["1",null]]}; {"op":"uncache","sites":[1]}.
//
// What is at work, set and request, and how many were tracked before, the child writes into the file on descriptor 5
// before each request; "-1 -1" when nothing is. The parent reads it when the child has died, and now and then to see
// whether it goes on. So the two run side by side without waking each other for every request.
//
// Instead of any answer: {"op":"error", …} with the number of the database's error, after which the child lives on,
// with "rolledback":true and "at":[1,0] where a request has ended the transaction (after each request PHP is asked,
// without a message to the server, whether one is open; what became of it tells the mark in the checkpoint's row);
// {"op":"fatal","error":"Allowed memory size …"}, its last words; {"op":"disabled"}, Matomo does not record.
//
// # One request's failure
//
// What Matomo refuses, or the database, is taken back and told as the status of that request, and the next one is
// tracked. As that is rare the child first tracks a batch without a savepoint before each request. When one has to be
// taken back it takes all of them back, and tracks the batch again with savepoints, as it does the next ones. It also
// does so after a plugin has ended a transaction. Errors that concern the transaction (a deadlock, a lost connection)
// end the batch.
package phpchild
