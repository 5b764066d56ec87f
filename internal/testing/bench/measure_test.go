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

// meter reads what a run costs: wall time, CPU time of this process and of the servers that it has started,
// allocations.
type meter struct {
	started     time.Time
	own         time.Duration
	servers     map[string]time.Duration
	machine     machine
	allocations uint64
}

func startMeter() *meter {
	m := &meter{started: time.Now(), own: ownCPU(), servers: serverCPU(), machine: machineCPU()}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	m.allocations = stats.Mallocs
	return m
}

// cost is what happened between startMeter and stop, and what it was for.
type cost struct {
	wall        time.Duration
	own         time.Duration
	servers     map[string]time.Duration
	machine     machine
	allocations uint64

	requests, batches int
	statements        int             // of the database
	latencies         []time.Duration // of the batches
}

func (m *meter) stop() cost {
	c := cost{wall: time.Since(m.started), own: ownCPU() - m.own, servers: make(map[string]time.Duration)}
	for name, used := range serverCPU() {
		c.servers[name] = used - m.servers[name]
	}
	now := machineCPU()
	c.machine = machine{now.busy - m.machine.busy, now.idle - m.machine.idle, now.stolen - m.machine.stolen}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	c.allocations = stats.Mallocs - m.allocations
	return c
}

// speed is in requests per second.
func (c cost) speed() float64 { return float64(c.requests) / c.wall.Seconds() }

// cores is how many cores have spent so much time in this way, on average.
func (c cost) cores(spent time.Duration) float64 { return spent.Seconds() / c.wall.Seconds() }

func (c cost) String() string {
	perThousand := func(used time.Duration) float64 { return used.Seconds() * 1000 / float64(c.requests) }
	return fmt.Sprintf(
		"CPU s per 1,000: own %.3f, database %.3f, redis %.3f; cores: %.2f busy, %.2f idle, %.2f stolen; "+
			"%.1f statements per batch; %d allocations per request; batch p50 %s, p99 %s",
		perThousand(c.own), perThousand(c.servers["mariadbd"]), perThousand(c.servers["redis-server"]),
		c.cores(c.machine.busy), c.cores(c.machine.idle), c.cores(c.machine.stolen),
		float64(c.statements)/float64(c.batches), c.allocations/uint64(c.requests),
		percentile(c.latencies, 50).Round(10*time.Microsecond), percentile(c.latencies, 99).Round(10*time.Microsecond))
}

// sum adds up.
func sum(costs []cost) cost {
	total := cost{servers: make(map[string]time.Duration)}
	for _, c := range costs {
		total.wall += c.wall
		total.own += c.own
		for name, used := range c.servers {
			total.servers[name] += used
		}
		total.machine.busy += c.machine.busy
		total.machine.idle += c.machine.idle
		total.machine.stolen += c.machine.stolen
		total.allocations += c.allocations
		total.requests += c.requests
		total.batches += c.batches
		total.statements += c.statements
		total.latencies = append(total.latencies, c.latencies...)
	}
	return total
}

func speeds(costs []cost) []float64 {
	all := make([]float64, len(costs))
	for i, c := range costs {
		all[i] = c.speed()
	}
	return all
}

func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func ownCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// machine is how all cores have spent their time. Stolen is what the host of a virtual machine gave to others while
// there was work here.
type machine struct{ busy, idle, stolen time.Duration }

func machineCPU() (m machine) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return m
	}
	line, _, _ := strings.Cut(string(text), "\n")
	const idle, iowait, steal, guest = 3, 4, 7, 8
	for i, field := range strings.Fields(line)[1:] {
		ticks, _ := strconv.Atoi(field)
		spent := time.Duration(ticks) * time.Second / ticksPerSecond
		switch {
		case i == idle, i == iowait:
			m.idle += spent
		case i == steal:
			m.stolen += spent
		case i < guest: // guests are counted as user's time, too
			m.busy += spent
		}
	}
	return m
}

const ticksPerSecond = 100 // USER_HZ

// serverCPU is the CPU time of the servers below this process, by program.
func serverCPU() map[string]time.Duration {
	used := make(map[string]time.Duration)
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
