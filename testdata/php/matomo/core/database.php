<?php

namespace Piwik\Tracker\Db {
    class DbException extends \Exception
    {
    }
}

namespace Piwik {
    class Common
    {
        public static function prefixTable($name)
        {
            return 'matomo_' . $name;
        }
    }
}

namespace Piwik\Tracker {
    /** The tracker's connection, with the errors and the transactions of Matomo's. */
    class Db
    {
        private $pdo;
        private $transaction = false;

        public function __construct()
        {
            $c = parse_ini_file(PIWIK_INCLUDE_PATH . '/config/config.ini.php', true)['database'];
            foreach (['host', 'port', 'dbname'] as $key) { // a test may come between with a proxy
                $c[$key] = getenv('MINIATURE_' . strtoupper($key)) ?: ($c[$key] ?? '');
            }
            $where = empty($c['unix_socket']) ? "host=$c[host];port=$c[port]" : "unix_socket=$c[unix_socket]";
            $this->pdo = new \PDO("mysql:$where;dbname=$c[dbname];charset=utf8mb4", $c['username'], $c['password'] ?? '', [
                \PDO::ATTR_ERRMODE => \PDO::ERRMODE_EXCEPTION, \PDO::MYSQL_ATTR_FOUND_ROWS => true,
            ]);
        }

        public function query($sql, $parameters = [])
        {
            try {
                $statement = $this->pdo->prepare($sql);
                $statement->execute((array) $parameters);
                return $statement;
            } catch (\PDOException $e) {
                throw new Db\DbException('Error query: ' . $e->getMessage() . " In query: $sql Parameters: "
                    . var_export($parameters, true), (int) $e->getCode());
            }
        }

        public function fetchAll($sql, $parameters = [])
        {
            return $this->query($sql, $parameters)->fetchAll(\PDO::FETCH_ASSOC);
        }

        public function fetchOne($sql, $parameters = [])
        {
            return $this->query($sql, $parameters)->fetchColumn();
        }

        public function lastInsertId()
        {
            return $this->pdo->lastInsertId();
        }

        public function rowCount($statement)
        {
            return $statement->rowCount();
        }

        public function beginTransaction()
        {
            $this->pdo->beginTransaction();
            return $this->transaction = uniqid();
        }

        public function commit($id)
        {
            if ($this->transaction === $id) {
                $this->transaction = false;
                $this->pdo->commit();
            }
        }

        public function rollBack($id)
        {
            if ($this->transaction === $id) {
                $this->transaction = false;
                $this->pdo->rollBack();
            }
        }
    }
}
