package testserver

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

const childVariable = "QUEUEDTRACKING_TESTSERVER_CHILD"

// TestChild is what TestNoServerOutlivesAKilledTest runs in a process of its own.
func TestChild(t *testing.T) {
	if os.Getenv(childVariable) == "" {
		t.Skip("only as a child of TestNoServerOutlivesAKilledTest")
	}
	fmt.Println("\naddress", Redis(t).Addr)
	select {} // until killed
}

func TestNoServerOutlivesAKilledTest(t *testing.T) {
	child := exec.Command(os.Args[0], "-test.run=^TestChild$")
	tmp, err := os.MkdirTemp("", "qt") // t.TempDir is too long for unix sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(tmp) })
	child.Env = append(os.Environ(), childVariable+"=1", "TMPDIR="+tmp)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	addr := ""
	for lines := bufio.NewScanner(out); addr == "" && lines.Scan(); {
		addr, _ = strings.CutPrefix(lines.Text(), "address ")
		if addr == lines.Text() {
			addr = ""
		}
	}
	if !answers(addr) {
		t.Fatalf("child's server %q does not answer", addr)
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	Eventually(t, "the server answers no more", func() bool { return !answers(addr) })
}

func answers(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
