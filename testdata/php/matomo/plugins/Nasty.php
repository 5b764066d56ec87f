<?php

namespace Piwik\Plugins;

use Piwik\Tracker;

/** A plugin that does, after its request was tracked, what the parameter "nasty" says. */
class Nasty
{
    public static function on($event)
    {
        if ($event === 'Tracker.end') {
            @file_put_contents(PIWIK_INCLUDE_PATH . '/ended', "\n", FILE_APPEND);
        }
    }

    public static function before(Tracker\Request $request)
    {
        if ($request->param('nasty') === 'swallow') { // hides that the rows of others are gone
            Tracker::getDatabase()->query('ROLLBACK');
        }
    }

    public static function after(Tracker\Request $request)
    {
        $db = Tracker::getDatabase();
        switch ($request->param('nasty')) {
            case 'exit':
                exit(0);
            case 'exit once':
                if (self::first('exit once')) {
                    exit(0);
                }
                break;
            case 'memory':
                $all = [];
                while (true) {
                    $all[] = str_repeat('x', 1 << 20);
                }
            case 'loop':
                while (true) {
                    usleep(1000);
                }
            case 'kill':
                posix_kill(getmypid(), 9);
                break;
            case 'kill once':
                if (self::first('kill once')) {
                    posix_kill(getmypid(), 9);
                }
                break;
            case 'fatal':
                eval('class Twice {} class Twice {}');
                break;
            case 'print':
                echo "<p>\e[31mred</p>\n";
                while (ob_get_level() > 0) {
                    ob_end_clean();
                }
                echo "{\"op\":\"committed\"}\n";
                fwrite(STDERR, str_repeat("noise\n", 100));
                trigger_error('a warning');
                break;
            case 'ddl':
                $db->query('CREATE TABLE IF NOT EXISTS matomo_nasty (id INT)');
                break;
            case 'table':
                $db->query('INSERT INTO matomo_nasty_log (what) VALUES (?)', [$request->param('url')]);
                break;
            case 'begin':
                $db->query('START TRANSACTION');
                break;
            case 'throw':
                throw new \Exception('no, says Matomo');
            case 'type':
                throw new \TypeError('an array where a text is wanted');
            case 'error':
                self::{'no such method'}();
                break;
            case 'too long':
                $db->query("UPDATE matomo_log_visit SET user_id = REPEAT('x', 300) LIMIT 1");
                break;
            case 'signal':
                $db->query("SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'a rule of a table', MYSQL_ERRNO = 1644");
                break;
            case 'no table':
                $db->query('SELECT 1 FROM matomo_not_there');
                break;
            case 'deadlock once':
                if (self::first('deadlock once')) {
                    $db->query("SIGNAL SQLSTATE '40001' SET MESSAGE_TEXT = 'Deadlock found', MYSQL_ERRNO = 1213");
                }
                break;
            case 'cut once':
                if (self::first('cut once')) {
                    $db->query('KILL CONNECTION_ID()');
                }
                break;
        }
    }

    private static function first(string $what): bool
    {
        $file = PIWIK_INCLUDE_PATH . '/' . strtr($what, ' ', '-');
        if (file_exists($file)) {
            return false;
        }
        touch($file);
        return true;
    }
}
