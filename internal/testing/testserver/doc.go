// Package testserver starts private real servers for tests: redis-server and mariadbd, on free ports of 127.0.0.1 and
// on unix sockets, with data in folders of their own that vanish with the test.
//
// A server started for one test (Redis, or MariaDB with options) ends with that test. The shared ones (RedisDatabase,
// MariaDB without options) start at their first use in a test binary and serve all its tests, each with a database of
// its own; a TestMain that returns Run(m) stops them in an orderly way:
//
//	func TestMain(m *testing.M) { os.Exit(testserver.Run(m)) }
//
// No server outlives its test binary: on Linux the kernel kills it when the binary ends, however that happens. Folders
// left by a killed binary are removed by the next one. A missing server program fails the test and names the Debian
// package to install.
package testserver
