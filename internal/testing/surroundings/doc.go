// Package surroundings holds the suite over servers as operators have them: a database that commits nothing by itself,
// speaks Oracle's dialect, has partitions, CHECKs and triggers on the log tables, other character sets or a
// certificate with nothing but a Common Name, and a Redis whose memory is full.
//
// Each test lets the real command process track recorded entries (testdata/golden) there, in a process of its own. The
// rows must be those of an undisturbed run; or the request that breaks a rule of a table is a dead letter and the
// others are tracked. Servers are private ones (internal/testing/testserver).
//
//	make surroundings
package surroundings
