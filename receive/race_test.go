//go:build race

package receive

// memoryBound is how much the test of abuse may need, in KiB: the race detector has its own view of memory.
const memoryBound = 4 << 20
