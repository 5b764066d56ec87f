package testserver

import (
	"strings"
	"testing"

	"github.com/gomodule/redigo/redis"
)

func TestSentinelsReplaceADeadMaster(t *testing.T) {
	s := Sentinel(t)
	master := s.Master(t)
	if master != s.Data[0] || len(s.Addrs()) != 3 {
		t.Fatalf("master %s, Sentinels %v", master.Addr, s.Addrs())
	}
	conn := master.Dial(t)
	if _, err := conn.Do("SET", "k", "v"); err != nil {
		t.Fatal(err)
	}
	if n, err := redis.Int(conn.Do("WAIT", 1, 5000)); n != 1 || err != nil {
		t.Fatalf("%d replicas, %v", n, err)
	}
	master.Kill(t)
	if got, err := redis.String(s.WaitForMasterOtherThan(t, master).Dial(t).Do("GET", "k")); got != "v" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestClusterMovesSlotsAndReplacesADeadMaster(t *testing.T) {
	c := Cluster(t)
	const slot = 7629 // of key "k"
	from := c.Master(slot)
	if _, err := from.Dial(t).Do("SET", "k", "v"); err != nil {
		t.Fatal(err)
	}
	to := c.Nodes[0]
	if from == to {
		to = c.Nodes[1]
	}
	c.MoveSlot(t, slot, to, nil)
	if c.Master(slot) != to {
		t.Error("slot has not moved")
	}
	if _, err := from.Dial(t).Do("GET", "k"); err == nil || !strings.HasPrefix(err.Error(), "MOVED") {
		t.Errorf("asked where it was: %v", err)
	}
	conn := to.Dial(t)
	if _, err := conn.Do("SET", "{k}", "WAIT waits for what its own connection has written, and so for what came before"); err != nil {
		t.Fatal(err)
	}
	if n, err := redis.Int(conn.Do("WAIT", 1, 5000)); n != 1 || err != nil {
		t.Fatalf("%d replicas, %v", n, err)
	}
	to.Kill(t)
	now := c.WaitForMasterOtherThan(t, to, slot)
	if got, err := redis.String(now.Dial(t).Do("GET", "k")); got != "v" {
		t.Errorf("got %q, %v", got, err)
	}
}
