package bench

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// meter reads what a run costs: wall time, CPU time of this process and of the servers that it has started, allocations.
type meter struct {
	started     time.Time
	own         time.Duration
	servers     map[string]time.Duration
	allocations uint64
}

func startMeter() *meter {
	m := &meter{started: time.Now(), own: ownCPU(), servers: serverCPU()}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	m.allocations = stats.Mallocs
	return m
}

// cost is what happened between startMeter and stop.
type cost struct {
	wall        time.Duration
	own         time.Duration
	servers     map[string]time.Duration
	allocations uint64
}

func (m *meter) stop() cost {
	c := cost{wall: time.Since(m.started), own: ownCPU() - m.own, servers: make(map[string]time.Duration)}
	for name, used := range serverCPU() {
		c.servers[name] = used - m.servers[name]
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	c.allocations = stats.Mallocs - m.allocations
	return c
}

func (c cost) perSecond(requests int) float64 { return float64(requests) / c.wall.Seconds() }

// perThousand is CPU seconds for 1,000 requests.
func perThousand(used time.Duration, requests int) string {
	return fmt.Sprintf("%.3f", used.Seconds()*1000/float64(requests))
}

func ownCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// serverCPU is the CPU time of the servers below this process, by program.
func serverCPU() map[string]time.Duration {
	used := make(map[string]time.Duration)
	const ticksPerSecond = 100 // USER_HZ
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		open, shut := strings.IndexByte(string(text), '('), strings.LastIndexByte(string(text), ')')
		if open < 0 || shut < open {
			continue
		}
		fields := strings.Fields(string(text[shut+1:]))
		const parent, user, system = 1, 11, 12
		if len(fields) <= system || fields[parent] != strconv.Itoa(os.Getpid()) {
			continue
		}
		u, _ := strconv.Atoi(fields[user])
		s, _ := strconv.Atoi(fields[system])
		used[string(text[open+1:shut])] += time.Duration(u+s) * time.Second / ticksPerSecond
	}
	return used
}

// percentile of durations, p in 0…100.
func percentile(durations []time.Duration, p int) time.Duration {
	if len(durations) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[min(len(sorted)-1, len(sorted)*p/100)]
}

// peakMemory is the resident set's greatest size so far, in MB.
func peakMemory() int { return memoryOf(os.Getpid(), "VmHWM:") }

// memoryOf is a number of a process' status, in MB; 0 when it is gone.
func memoryOf(pid int, name string) int {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			kb, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kb >> 10
		}
	}
	return 0
}
