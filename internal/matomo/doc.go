// Package matomo looks at a Matomo installation from outside: its configuration files, its settings in the database
// (options, plugin settings, sites with their goals and dimensions), its active plugins and the data files it ships. It
// reads what Matomo's tracker reads, the way the tracker reads it, and writes only what the tracker writes on the same
// occasions: fingerprint salts, the salt of user ids and the time a token was last used.
//
// Queries are plain SQL that MySQL, MariaDB and SQLite understand alike.
package matomo
