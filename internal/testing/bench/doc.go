// Package bench measures how fast queues are drained, beside a ceiling measured in the same run: the very same rows
// inserted by plain multi-row statements. `make bench` runs it, for Matomo 5.1 and, beside it, 6.0; as an ordinary
// test it drains a small corpus, so that it keeps working. `make bench-scale` drains a long backlog, beside a large
// table, and a large entry with the real program.
package bench
