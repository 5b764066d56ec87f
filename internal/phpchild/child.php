/*
 * The child's side of package phpchild (doc.go has the protocol): Matomo's own tracker behind two pipes. It runs with
 * PHP 7.2.5 and later. The text is evaluated, there is no file: see start.go.
 */

final class QueuedTrackingChild
{
    /** Errors after which the transaction, or the connection, is of no more use (package store judges them). */
    private const FATAL_ERRNOS = [
        1020, 1040, 1047, 1053, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 1226, 1290, 1317, 1792, 1836, 1927, 3032, 4031,
    ];
    private const NO_SAVEPOINT = 1305;

    /** Value of a checkpoint's column autoload while its batch is tracked. Matomo looks for 1 only. */
    private const MARKED = 2;

    /** After a request that had to be taken back so many batches have a savepoint before each request. */
    private const CAREFUL_BATCHES = 50;

    private const LONGEST_TEXT = 1000;
    private const LONGEST_KEY = 255;

    private $in;
    private $out;
    private $place;          // the file that tells what is at work
    private $dir = '';
    private $at = null;      // [set, request] at work
    private $tracked = 0;    // requests of the batch
    private $open = null;    // id of the open transaction
    private $option = '';    // whose row is marked
    private $trial = false;  // nothing is to stay: the row is there only to tell whether it is rolled back
    private $leaked = false; // a plugin has ended the transaction
    private $pdo = null;     // below Matomo's connection, where it is one that tells whether a transaction is open
    private $written = null; // statements that write, null when nobody wants to know
    private $careful = 0;    // batches that have savepoints before each request
    private $silent = false; // nothing more is to be said
    private $reserve;        // memory for the last words
    private $names = [];
    private $tracker;
    private $fixer;

    public function __construct($in)
    {
        $this->in = $in;
        $this->out = fopen('php://fd/4', 'w');
        $this->place = fopen('php://fd/5', 'w');
        $this->reserve = str_repeat('x', 1 << 20);
        register_shutdown_function([$this, 'lastWords']);
    }

    public function run(): void
    {
        $this->say(['op' => 'php', 'php' => PHP_VERSION, 'sapi' => PHP_SAPI]);
        $start = $this->hear();
        if ($start === null) {
            $this->silent = true;
            return;
        }
        try {
            $this->boot($start['dir'], $start['host'] ?? '');
        } catch (\Throwable $e) {
            $this->say($this->failure($e));
            $this->silent = true;
            return;
        }
        while (($message = $this->hear()) !== null && $message['op'] !== 'end') {
            try {
                $answer = $this->{'do' . ucfirst($message['op'])}($message);
            } catch (\Throwable $e) {
                $answer = $this->failure($e);
            }
            $this->say($answer + $this->usage());
        }
        if ($this->open !== null) {
            $this->doRollback();
        }
        $this->call('Piwik', 'postEvent', 'Tracker.end');
        $this->say(['op' => 'ended'] + $this->usage());
        $this->silent = true;
    }

    // The pipes

    private function say(array $message): void
    {
        $text = json_encode($message, JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE | JSON_PARTIAL_OUTPUT_ON_ERROR) . "\n";
        for ($n = 0; $n < strlen($text); $n += $written) {
            $written = @fwrite($this->out, $n ? substr($text, $n) : $text);
            if (!$written) { // nobody listens any more
                $this->silent = true;
                exit(3);
            }
        }
    }

    /** @return array|null null at the end of the pipe */
    private function hear()
    {
        $line = fgets($this->in);
        $message = $line === false ? null : json_decode($line, true);
        if (!is_array($message)) {
            return null;
        }
        foreach ($message['bytes'] ?? [] as $length) {
            $blob = '';
            while (strlen($blob) < $length) {
                $part = fread($this->in, min(1 << 20, $length - strlen($blob)));
                if ($part === false || $part === '') {
                    return null;
                }
                $blob .= $part;
            }
            $message['blobs'][] = $blob;
        }
        return $message;
    }

    /** Writes down which request is at work, for the parent to read if this process dies, or seems to hang. */
    private function tellPlace(): void
    {
        [$set, $request] = $this->at ?? [-1, -1];
        rewind($this->place);
        fwrite($this->place, sprintf("%10d %10d %10d\n", $set, $request, $this->tracked));
    }

    private function usage(): array
    {
        $u = getrusage();
        return [
            'memory' => memory_get_usage(true),
            'micros' => ($u['ru_utime.tv_sec'] + $u['ru_stime.tv_sec']) * 1000000 + $u['ru_utime.tv_usec'] + $u['ru_stime.tv_usec'],
        ];
    }

    /** The script ends without having been told to: exit in a plugin, a fatal error, no memory. */
    public function lastWords(): void
    {
        $this->reserve = null;
        if ($this->silent) {
            return;
        }
        $this->silent = true;
        $this->tellPlace();
        $error = error_get_last();
        $fatal = E_ERROR | E_PARSE | E_CORE_ERROR | E_COMPILE_ERROR | E_USER_ERROR | E_RECOVERABLE_ERROR;
        $text = 'the script was ended (exit or die)';
        if ($error !== null && ($error['type'] & $fatal)) {
            $text = $this->shorten($error['message']) . ' in ' . $this->place($error['file'], $error['line']);
        }
        $this->say(['op' => 'fatal', 'error' => $text]);
    }

    // Matomo starts, as its console command does

    private function boot(string $dir, string $host): void
    {
        $this->dir = $dir;
        chdir($dir);
        ini_set('display_errors', 'stderr');
        ini_set('html_errors', '0');
        set_time_limit(0);
        if (function_exists('pcntl_signal')) { // such signals reach whole groups; the parent decides when to end
            pcntl_signal(SIGINT, SIG_IGN);
            pcntl_signal(SIGTERM, SIG_IGN);
        }
        ob_start(function ($text) { // what a plugin prints is for the log
            if ($text !== '' && defined('STDERR')) {
                fwrite(STDERR, $text);
            }
            return '';
        }, 1);
        define('PIWIK_DOCUMENT_ROOT', $dir);
        define('MATOMO_DOCUMENT_ROOT', $dir);
        if (file_exists($dir . '/bootstrap.php')) {
            require_once $dir . '/bootstrap.php';
        }
        if (!defined('PIWIK_INCLUDE_PATH')) {
            define('PIWIK_INCLUDE_PATH', $dir);
        }
        if (!defined('MATOMO_INCLUDE_PATH')) {
            define('MATOMO_INCLUDE_PATH', PIWIK_INCLUDE_PATH);
        }
        require_once PIWIK_INCLUDE_PATH . '/core/bootstrap.php';
        $this->call('ErrorHandler', 'registerErrorHandler');
        $this->call('FrontController', 'setUpSafeMode');
        if ($host !== '') {
            $this->call('Url', 'setHost', $host);
        }
        $this->environment('cli');
        $plugins = $this->call('Plugin\Manager', 'getInstance');
        $plugins->loadActivatedPlugins();
        $plugins->loadPluginTranslations();
        $this->call('Piwik', 'postEvent', 'Request.initAuthenticationObject');

        $this->environment('tracker');
        if (method_exists($this->name('Log'), 'unsetInstance')) {
            $this->call('Log', 'unsetInstance');
        }
        $plugins = $this->call('Plugin\Manager', 'getInstance');
        if ($this->leavesProviderOut()) {
            $plugins->setTrackerPluginsNotToLoad(['Provider']);
        }
        $this->call('Tracker', 'loadTrackerEnvironment');
        $this->call('Access', 'getInstance')->setSuperUserAccess(false);
        $tracker = $this->name('Tracker');
        $this->tracker = new $tracker();
        $queue = $this->name('Plugins\QueuedTracking\Queue', false);
        if ($queue !== null && method_exists($queue, 'ensureJsonVarsAreStrings')) {
            $this->fixer = (new \ReflectionClass($queue))->newInstanceWithoutConstructor();
        }
        $this->db();
        $this->say(['op' => 'ready', 'matomo' => constant($this->name('Version') . '::VERSION'),
            'plugins' => array_values($plugins->getLoadedPluginsName())] + $this->usage());
    }

    private function environment(string $name): void
    {
        $class = $this->name('Application\Environment');
        (new $class($name))->init();
    }

    /** Some versions of plugin QueuedTracking do not load Provider in their worker. */
    private function leavesProviderOut(): bool
    {
        $command = $this->name('Plugins\QueuedTracking\Commands\Process', false);
        if ($command === null) {
            return false;
        }
        $text = (string) @file_get_contents((new \ReflectionClass($command))->getFileName());
        return (bool) preg_match('/setTrackerPluginsNotToLoad\s*\(\s*(\[|array\()\s*[\'"]Provider[\'"]/', $text);
    }

    /** The full name of a class of Matomo, in whichever namespace this version has it. */
    private function name(string $class, bool $needed = true)
    {
        if (!isset($this->names[$class])) {
            foreach (['Piwik\\', 'Matomo\\'] as $space) {
                if (class_exists($space . $class) || interface_exists($space . $class)) {
                    return $this->names[$class] = $space . $class;
                }
            }
            if ($needed) {
                throw new \RuntimeException("this Matomo has no class $class, neither in Piwik\\ nor in Matomo\\");
            }
            return null;
        }
        return $this->names[$class];
    }

    private function call(string $class, string $method, ...$arguments)
    {
        return call_user_func_array([$this->name($class), $method], $arguments);
    }

    private function db()
    {
        return $this->call('Tracker', 'getDatabase');
    }

    private function optionTable(): string
    {
        return $this->call('Common', 'prefixTable', 'option');
    }

    // The operations: each gives its answer

    /**
     * Opens a transaction; reads, locks and marks the checkpoint in an option. Where none is named nothing is to stay,
     * and a row of its own, which goes with the transaction, has the mark.
     */
    private function doBegin(array $message): array
    {
        if (!$this->tracker->shouldRecordStatistics()) {
            return ['op' => 'disabled'];
        }
        $db = $this->db();
        $this->open = $db->beginTransaction();
        $this->option = $message['option'];
        $this->leaked = false;
        $this->pdo = $this->pdoOf($db);
        $this->trial = $this->option === '';
        if ($this->trial) {
            $answer = ['connection' => (int) $db->fetchOne('SELECT CONNECTION_ID()')];
            $this->option = 'QueuedTracking.trial.' . $answer['connection'];
            $db->query('INSERT INTO `' . $this->optionTable() . '` (option_name, option_value, autoload) VALUES (?, ?, ?)',
                [$this->option, '', self::MARKED]);
        } else {
            $answer = $this->checkpoint($db, $this->optionTable());
        }
        $db->query('SAVEPOINT qt_batch');
        return ['op' => 'begun'] + $answer;
    }

    private function checkpoint($db, string $table): array
    {
        $rows = $db->fetchAll(
            "SELECT CONNECTION_ID() AS id, option_value, autoload FROM `$table` WHERE option_name = ? FOR UPDATE",
            [$this->option]
        );
        if (!$rows) {
            return ['missing' => true];
        }
        $db->query("UPDATE `$table` SET autoload = ? WHERE option_name = ?", [self::MARKED, $this->option]);
        return [
            'connection' => (int) $rows[0]['id'], 'checkpoint' => base64_encode($rows[0]['option_value']),
            'marked' => (int) $rows[0]['autoload'] === self::MARKED,
        ];
    }

    /** Tracks request sets; those of their requests that are to be left out are named. */
    private function doTrack(array $message): array
    {
        $server = $_SERVER;
        $cookie = $_COOKIE;
        $this->tracked = 0;
        try {
            try {
                $sets = $this->sets($message);
            } catch (QueuedTrackingAgain $again) {
                $this->careful = self::CAREFUL_BATCHES;
                $this->tracked = 0;
                $sets = $this->sets($message);
            }
        } finally {
            $this->at = null;
            $this->tellPlace();
            $_SERVER = $server;
            $_COOKIE = $cookie;
        }
        $leaked = $this->endedByOthers();
        $this->careful = $leaked ? self::CAREFUL_BATCHES : max(0, $this->careful - 1);
        return ['op' => 'tracked', 'sets' => $sets, 'leaked' => $leaked];
    }

    private function doSql(array $message): array
    {
        $parameters = [];
        foreach ($message['params'] ?? [] as $p) {
            $parameters[] = is_array($p) ? $message['blobs'][$p[0]] : $p;
        }
        $db = $this->db();
        return ['op' => 'done', 'rows' => $db->rowCount($db->query($message['sql'], $parameters))];
    }

    /**
     * Commits. With two blobs the checkpoint is moved before, and nothing is committed if somebody else has moved it.
     */
    private function doCommit(array $message): array
    {
        $db = $this->db();
        if (isset($message['blobs']) && !$this->moveCheckpoint($db, $message['blobs'][0], $message['blobs'][1])) {
            return ['op' => 'moved'];
        }
        $open = $this->open;
        $this->open = null;
        if (!$this->leaked) {
            $db->commit($open);
            return ['op' => 'committed'];
        }
        $db->query('COMMIT'); // whoever has begun what is open now
        try {
            $db->commit($open); // lets Matomo forget it
        } catch (\Throwable $e) {
        }
        return ['op' => 'committed'];
    }

    /** Takes the mark away, too. */
    private function moveCheckpoint($db, string $from, string $to): bool
    {
        $table = $this->optionTable();
        $statement = $db->query(
            "UPDATE `$table` SET option_value = ?, autoload = 0 "
                . 'WHERE option_name = ? AND CAST(option_value AS BINARY) = ?',
            [$to, $this->option, $from]
        );
        return (int) $db->rowCount($statement) === 1;
    }

    private function doRollback(): array
    {
        if ($this->open !== null) {
            $open = $this->open;
            $this->open = null;
            try {
                $this->db()->rollBack($open);
            } catch (\Throwable $e) { // the server, or a plugin, has ended it already
            }
            if ($this->trial && $this->leaked) { // the row has been committed
                $this->db()->query('DELETE FROM `' . $this->optionTable() . '` WHERE option_name = ?', [$this->option]);
            }
            $this->forget();
        }
        return ['op' => 'rolledback'];
    }

    // What a comparison wants to know (package verify)

    /** Runs a SELECT in the transaction: rows of texts and nulls. */
    private function doRows(array $message): array
    {
        $text = function ($value) {
            return $value === null ? null : (string) $value;
        };
        $rows = [];
        foreach ($this->db()->fetchAll($message['sql']) as $row) {
            $rows[] = array_map($text, array_values($row));
        }
        return ['op' => 'rows', 'table' => $rows];
    }

    /** From now on statements that write are noted, those of plugins, too, where the connection is one of PDO. */
    private function doWatch(): array
    {
        $pdo = $this->pdoBelow($this->db());
        $watched = $pdo !== null && !$pdo->getAttribute(\PDO::ATTR_PERSISTENT)
            && $pdo->setAttribute(\PDO::ATTR_STATEMENT_CLASS, ['QueuedTrackingStatement', [$this]]);
        $this->written = [];
        return ['op' => 'watching', 'watched' => $watched];
    }

    /** The statements that were noted since this was asked last: [text, parameters]. */
    private function doWritten(): array
    {
        $written = $this->written ?? [];
        $this->written = [];
        return ['op' => 'written', 'statements' => $written];
    }

    /** Takes sites out of Matomo's cache that were read in a transaction which was taken back. */
    private function doUncache(array $message): array
    {
        foreach ($message['sites'] ?? [] as $site) {
            if (method_exists($this->name('Tracker\Cache'), 'deleteCacheWebsiteAttributes')) {
                $this->call('Tracker\Cache', 'deleteCacheWebsiteAttributes', $site);
            }
        }
        return ['op' => 'done'];
    }

    /** Is told of each statement. What is long, or no text, is no key of a table: it is left out. */
    public function note(string $sql, array $parameters): void
    {
        $writes = '/^[\s(]*(INSERT|REPLACE|UPDATE|DELETE|TRUNCATE|LOAD|CALL)\b/i';
        if ($this->written === null || !preg_match($writes, $sql)) {
            return;
        }
        $short = [];
        foreach ($parameters as $p) {
            $p = is_bool($p) ? (int) $p : $p;
            if (is_scalar($p) && strlen($p = (string) $p) <= self::LONGEST_KEY && json_encode($p) !== false) {
                $short[] = $p;
            }
        }
        $this->written[] = [$sql, $short];
    }

    // Request sets, one request

    private function sets(array $message): array
    {
        $sets = [];
        foreach ($message['blobs'] ?? [] as $i => $element) {
            try {
                $sets[] = $this->set($i, $element, $message['leave'][$i] ?? []);
            } catch (QueuedTrackingAgain $again) {
                throw $again;
            } catch (\Throwable $e) {
                if ($this->at[1] >= 0 || $this->errno($e) !== 0) {
                    throw $e;
                }
                $sets[] = [['s' => 'unopened'] + $this->words($e)];
            }
        }
        return $sets;
    }

    private function set(int $i, string $element, array $leave): array
    {
        $this->at = [$i, -1];
        $json = function_exists('gzuncompress') ? @gzuncompress($element) : false;
        $state = json_decode($json === false ? $element : $json, true);
        if (!is_array($state)) { // PHP has queued a request that is not UTF-8: a set without requests
            return [];
        }
        if ($this->fixer !== null) {
            $this->fixer->ensureJsonVarsAreStrings($state);
        }
        $class = $this->name('Tracker\RequestSet');
        $set = new $class();
        $set->restoreState($state);
        $set->restoreEnvironment();
        $statuses = [];
        foreach (array_values($set->getRequests()) as $j => $request) {
            if (in_array($j, $leave, true)) {
                $statuses[] = ['s' => 'left'];
                continue;
            }
            $this->at = [$i, $j];
            $this->tellPlace();
            $before = $this->tracked;
            $statuses[] = $this->request($request);
            if (!$this->leaked && $this->pdo !== null && !$this->pdo->inTransaction()) {
                $this->leaked = true;
                $this->mustNotBeRolledBack($before);
            }
        }
        return $statuses;
    }

    private function request($request): array
    {
        if ($this->careful > 0) {
            $this->db()->query('SAVEPOINT qt_request'); // in place of the one before
        }
        try {
            $this->tracker->trackRequest($request);
            if ($request->getMetadata('CoreHome', 'isVisitExcluded')) {
                return ['s' => 'excluded'];
            }
            $this->tracked++;
            return ['s' => 'tracked'];
        } catch (\Throwable $e) {
            $errno = $this->errno($e);
            if (in_array($errno, self::FATAL_ERRNOS, true) || $errno >= 2000 && $errno < 2100) {
                throw $e; // concerns the whole batch
            }
            $site = $this->name('Exception\UnexpectedWebsiteFoundException', false);
            if ($site !== null && $e instanceof $site) { // what it has written stays: a row for the administrator
                return ['s' => 'rejected', 'kind' => 'site'] + $this->words($e);
            }
            $this->takeBack();
            if ($errno !== 0) {
                return ['s' => 'failed'] + $this->words($e);
            }
            return ['s' => $e instanceof \Error && !$e instanceof \TypeError ? 'broken' : 'rejected',
                'kind' => $e instanceof \TypeError ? 'type' : 'parameter'] + $this->words($e);
        }
    }

    /**
     * Takes back what a request has written. Failures are rare: without a savepoint before the request the whole batch
     * is taken back, and tracked again with savepoints. Where a plugin has ended the transaction nothing can be.
     */
    private function takeBack(): void
    {
        $again = $this->careful === 0;
        try {
            $this->db()->query('ROLLBACK TO SAVEPOINT ' . ($again ? 'qt_batch' : 'qt_request'));
        } catch (\Throwable $e) {
            if ($this->errno($e) !== self::NO_SAVEPOINT) {
                throw $e;
            }
            $this->careful = self::CAREFUL_BATCHES;
            $again = false;
        }
        $this->forget();
        if ($again) {
            throw new QueuedTrackingAgain();
        }
    }

    /** What Matomo remembers of rows that were taken back. */
    private function forget(): void
    {
        $this->call('Tracker\Cache', 'clearCacheGeneral');
        $this->call('Option', 'clearCache');
        $this->call('Cache', 'getTransientCache')->flushAll();
    }

    /**
     * Whether a plugin has ended the transaction (DDL, START TRANSACTION, COMMIT): what was written until then is there
     * for good. If it was rolled back instead, what was written is lost, and the batch must be given up.
     */
    private function endedByOthers(): bool
    {
        $db = $this->db();
        try {
            $db->query('RELEASE SAVEPOINT qt_batch');
            return false;
        } catch (\Throwable $e) {
            if ($this->errno($e) !== self::NO_SAVEPOINT) {
                throw $e;
            }
        }
        $this->leaked = true;
        $this->mustNotBeRolledBack($this->tracked);
        return true;
    }

    /** The mark is gone where the transaction was rolled back: what was tracked in it is lost. */
    private function mustNotBeRolledBack(int $tracked): void
    {
        $table = $this->optionTable();
        $mark = $this->db()->fetchOne("SELECT autoload FROM `$table` WHERE option_name = ?", [$this->option]);
        if ((int) $mark !== self::MARKED) {
            throw new QueuedTrackingRolledBack($this->at, $tracked);
        }
    }

    /** @return \PDO|null what tells whether a transaction is open; before PHP 8 it asks nobody, and does not know */
    private function pdoOf($db)
    {
        return PHP_VERSION_ID < 80000 ? null : $this->pdoBelow($db);
    }

    /** @return \PDO|null null for connections of another kind */
    private function pdoBelow($db)
    {
        foreach ((new \ReflectionObject($db))->getProperties() as $property) {
            if (PHP_VERSION_ID < 80100) {
                $property->setAccessible(true);
            }
            if ($property->isStatic() || PHP_VERSION_ID >= 70400 && !$property->isInitialized($db)) {
                continue;
            }
            $value = $property->getValue($db);
            if ($value instanceof \PDO) {
                return $value;
            }
        }
        return null;
    }

    // Errors

    private function failure(\Throwable $e): array
    {
        $rolledBack = $e instanceof QueuedTrackingRolledBack ? ['rolledback' => true, 'at' => $e->at, 'tracked' => $e->tracked] : [];
        return ['op' => 'error'] + $rolledBack + $this->words($e);
    }

    private function words(\Throwable $e): array
    {
        $errno = $this->errno($e);
        $text = $e->getMessage();
        if ($errno !== 0) { // Matomo adds the statement with its values
            $text = preg_replace('/\s+In query: .*|\s: (SELECT|INSERT|UPDATE|DELETE|REPLACE)\s.*/si', '', $text);
        }
        return ['class' => get_class($e), 'errno' => $errno, 'state' => $this->state($e), 'error' => $this->shorten($text),
            'where' => $this->place($e->getFile(), $e->getLine())];
    }

    private function shorten(string $text): string
    {
        return substr($text, 0, self::LONGEST_TEXT);
    }

    private function place(string $file, int $line): string
    {
        return str_replace($this->dir . '/', '', $file) . ':' . $line;
    }

    /** Number of the database's error, 0 for another error, -1 where it cannot be told. */
    private function errno(\Throwable $e): int
    {
        $database = false;
        for ($cause = $e; $cause !== null; $cause = $cause->getPrevious()) {
            if ($cause instanceof \PDOException && isset($cause->errorInfo[1])) {
                return (int) $cause->errorInfo[1];
            }
            if ($cause instanceof \mysqli_sql_exception) {
                return (int) $cause->getCode();
            }
            $database = $database || $cause instanceof \PDOException || $this->isOf($cause, 'Tracker\Db\DbException')
                || $this->isOf($cause, 'Db\Adapter\DbException') || is_a($cause, 'Zend_Db_Exception');
        }
        if (preg_match('/SQLSTATE\[\w+\](?: \[(\d+)\]|: .*?: (\d+) )/', $e->getMessage(), $m)) {
            return (int) ($m[1] !== '' ? $m[1] : $m[2]);
        }
        if (stripos($e->getMessage(), 'server has gone away') !== false) {
            return 2006;
        }
        if (!$database) {
            return 0;
        }
        return (int) $e->getCode() ?: -1;
    }

    private function state(\Throwable $e): string
    {
        for ($cause = $e; $cause !== null; $cause = $cause->getPrevious()) {
            if ($cause instanceof \PDOException && isset($cause->errorInfo[0])) {
                return (string) $cause->errorInfo[0];
            }
        }
        return preg_match('/SQLSTATE\[(\w{5})\]/', $e->getMessage(), $m) ? $m[1] : '';
    }

    private function isOf(\Throwable $e, string $class): bool
    {
        $name = $this->name($class, false);
        return $name !== null && $e instanceof $name;
    }
}

/** The batch is to be tracked again, with a savepoint before each request. */
final class QueuedTrackingAgain extends \Exception
{
}

/** The transaction was rolled back by a plugin, or by the database while a plugin kept that to itself. */
final class QueuedTrackingRolledBack extends \RuntimeException
{
    public $at; // [set, request] that was at work, null where that is not known
    public $tracked;

    public function __construct($at, int $tracked)
    {
        parent::__construct('the transaction was rolled back');
        $this->at = $at;
        $this->tracked = $tracked;
    }
}

if (class_exists('PDOStatement')) {
    /** A statement that tells when it is executed. */
    class QueuedTrackingStatement extends \PDOStatement
    {
        private $child;
        private $bound = [];

        protected function __construct($child)
        {
            $this->child = $child;
        }

        #[\ReturnTypeWillChange]
        public function bindValue($parameter, $value, $type = \PDO::PARAM_STR)
        {
            $this->bound[$parameter] = $value;
            return parent::bindValue($parameter, $value, $type);
        }

        #[\ReturnTypeWillChange]
        public function bindParam($parameter, &$value, $type = \PDO::PARAM_STR, $length = 0, $options = null)
        {
            $this->bound[$parameter] = &$value;
            return $length
                ? parent::bindParam($parameter, $value, $type, $length)
                : parent::bindParam($parameter, $value, $type);
        }

        #[\ReturnTypeWillChange]
        public function execute($parameters = null)
        {
            $this->child->note($this->queryString, array_values($parameters ?? $this->bound));
            return parent::execute($parameters);
        }
    }
}

error_reporting(E_ALL);
(new QueuedTrackingChild($in))->run();
