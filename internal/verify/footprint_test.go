package verify

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStatementsLeaveFootprints(t *testing.T) {
	t.Parallel()
	type want struct {
		changes bool
		values  []string
	}
	for _, test := range []struct {
		name, sql string
		values    []string
		want      map[string]want
	}{
		{"a read", "SELECT * FROM t WHERE a = 5", nil, nil},
		{
			"an insertion", "INSERT INTO `m_log` (a, b) VALUES (?, 7), (NULL, 'x''y')",
			[]string{"1"},
			map[string]want{"m_log": {false, []string{"1", "7", "x'y"}}},
		},
		{
			"duplicates", "INSERT IGNORE INTO m_option (a) VALUES (?) ON DUPLICATE KEY UPDATE a = VALUES(a)",
			[]string{"name"},
			map[string]want{"m_option": {true, []string{"name"}}},
		},
		{
			"a change", "update m_visit FORCE INDEX (PRIMARY) set a = CASE `id` WHEN 3 THEN 4 END WHERE `id` IN (3,12)", nil,
			map[string]want{"m_visit": {true, []string{"12", "3", "4"}}},
		},
		{"another database", "DELETE FROM `db`.`m_x` WHERE id=?", []string{"9"}, map[string]want{"m_x": {true, []string{"9"}}}},
		{"named parameters", "UPDATE m_x SET a = :a WHERE id = :b", []string{"1", "2"}, map[string]want{"m_x": {true, []string{"1", "2"}}}},
		{"a comment", "/* plugin */ REPLACE INTO m_x VALUES (5)", nil, map[string]want{"m_x": {true, []string{"5"}}}},
		{
			"several", "SAVEPOINT s;INSERT INTO m_a (x) VALUES (?, ';');SET @qt1 = LAST_INSERT_ID();UPDATE m_b SET c=@qt1+0 WHERE d=?",
			[]string{"1", "2"},
			map[string]want{"m_a": {false, []string{"1", ";"}}, "m_b": {true, []string{"0", "2"}}},
		},
		{"an open quote", "INSERT INTO m_a VALUES ('abc", nil, map[string]want{"m_a": {false, []string{"abc"}}}},
	} {
		f := make(footprint)
		f.note(test.sql, test.values)
		got := make(map[string]want)
		for name, touched := range f {
			got[name] = want{touched.changes, slices.Sorted(maps.Keys(touched.values))}
		}
		if test.want == nil {
			test.want = map[string]want{}
		}
		if d := cmp.Diff(test.want, got, cmp.AllowUnexported(want{})); d != "" {
			t.Errorf("%s: -want +got\n%s", test.name, d)
		}
	}
}

func TestFootprintsAreJoinedAndTakenApart(t *testing.T) {
	t.Parallel()
	a, b := make(footprint), make(footprint)
	a.note("UPDATE x SET n = 1 WHERE id = 5", nil)
	b.note("INSERT INTO x VALUES (5)", nil)
	b.note("INSERT INTO y VALUES (6)", nil)
	both := a.union(b)
	if !both["x"].changes || both["y"].changes || len(both["x"].values) != 2 || !both["y"].values["6"] {
		t.Errorf("union %+v %+v", both["x"], both["y"])
	}
	rest := b.without(a)
	if len(rest["x"].values) != 0 || len(rest["y"].values) != 1 {
		t.Errorf("rest %+v %+v", rest["x"], rest["y"])
	}
}
