package testserver

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/jmoiron/sqlx"
)

// GaleraCluster is a Galera cluster of three MariaDB nodes, each of which has all data and takes writes.
type GaleraCluster struct{ Nodes []*GaleraNode }

// GaleraNode is one of them. Start, after a Kill, returns when the node has caught up.
type GaleraNode struct {
	MariaDBServer
	members string // addresses of all nodes, of which any one will do
	scripts string // folder of the script that transfers the state
	port    int    // for the others
	catchUp int    // where it listens for writesets that it has missed
	founded bool   // the cluster exists: join it
}

// galeraLibrary is the replication itself, of Debian's package galera-4.
const galeraLibrary = "/usr/lib/galera/libgalera_smm.so"

// Galera starts a cluster that ends with the test. Nodes that are gone are given up after two to three seconds.
func Galera(t testing.TB) *GaleraCluster {
	t.Helper()
	if _, err := os.Stat(galeraLibrary); err != nil {
		t.Fatalf("%v: apt-get install galera-4, or run scripts/install-servers.sh", err)
	}
	binary := program(t, "mariadbd", "mariadb-server")
	install := program(t, "mariadb-install-db", "mariadb-server")
	scripts, err := transferScript()
	if err != nil {
		t.Fatal(err)
	}
	c := new(GaleraCluster)
	var members []string
	for i := range 3 {
		n, err := newGaleraNode(binary, i)
		if err != nil {
			t.Fatalf("Galera: %v", err)
		}
		t.Cleanup(n.remove)
		n.scripts = scripts
		members = append(members, fmt.Sprintf("127.0.0.1:%d", n.port))
		c.Nodes = append(c.Nodes, n)
	}
	for i, n := range c.Nodes {
		n.members, n.founded = strings.Join(members, ","), i > 0
		data := n.data()
		if i == 0 {
			err = freshDatadir(binary, install, data)
		} else {
			err = os.CopyFS(data, os.DirFS(c.Nodes[0].dir+"/founded"))
		}
		if err == nil {
			err = n.startOnFreePort(func(port int) { n.Port, n.Addr = port, fmt.Sprintf("%s:%d", n.Host, port) })
		}
		if err == nil && i == 0 {
			err = n.found()
		}
		if err != nil {
			t.Fatalf("Galera: node %d: %v", i, err)
		}
		n.founded = true
	}
	c.WaitUntilWhole(t)
	return c
}

// WaitUntilWhole waits until all nodes take statements and agree that they are all there. One that was away may not
// have noticed it.
func (c *GaleraCluster) WaitUntilWhole(t testing.TB) {
	t.Helper()
	Eventually(t, "all nodes are there", func() bool { return c.agree(c.Nodes, len(c.Nodes)) })
}

// WaitUntilGone waits until the other nodes go on without one.
func (c *GaleraCluster) WaitUntilGone(t testing.TB, gone *GaleraNode) {
	t.Helper()
	others := slices.DeleteFunc(slices.Clone(c.Nodes), func(n *GaleraNode) bool { return n == gone })
	Eventually(t, "the others have given the node up", func() bool { return c.agree(others, len(others)) })
}

// agree reports whether the nodes take statements and see the same cluster of so many nodes.
func (c *GaleraCluster) agree(nodes []*GaleraNode, size int) bool {
	views := make(map[string]bool)
	for _, n := range nodes {
		if !n.Running() || n.status("wsrep_cluster_size") != strconv.Itoa(size) || !n.Ready() {
			return false
		}
		views[n.status("wsrep_cluster_conf_id")] = true
	}
	return len(views) == 1
}

//go:embed galera_sst.sh
var transfer []byte

// transferScript puts the script where the servers find it by its name.
func transferScript() (folder string, err error) {
	if folder, err = newFolder("sst"); err == nil {
		err = os.WriteFile(filepath.Join(folder, "wsrep_sst_local"), transfer, 0o755)
	}
	return folder, err
}

// newGaleraNode prepares a node without data.
func newGaleraNode(binary string, number int) (n *GaleraNode, err error) {
	n = &GaleraNode{MariaDBServer: MariaDBServer{Host: "127.0.0.1"}}
	if n.dir, err = newFolder("galera"); err != nil {
		return nil, err
	}
	n.Socket = filepath.Join(n.dir, "m.sock")
	for _, port := range []*int{&n.port, &n.catchUp} {
		if *port, err = freePort(); err != nil {
			return nil, err
		}
	}
	n.argv = func() []string { return n.command(binary, fmt.Sprintf("node%d", number)) }
	n.ready = n.synced
	return n, nil
}

func (n *GaleraNode) data() string { return filepath.Join(n.dir, "data") }

// found keeps a copy of what the new cluster has, with which others can join: all that they lack are writesets.
func (n *GaleraNode) found() error {
	n.stop(syscall.SIGTERM)
	copied := filepath.Join(n.dir, "founded")
	if err := os.CopyFS(copied, os.DirFS(n.data())); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(copied, "galera.cache")); err != nil {
		return err
	}
	return n.start()
}

// command is what starts the node. After a crash it first asks InnoDB how far it has come.
func (n *GaleraNode) command(binary, name string) []string {
	data := n.data()
	command := append([]string{"/usr/bin/env", "PATH=" + n.scripts + ":" + os.Getenv("PATH"), binary}, n.flags(data)...)
	command = append(command, "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", "--wsrep-on=ON",
		"--wsrep-provider="+galeraLibrary, "--wsrep-cluster-name=test", "--wsrep-node-name="+name,
		"--wsrep-node-address=127.0.0.1", "--wsrep-sst-method=local", "--wsrep-cluster-address=gcomm://"+n.members,
		"--wsrep-provider-options="+strings.Join([]string{
			fmt.Sprintf("base_port=%d", n.port), fmt.Sprintf("gmcast.listen_addr=tcp://127.0.0.1:%d", n.port),
			fmt.Sprintf("ist.recv_addr=127.0.0.1:%d", n.catchUp), "gcache.size=64M", "evs.keepalive_period=PT0.5S",
			"evs.inactive_check_period=PT0.5S", "evs.suspect_timeout=PT2S", "evs.inactive_timeout=PT6S",
			"evs.install_timeout=PT4S", "gmcast.peer_timeout=PT3S",
		}, ";"))
	if !n.founded {
		return append(command, "--wsrep-new-cluster")
	}
	state, _ := os.ReadFile(filepath.Join(data, "grastate.dat"))
	if !strings.Contains(string(state), "-1") { // it has ended in an orderly way
		return command
	}
	log := filepath.Join(n.dir, "recovery.err")
	_ = os.Remove(log)
	_ = exec.Command(command[0], append(command[1:], "--wsrep-recover", "--log-error="+log)...).Run()
	found, _ := os.ReadFile(log)
	if _, position, ok := strings.Cut(string(found), "Recovered position: "); ok {
		position, _, _ = strings.Cut(position, "\n")
		command = append(command, "--wsrep-start-position="+position)
	}
	return command
}

// synced is nil once the node takes part in the cluster and has what the others have.
func (n *GaleraNode) synced() error {
	if err := n.ping(); err != nil {
		return err
	}
	if state := n.status("wsrep_local_state_comment"); state != "Synced" || n.status("wsrep_ready") != "ON" {
		return fmt.Errorf("the node is not ready: %s", state)
	}
	return nil
}

// status is one of the server's variables of state, "" when it does not answer.
func (n *GaleraNode) status(variable string) (value string) {
	db, err := sqlx.Connect("mysql", n.DSN(""))
	if err != nil {
		return ""
	}
	defer db.Close()
	_ = db.QueryRow("SHOW GLOBAL STATUS LIKE '"+variable+"'").Scan(&variable, &value)
	return value
}

// Ready reports whether the node takes statements at the moment.
func (n *GaleraNode) Ready() bool { return n.Running() && n.synced() == nil }

// Isolate cuts the node off from the others: it refuses statements as soon as it knows (error 1047). Join ends that.
func (n *GaleraNode) Isolate(t testing.TB) { t.Helper(); n.isolate(t, 1) }

// Join lets an isolated node find the others.
func (n *GaleraNode) Join(t testing.TB) { t.Helper(); n.isolate(t, 0) }

func (n *GaleraNode) isolate(t testing.TB, how int) {
	t.Helper()
	if err := n.exec(fmt.Sprintf("SET GLOBAL wsrep_provider_options = 'gmcast.isolate=%d'", how)); err != nil {
		t.Fatalf("isolate: %v", err)
	}
}
