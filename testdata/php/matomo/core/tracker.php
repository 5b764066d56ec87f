<?php

namespace Piwik\Exception {
    class UnexpectedWebsiteFoundException extends \Exception
    {
    }
}

namespace Piwik\Tracker {
    class Cache
    {
        public static function clearCacheGeneral()
        {
        }
    }

    class Request
    {
        public $params;
        public $time;
        private $metadata = [];

        public function __construct(array $params)
        {
            $this->params = $params;
        }

        public function param($name, $default = '')
        {
            return $this->params[$name] ?? $default;
        }

        public function setMetadata($plugin, $key, $value)
        {
            $this->metadata[$plugin][$key] = $value;
        }

        public function getMetadata($plugin, $key)
        {
            return $this->metadata[$plugin][$key] ?? null;
        }
    }

    class RequestSet
    {
        private $requests = [];
        private $env;

        public function restoreState($state)
        {
            $this->env = $state['env'];
            foreach ($state['requests'] as $params) {
                $request = new Request(is_array($params) ? $params : []);
                $request->time = $state['time'];
                $this->requests[] = $request;
            }
        }

        public function restoreEnvironment()
        {
            $_SERVER = $this->env['server'];
            $_COOKIE = $this->env['cookie'];
        }

        public function getRequests()
        {
            return $this->requests;
        }
    }
}

namespace Piwik {
    use Piwik\Exception\UnexpectedWebsiteFoundException;
    use Piwik\Plugins\Nasty;
    use Piwik\Plugins\Recorded;
    use Piwik\Tracker\Db;

    class Tracker
    {
        private static $db;

        public static function getDatabase()
        {
            return self::$db ?? self::$db = new Db();
        }

        public static function loadTrackerEnvironment()
        {
        }

        public function shouldRecordStatistics()
        {
            $config = parse_ini_file(PIWIK_INCLUDE_PATH . '/config/config.ini.php', true);
            return ($config['Tracker']['record_statistics'] ?? '1') !== '0';
        }

        public function trackRequest(Tracker\Request $request)
        {
            $site = (int) $request->param('idsite');
            if ($site < 1) {
                throw new \Exception('Invalid idSite');
            }
            if ($site > 900) {
                self::getDatabase()->query('INSERT IGNORE INTO matomo_tracking_failure (idsite, idfailure, date_first_occurred,
                    request_url) VALUES (?, 1, NOW(), ?)', [$site, $request->param('url')]);
                throw new UnexpectedWebsiteFoundException("no site $site");
            }
            if ($request->param('excluded')) {
                $request->setMetadata('CoreHome', 'isVisitExcluded', true);
                return;
            }
            Nasty::before($request);
            if (!Recorded::write($request)) {
                $this->record($request, $site);
            }
            Nasty::after($request);
        }

        private function record(Tracker\Request $request, int $site)
        {
            $db = self::getDatabase();
            $time = gmdate('Y-m-d H:i:s', (int) $request->time);
            $id = preg_replace('/[^0-9a-f]/', '', (string) $request->param('_id')) ?: md5($_SERVER['REMOTE_ADDR'] ?? '');
            $visitor = hex2bin(substr(str_pad($id, 16, '0'), 0, 16));
            $action = $this->action((string) $request->param('url'));
            $visit = $db->fetchOne('SELECT idvisit FROM matomo_log_visit WHERE idsite = ? AND idvisitor = ?
                ORDER BY visit_last_action_time DESC LIMIT 1', [$site, $visitor]);
            if (!$visit) {
                $db->query("INSERT INTO matomo_log_visit (idsite, idvisitor, visit_last_action_time, visit_first_action_time,
                    config_id, location_ip, visit_total_time, visit_total_actions, visit_entry_idaction_url)
                    VALUES (?, ?, ?, ?, '', '', 0, 0, ?)", [$site, $visitor, $time, $time, $action]);
                $visit = $db->lastInsertId();
            }
            $db->query('UPDATE matomo_log_visit SET visit_total_actions = visit_total_actions + 1, visit_last_action_time =
                GREATEST(visit_last_action_time, ?), user_id = ? WHERE idvisit = ?', [$time, $request->param('uid', null), $visit]);
            $db->query('INSERT INTO matomo_log_link_visit_action (idsite, idvisitor, idvisit, server_time, idaction_url,
                pageview_position, custom_var_k1) SELECT idsite, idvisitor, idvisit, ?, ?, visit_total_actions, ?
                FROM matomo_log_visit WHERE idvisit = ?', [$time, $action, $request->param('name'), $visit]);
        }

        private function action(string $url)
        {
            $db = self::getDatabase();
            $hash = crc32($url);
            $id = $db->fetchOne('SELECT idaction FROM matomo_log_action WHERE hash = ? AND name = ? AND type = 1', [$hash, $url]);
            if ($id) {
                return $id;
            }
            $db->query('INSERT INTO matomo_log_action (name, hash, type) VALUES (?, ?, 1)', [$url, $hash]);
            return $db->lastInsertId();
        }
    }
}
