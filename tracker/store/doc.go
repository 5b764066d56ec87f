// Package store reads and writes Matomo's log tables, on MySQL, MariaDB and SQLite behind one interface: the rows of a
// batch in as few statements as possible, inside the transaction that also moves the checkpoint of the queue.
//
// Each table has one list of columns (columns_*.go). A column knows its name, the plugin that owns it and where its
// value lives in the row's struct; reading, INSERT, UPDATE and Conform are driven by that list. Which columns there
// are, and of what type, is read from the database by Open, never assumed: columns that are absent, or whose plugin is
// not active, are left out of every statement.
//
// Statements that write are collected and travel together (script.go); a batch takes some three round trips. On a
// Galera cluster each travels alone: a node that takes a transaction back in the middle of a message, because another
// one was quicker with the same row, goes on with the statements behind, each of them committed by itself. Ids of rows
// that one INSERT has written are as far apart as auto_increment_increment says, which changes with the number of
// nodes: a transaction is only committed if it was the same from the checkpoint's reading to its writing.
//
// Numbers, moments and binary ids are written into a statement as literals, everything that is text as a parameter.
// Floating point numbers are text, in the form in which PHP would have sent them (spec §B.2).
//
// Values must be brought to what the database would store, by Store.ConformVisit and its siblings, before they are
// written: then the row in memory equals the row in the database, and a value that strict mode refuses is found before
// it takes a whole batch down.
package store
