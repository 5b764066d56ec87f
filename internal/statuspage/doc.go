// Package statuspage is a page for people that tells how queues and workers are. It needs nothing but itself: it has no
// script, no picture and no font, and its style sheet is part of it. It shows numbers, the names of hosts and the last
// error, and no secret and nothing of what visitors send.
package statuspage
