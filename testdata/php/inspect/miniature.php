<?php

namespace {
    defined('PIWIK_USER_PATH') || define('PIWIK_USER_PATH', PIWIK_DOCUMENT_ROOT);

    // Finds classes of plugins by their folder, and lets every class have either first name.
    spl_autoload_register(function (string $class) {
        [$root, $rest] = explode('\\', $class, 2) + [1 => ''];
        if (!in_array($root, ['Piwik', 'Matomo'], true)) {
            return;
        }
        if (strpos($rest, 'Plugins\\') === 0) {
            $below = str_replace('\\', '/', substr($rest, strlen('Plugins\\')));
            $file = PIWIK_DOCUMENT_ROOT . "/plugins/$below.php";
            if (is_file($file)) {
                require_once $file;
            }
        }
        $other = ($root === 'Piwik' ? 'Matomo' : 'Piwik') . '\\' . $rest;
        if (!class_exists($class, false) && (class_exists($other, false) || interface_exists($other, false))) {
            class_alias($other, $class);
        }
    });
}

namespace Piwik {
    use Piwik\Container\StaticContainer;

    class Version
    {
        public const VERSION = '5.1.2';
    }

    class Url
    {
        public static $host = '';

        public static function setHost($host)
        {
            self::$host = $host;
        }
    }

    class Access
    {
    }

    class Piwik
    {
        public static function addAction($event, $callback)
        {
            EventDispatcher::getInstance()->addObserver($event, $callback);
        }
    }

    class DI
    {
        public static function decorate(callable $change)
        {
            return ['decorated' => $change];
        }
    }

    class Config
    {
        private $sections;

        public function __construct()
        {
            $files = StaticContainer::get(Application\Kernel\GlobalSettingsProvider::class);
            $this->sections = $files->getIniFileChain()->getAll();
        }

        public static function getInstance()
        {
            return StaticContainer::get(self::class);
        }

        public function &__get($section)
        {
            if (!isset($this->sections[$section])) {
                $this->sections[$section] = [];
            }
            return $this->sections[$section];
        }
    }

    class EventDispatcher
    {
        private $extraObservers = [];

        public static function getInstance()
        {
            return StaticContainer::get(self::class);
        }

        public function __construct()
        {
            foreach (StaticContainer::get('observers.global') ?: [] as [$event, $callback]) {
                $this->extraObservers[$event][] = $callback;
            }
        }

        public function addObserver($event, $callback)
        {
            $this->extraObservers[$event][] = $callback;
        }
    }

    class Plugin
    {
        public function getPluginName()
        {
            return explode('\\', get_class($this))[2];
        }

        public function registerEvents()
        {
            return [];
        }

        public function isTrackerPlugin()
        {
            return false;
        }
    }

    class Tracker
    {
        public static function loadTrackerEnvironment()
        {
            Plugin\Manager::getInstance()->loadTrackerPlugins();
        }
    }
}

namespace Piwik\Application\Kernel {
    class GlobalSettingsProvider
    {
        public function getIniFileChain()
        {
            return $this;
        }

        public function getAll()
        {
            $all = [];
            $host = \Piwik\Url::$host;
            $local = PIWIK_USER_PATH . "/config/$host.config.ini.php";
            $local = is_file($local) ? $local : PIWIK_USER_PATH . '/config/config.ini.php';
            foreach ([PIWIK_DOCUMENT_ROOT . '/config/global.ini.php', $local] as $file) {
                foreach (is_file($file) ? parse_ini_file($file, true) : [] as $section => $values) {
                    $all[$section] = $values + ($all[$section] ?? []);
                }
            }
            return $all;
        }
    }
}

namespace Piwik\Application {
    use Piwik\Container\StaticContainer;
    use Piwik\Plugin\Manager;

    class Environment
    {
        private $files;
        private $definitions;

        public function __construct($name, array $definitions = [])
        {
            $this->files = ['config.php', "$name.php"];
            $this->definitions = $definitions;
        }

        public function init()
        {
            StaticContainer::$definitions = [];
            foreach ($this->files as $file) {
                foreach (Manager::getInstance()->getActivatedPlugins() as $plugin) {
                    $this->add(Manager::getPluginDirectory($plugin) . "/config/$file");
                }
            }
            $this->add(PIWIK_USER_PATH . '/config/config.php');
            StaticContainer::$definitions[] = $this->definitions;
            StaticContainer::$objects = [];
        }

        private function add($file)
        {
            if (is_file($file)) {
                StaticContainer::$definitions[] = require $file;
            }
        }
    }
}

namespace Piwik\Container {
    class StaticContainer
    {
        public static $definitions = [];
        public static $objects = [];

        public static function get($id)
        {
            if (!array_key_exists($id, self::$objects)) {
                $value = class_exists($id) ? new $id() : null;
                foreach (self::$definitions as $definitions) {
                    $given = $definitions[$id] ?? null;
                    if (is_array($given) && isset($given['decorated'])) {
                        $value = $given['decorated']($value);
                    } elseif ($given instanceof \Closure) {
                        $value = $given();
                    } elseif (is_array($given)) {
                        $value = array_merge($value ?: [], $given);
                    } elseif ($given !== null) {
                        $value = $given;
                    }
                }
                self::$objects[$id] = $value;
            }
            return self::$objects[$id];
        }
    }
}

namespace Piwik\Plugin {
    use Piwik\Application\Kernel\GlobalSettingsProvider;
    use Piwik\Plugin\Dimension\ActionDimension;
    use Piwik\Plugin\Dimension\ConversionDimension;
    use Piwik\Plugin\Dimension\VisitDimension;

    class Manager
    {
        private static $instance;
        private $loaded = [];
        private $without = [];

        public static function getInstance()
        {
            return self::$instance = self::$instance ?: new self();
        }

        public static function getPluginDirectory($name)
        {
            return PIWIK_DOCUMENT_ROOT . "/plugins/$name";
        }

        public function getActivatedPlugins()
        {
            return array_values((new GlobalSettingsProvider())->getAll()['Plugins']['Plugins'] ?? []);
        }

        public function setTrackerPluginsNotToLoad($names)
        {
            $this->without = $names;
        }

        public function getLoadedPlugins()
        {
            return $this->loaded;
        }

        public function getLoadedPluginsName()
        {
            return array_keys($this->loaded);
        }

        // The tracker loads plugins that have something to do with tracking, and whose requirements are met.
        public function loadTrackerPlugins()
        {
            foreach (array_diff($this->getActivatedPlugins(), $this->without) as $name) {
                $about = self::getPluginDirectory($name) . '/plugin.json';
                $about = is_file($about) ? json_decode(file_get_contents($about), true) : [];
                $least = ltrim($about['require']['matomo'] ?? '0', '>=');
                if (version_compare(\Piwik\Version::VERSION, $least, '<')) {
                    continue;
                }
                $class = "Piwik\\Plugins\\$name\\$name";
                $class = class_exists($class) ? $class : \Piwik\Plugin::class;
                $this->loaded[$name] = new $class();
            }
            foreach ($this->loaded as $name => $plugin) {
                if (!$this->isTrackerPlugin($name, $plugin)) {
                    unset($this->loaded[$name]);
                }
            }
        }

        private function isTrackerPlugin($name, $plugin)
        {
            foreach ([VisitDimension::class, ActionDimension::class, ConversionDimension::class] as $base) {
                if ($this->components($name, 'Columns', $base)) {
                    return true;
                }
            }
            foreach (array_keys($plugin->registerEvents()) as $event) {
                if (strpos($event, 'Tracker.') === 0 || $event === 'Request.initAuthenticationObject') {
                    return true;
                }
            }
            return $plugin->isTrackerPlugin();
        }

        public function findMultipleComponents($folder, $base)
        {
            return array_merge([], ...array_map(function ($name) use ($folder, $base) {
                return $this->components($name, $folder, $base);
            }, array_keys($this->loaded)));
        }

        private function components($name, $folder, $base)
        {
            $found = [];
            $start = self::getPluginDirectory($name);
            $files = is_dir("$start/$folder") ? new \RecursiveDirectoryIterator("$start/$folder", 4096) : null;
            foreach ($files ? new \RecursiveIteratorIterator($files) : [] as $file) {
                if (substr($file, -4) === '.php') {
                    $class = "Piwik\\Plugins\\$name\\" . str_replace('/', '\\', substr($file, strlen($start) + 1, -4));
                    if (!class_exists($class)) {
                        continue;
                    }
                    $class = new \ReflectionClass($class);
                    if ($class->isSubclassOf($base) && !$class->isAbstract()) {
                        $found[] = $class->getName();
                    }
                }
            }
            sort($found);
            return $found;
        }
    }
}

namespace Piwik\Columns {
    abstract class Dimension
    {
        protected $columnName = '';

        public function getColumnName()
        {
            return $this->columnName;
        }

        public static function getAllDimensions()
        {
            return array_map(function ($class) {
                return new $class();
            }, \Piwik\Plugin\Manager::getInstance()->findMultipleComponents('Columns', static::class));
        }
    }
}

namespace Piwik\Plugin\Dimension {
    use Piwik\Columns\Dimension;

    abstract class VisitDimension extends Dimension
    {
        public function getRequiredVisitFields()
        {
            return [];
        }

        public function onNewVisit($request, $visitor, $action)
        {
            return false;
        }

        public function shouldForceNewVisit($request, $visitor, $action)
        {
            return false;
        }
    }

    abstract class ActionDimension extends Dimension
    {
        public function onLookupAction($request, $action)
        {
            return false;
        }
    }

    abstract class ConversionDimension extends Dimension
    {
        public function onGoalConversion($request, $visitor, $action, $goals)
        {
            return false;
        }
    }
}

namespace Piwik\Tracker {
    abstract class RequestProcessor
    {
    }

    abstract class BotRequestProcessor
    {
    }

    abstract class Action
    {
    }

    class VisitorRecognizer
    {
    }

    class Settings
    {
    }
}

namespace Piwik\Plugins\UserCountry {
    abstract class LocationProvider
    {
    }
}
