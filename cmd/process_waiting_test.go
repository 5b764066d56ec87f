package cmd

import (
	"os"
	"testing"
	"time"

	"github.com/queuedtracking/queuedtracking/internal/testing/testserver"
	"github.com/queuedtracking/queuedtracking/lock"
	"github.com/queuedtracking/queuedtracking/queue"
	"github.com/queuedtracking/queuedtracking/replay"
)

// sets puts so many sets into each queue.
func (i *installation) sets(t *testing.T, counts ...int) {
	t.Helper()
	for id, n := range counts {
		for range n {
			i.addTo(t, id, pageView("a"))
		}
	}
}

func TestWhatWaitsIsToldWithTheReason(t *testing.T) {
	const takes = ", left for later. --force-num-requests-process-at-once 1 takes them\n"
	for _, test := range []struct {
		name  string
		sets  []int
		args  []string
		spoil func(*testing.T, *installation)
		want  string // what follows the numbers; "" for nothing
	}{
		{"nothing waits", []int{25}, nil, nil, ""},
		{"too few", []int{10}, nil, nil, "10 request sets wait in queue 0: fewer than 25" + takes},
		{"one is too few", []int{0, 1}, nil, nil, "1 request set waits in queue 1: fewer than 25" + takes},
		{
			"too few in many queues",
			[]int{3, 3, 3, 0, 3, 3, 0, 30},
			nil, nil,
			"20 request sets wait in 6 queues (0-2, 4, 5, 7): fewer than 25 in each" + takes,
		},
		{
			"another number",
			[]int{10},
			[]string{"--force-num-requests-process-at-once", "12"},
			nil,
			"10 request sets wait in queue 0: fewer than 12" + takes,
		},
		{
			"not asked for",
			[]int{30, 25, 30, 1},
			[]string{"--queue-id", "1"},
			nil,
			"61 request sets wait in 3 queues (0, 2, 3): left by --queue-id 1\n",
		},
		{"locked", []int{30, 30, 7}, nil, func(t *testing.T, i *installation) {
			for id := range 2 {
				if _, err := i.backend.SetIfNotExists(t.Context(), lock.Key(id), "another", time.Minute); err != nil {
					t.Fatal(err)
				}
			}
		}, "60 request sets wait in 2 queues (0, 1): locked by another worker; " +
			"\"queuedtracking lock-status\" says for how long\n" +
			"7 request sets wait in queue 2: fewer than 25" + takes},
		{
			"limit of batches",
			[]int{60},
			[]string{"--max-batches", "1"},
			nil,
			"35 request sets wait in queue 0: --max-batches 1 is reached\n",
		},
		{"dry run", []int{30, 3}, []string{"--dry-run"}, nil, "3 request sets wait in queue 1: fewer than 25" + takes},
		{"quiet", []int{10}, []string{"-q"}, nil, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			i := newInstallation(t)
			i.sets(t, test.sets...)
			if test.spoil != nil {
				test.spoil(t, i)
			}
			r := i.ok(t, append([]string{"process", "--num-queue-workers", "8"}, test.args...)...)
			if got := waitingPart(r.stdout); got != test.want {
				t.Errorf("says\n%swants\n%s", got, test.want)
			}
		})
	}
}

func TestStoppedRunSaysWhatWaits(t *testing.T) {
	i := newInstallation(t)
	i.sets(t, 30)
	r := i.run(t, []string{"process", "--num-queue-workers", "1"}, func(p *program) {
		p.signals <- os.Interrupt
		clock := p.clock
		p.clock = func() time.Time { <-p.stop; return clock() }
	})
	if got := waitingPart(r.stdout); got != "30 request sets wait in queue 0: this run was stopped\n" {
		t.Errorf("says\n%s", got)
	}
}

func TestReasonsForWhatIsLeft(t *testing.T) {
	c := &processCommand{
		program: &program{stop: make(chan struct{})},
		conn:    &connection{config: newInstallation(t).config(t)}, force: 25,
	}
	full := replay.Summary{Full: []int{3}, Refused: []int{4}}
	for _, test := range []struct {
		queue  int
		sets   int64
		locked bool
		failed error
		want   whyLeft
	}{
		{3, 500, false, replay.ErrTooManyLetters, leftDeadLetters},
		{3, 5, false, nil, leftDeadLetters},
		{4, 5, false, replay.ErrAllRefused, leftRefused},
		{2, 500, false, replay.ErrTooManyLetters, leftError},
		{2, 500, true, replay.ErrTooManyLetters, leftLocked},
		{2, 24, true, nil, leftTooFew},
		{2, 25, false, nil, leftNew},
	} {
		got := c.whyLeft(full, leftQueue{Queue: test.queue, Sets: test.sets}, test.locked, test.failed)
		if got != test.want || c.explain(got) == "" {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

func TestQueuesAreNamedInOneLine(t *testing.T) {
	for _, test := range []struct {
		ids  []int
		want string
	}{
		{[]int{3}, "queue 3"},
		{[]int{0, 1}, "2 queues (0, 1)"},
		{[]int{0, 1, 2}, "3 queues (0-2)"},
		{[]int{1, 3, 5}, "3 queues (1, 3, 5)"},
		{[]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, "16 queues (0-15)"},
	} {
		if got := queueNames(test.ids); got != test.want {
			t.Errorf("%v: %s, want %s", test.ids, got, test.want)
		}
	}
}

// A server that goes away at the end is no reason to fail.
func TestWhatCannotBeFoundOutIsNoFailure(t *testing.T) {
	server := testserver.Redis(t)
	backend, err := queue.NewRedis(queue.RedisOptions{Host: server.Host, Port: server.Port})
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	manager, err := queue.NewManager(backend, 1)
	if err != nil {
		t.Fatal(err)
	}
	server.Stop(t)
	var out, log testserver.Buffer
	c := &processCommand{program: &program{stdout: &out, logs: newLogger(&log)}, conn: &connection{
		backend: backend,
		manager: manager,
	}}
	c.conclude(t.Context(), replay.Summary{}, nil)
	contains(t, log.String(), "cannot find out what waits in the queues", "connection refused")
	if text := waitingPart(out.String()); text != "" {
		t.Errorf("says %s", text)
	}
	log = testserver.Buffer{}
	c.conclude(t.Context(), replay.Summary{}, queue.ErrUnavailable) // which is told anyway
	lacks(t, log.String(), "cannot find out")
}
