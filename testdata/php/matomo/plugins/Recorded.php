<?php

namespace Piwik\Plugins;

use Piwik\Tracker;

/**
 * Writes rows that a test has recorded for a request (file recorded.json, by the request's parameter "recorded"): a
 * visit with its actions, in the order and with the numbers that the tables then give. So the rows of this Matomo in
 * miniature are those of a real one where a test needs that.
 */
class Recorded
{
    private static $all;

    /** Reports whether there was something recorded for the request. */
    public static function write(Tracker\Request $request): bool
    {
        if (self::$all === null) {
            $file = PIWIK_INCLUDE_PATH . '/recorded.json';
            self::$all = is_file($file) ? json_decode(file_get_contents($file), true) : [];
        }
        $rows = self::$all[$request->param('recorded')] ?? null;
        if ($rows === null) {
            return false;
        }
        $ids = [];
        foreach ($rows['actions'] as $action) {
            $ids[$action['idaction']] = self::action($action);
        }
        $visit = self::insert('log_visit', 'idvisit', $rows['visit'], $ids, null);
        foreach ($rows['links'] as $row) {
            $link = self::insert('log_link_visit_action', 'idlink_va', $row, $ids, $visit);
            if ($rows['visit']['last_idlink_va'] !== null) {
                Tracker::getDatabase()->query('UPDATE matomo_log_visit SET last_idlink_va = ? WHERE idvisit = ?',
                    [$link, $visit]);
            }
        }
        return true;
    }

    private static function action(array $row)
    {
        $db = Tracker::getDatabase();
        $id = $db->fetchOne('SELECT idaction FROM matomo_log_action WHERE hash = ? AND name = ? AND type = ?',
            [$row['hash'], $row['name'], $row['type']]);
        if ($id) {
            return $id;
        }
        $db->query('INSERT INTO matomo_log_action (name, hash, type, url_prefix) VALUES (?, ?, ?, ?)',
            [$row['name'], $row['hash'], $row['type'], $row['url_prefix']]);
        return $db->lastInsertId();
    }

    /** Inserts a row whose cells are hexadecimal, without its number. */
    private static function insert(string $table, string $counter, array $row, array $ids, $visit)
    {
        $values = [];
        foreach ($row as $column => $hex) {
            $value = $hex === null ? null : hex2bin($hex);
            if (strpos($column, 'idaction') !== false && isset($ids[$value])) {
                $value = $ids[$value];
            } elseif ($column === 'idvisit') {
                $value = $visit;
            }
            if ($column !== $counter && $column !== 'last_idlink_va') {
                $values[$column] = $value;
            }
        }
        $db = Tracker::getDatabase();
        $db->query("INSERT INTO matomo_$table (" . implode(', ', array_keys($values)) . ') VALUES ('
            . implode(', ', array_fill(0, count($values), '?')) . ')', array_values($values));
        return $db->lastInsertId();
    }
}
