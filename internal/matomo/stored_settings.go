package matomo

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/queuedtracking/queuedtracking/internal/php"
)

// settingRow is a row of table plugin_setting or site_setting (spec §13.3).
type settingRow struct {
	Name  string `db:"setting_name"`
	Value string `db:"setting_value"`
	JSON  bool   `db:"json_encoded"`
}

func (r settingRow) value() php.Value {
	if !r.JSON {
		return php.String(r.Value)
	}
	value, _ := php.DecodeJSON(r.Value) // null when it is no JSON
	return value
}

// addSetting adds a row: several of one name make a list of their values, one in JSON replaces what came before.
func addSetting[K comparable](settings map[K]php.Value, key K, row settingRow) {
	before, known := settings[key]
	if row.JSON || !known {
		settings[key] = row.value()
		return
	}
	list := php.NewArray(2)
	if before.IsArray() {
		list = before.Array().Clone()
	} else {
		list.Append(before)
	}
	list.Append(row.value())
	settings[key] = php.ArrayValue(list)
}

// PluginSettings returns the system settings of a plugin (spec §13.3) that have a value. A setting of several
// rows is a list.
func (i *Installation) PluginSettings(ctx context.Context, plugin string) (map[string]php.Value, error) {
	var rows []settingRow
	query := "SELECT setting_name, setting_value, json_encoded FROM " + i.Table("plugin_setting") +
		" WHERE plugin_name = ? AND user_login = '' ORDER BY idplugin_setting"
	if err := sqlx.SelectContext(ctx, i.db, &rows, query, plugin); err != nil {
		return nil, fmt.Errorf("settings of plugin %s: %w", plugin, err)
	}
	settings := make(map[string]php.Value, len(rows))
	for _, row := range rows {
		if row.JSON && !json.Valid([]byte(row.Value)) {
			return nil, fmt.Errorf("settings of plugin %s: %s is no JSON", plugin, row.Name)
		}
		addSetting(settings, row.Name, row)
	}
	for name, value := range settings {
		if value.IsNull() {
			delete(settings, name)
		}
	}
	return settings, nil
}
