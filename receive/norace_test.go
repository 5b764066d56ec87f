//go:build !race

package receive

// memoryBound is how much the test of abuse may need, in KiB.
const memoryBound = 512 << 10
