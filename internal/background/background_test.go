package background

import (
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain lets the test program be the process that the tests look at.
func TestMain(m *testing.M) {
	if os.Getenv("BACKGROUND_TEST") != "" {
		Work()
		Work()
		var busy sync.WaitGroup
		for range 2 * runtime.NumCPU() { // so that there are threads which were started later
			busy.Go(func() {
				runtime.LockOSThread()
				time.Sleep(10 * time.Millisecond)
			})
		}
		println(policies())
		println(runtime.GOMAXPROCS(0) - Cores)
		busy.Wait()
		return
	}
	os.Exit(m.Run())
}

// policies are those of the process' threads, each once.
func policies() string {
	files, _ := os.ReadDir("/proc/self/task")
	var found []string
	for _, f := range files {
		text, err := os.ReadFile("/proc/self/task/" + f.Name() + "/stat")
		if err != nil {
			continue
		}
		const policy = 38 // behind the name, see proc(5)
		p := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))[policy]
		if !slices.Contains(found, p) {
			found = append(found, p)
		}
	}
	return strings.Join(found, " ")
}

func TestWork(t *testing.T) {
	const batch, idle = "3", "5"
	for _, c := range []struct {
		about     string
		env       []string
		command   []string
		policy    string
		goroutine int
	}{
		{"as started from a shell", nil, nil, batch, 1},
		{"GOMAXPROCS chosen", []string{"GOMAXPROCS=" + strconv.Itoa(runtime.NumCPU())}, nil, batch, 0},
		{"policy chosen", nil, []string{"chrt", "--idle", "0"}, idle, 1},
	} {
		t.Run(c.about, func(t *testing.T) {
			if runtime.GOOS != "linux" {
				t.Skip("no policies here")
			}
			if c.command != nil {
				if _, err := exec.LookPath(c.command[0]); err != nil {
					t.Skip(err)
				}
			}
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			args := append(c.command, self)
			cmd := exec.Command(args[0], args[1:]...)
			cmd.Env = append(os.Environ(), append(c.env, "BACKGROUND_TEST=1")...)
			out, err := cmd.CombinedOutput()
			if want := c.policy + "\n" + strconv.Itoa(c.goroutine) + "\n"; err != nil || string(out) != want {
				t.Errorf("%q, want %q, %v", out, want, err)
			}
		})
	}
}
