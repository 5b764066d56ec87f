package rows_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/queuedtracking/queuedtracking/internal/rows"
)

func row(cells ...any) rows.Row {
	r := make(rows.Row)
	for i := 0; i < len(cells); i += 2 {
		value := cells[i+1]
		if n, ok := value.(int); ok {
			value = rows.Number(fmt.Sprint(n))
		}
		r[cells[i].(string)] = value
	}
	return r
}

func TestNumbersOfRowsDoNotMatter(t *testing.T) {
	side := func(visit, link, action, plugin int, name string) rows.Set {
		return rows.Set{
			Tables: rows.Tables{
				"log_visit":             {row("idvisit", visit, "visit_entry_idaction_url", action, "last_idlink_va", link)},
				"log_link_visit_action": {row("idlink_va", link, "idvisit", visit, "idaction_url", action+1)},
				"log_action":            {row("idaction", action+1, "name", "new", "type", 1, "url_prefix", nil)},
				"plugin_rows":           {row("id", plugin, "idvisit", visit, "what", "x")},
			},
			Names: []rows.Row{row("idaction", action, "name", name, "type", 1, "url_prefix", 2)},
		}
	}
	rule := rows.Rule{Counters: map[string]string{"plugin_rows": "id"}}
	if d := rule.Compare(side(1, 2, 3, 4, "old"), side(11, 12, 13, 14, "old")); len(d) != 0 {
		t.Errorf("differences %v, want none", d)
	}
	d := rule.Compare(side(1, 2, 3, 4, "old"), side(11, 12, 13, 14, "other"))
	if len(d) != 1 || d[0].Column != "visit_entry_idaction_url" || d[0].Row != 1 ||
		d[0].Want != "action(1,2,old)" || d[0].Got != "action(1,2,other)" {
		t.Errorf("differences %+v, want one of the name", d)
	}
}

func TestDifferencesTellBothValues(t *testing.T) {
	table := func(list ...rows.Row) rows.Set { return rows.Set{Tables: rows.Tables{"option": list}} }
	want := table(row("option_name", "a", "option_value", "1"), row("option_name", "b", "option_value", nil))
	var asked []string
	rule := rows.Rule{
		Ignore: map[string]bool{"option.autoload": true},
		Alike: func(table, column string, want, got rows.Row) bool {
			asked = append(asked, fmt.Sprint(table, " ", column, " ", want[column], " ", got[column]))
			return got[column] == "2"
		},
	}
	if d := rule.Compare(want, table(row("option_name", "b", "option_value", nil, "autoload", 1),
		row("option_name", "a", "option_value", "2"))); len(d) != 0 {
		t.Errorf("differences %v, want none", d)
	}
	got := rule.Compare(want, table(row("option_name", "a", "option_value", "3")))
	var texts []string
	for _, d := range got {
		texts = append(texts, fmt.Sprint(d.Table, " ", d.Column, " ", d.Row, " ", d.Want, " ", d.Got))
	}
	if d := cmp.Diff([]string{"option  0 2 1", `option option_value 1 text "1" text "3"`}, texts); d != "" {
		t.Errorf("-want +got\n%s\nasked %q", d, asked)
	}
}
