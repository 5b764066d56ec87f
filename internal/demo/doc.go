// Package demo invents tracking requests as visitors of three small sites would cause them, sets up an installation on
// SQLite to track them in, and reports what came out. Nothing of it is needed to process a real queue.
package demo
