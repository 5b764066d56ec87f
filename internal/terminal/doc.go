// Package terminal is about writing for people: a progress bar, a screen that is refreshed in place, keys, and making text of strangers
// fit to be printed.
package terminal
