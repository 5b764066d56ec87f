// Package terminal is about writing for people: how wide their terminal is and what it can do, text that fits into
// it, a progress bar, a screen that is refreshed in place, keys, and making text of strangers fit to be printed.
package terminal
