<?php
// Asks Matomo what takes part in tracking. It boots Matomo as the queue's worker does, looks at what is loaded, and
// writes one JSON object to file descriptor 3: what plugins print goes elsewhere. It writes nothing else: Matomo's
// cache is one in memory, no log file is opened, and no query is made.
//
// Arguments: Matomo's directory, the host whose configuration counts ("": of all), and the plugins that the worker does
// not load, with commas.

[, $dir, $host, $without] = $argv;
$answer = fopen('php://fd/3', 'w');
ini_set('display_errors', 'stderr');
chdir($dir);

define('PIWIK_DOCUMENT_ROOT', $dir);
if (file_exists("$dir/bootstrap.php")) {
    require_once "$dir/bootstrap.php";
}
defined('PIWIK_INCLUDE_PATH') || define('PIWIK_INCLUDE_PATH', $dir);
require_once PIWIK_INCLUDE_PATH . '/core/bootstrap.php';

// A class of Matomo's, in whichever of its two namespaces it is; null where this Matomo has none of that name.
$named = function (string $class): ?string {
    foreach (["Matomo\\$class", "Piwik\\$class"] as $name) {
        if (class_exists($name) || interface_exists($name)) {
            return (new ReflectionClass($name))->getName();
        }
    }
    return null;
};
$ownClass = '/^(?:Piwik|Matomo)\\\\(?!Plugins\\\\)/';

if ($host !== '') {
    $named('Url')::setHost($host);
}
$environment = $named('Application\Environment');
(new $environment('tracker', ['ini.Cache.backend' => 'array', 'log.handlers' => []]))->init();
$manager = $named('Plugin\Manager')::getInstance();
if ($without !== '') {
    $manager->setTrackerPluginsNotToLoad(explode(',', $without));
}
$named('Tracker')::loadTrackerEnvironment();
$container = $named('Container\StaticContainer');

$directories = [];
foreach ($manager->getActivatedPlugins() as $name) {
    $directories[$name] = rtrim($manager::getPluginDirectory($name), '/') . '/';
}
$within = function (string $file, string $directory): bool {
    $real = realpath($directory);
    return strpos($file, $directory) === 0 || $real !== false && strpos($file, "$real/") === 0;
};
// Whose a file is: a plugin's, else it is named by its path. Matomo's own files are nobody's.
$ownerOfFile = function (string $file) use ($directories, $dir, $within): ?string {
    foreach ($directories as $name => $directory) {
        if ($within($file, $directory)) {
            return $name;
        }
    }
    if ($within($file, "$dir/")) {
        $file = substr($file, strlen(strpos($file, "$dir/") === 0 ? "$dir/" : realpath($dir) . '/'));
    }
    return preg_match('~^(core|vendor|config/environment)/|^config/global\.php$~', $file) ? null : $file;
};
$ownerOfClass = function (string $class) use ($ownerOfFile): ?string {
    if (preg_match('/^(?:Piwik|Matomo)\\\\Plugins\\\\(\w+)\\\\/', $class, $found)) {
        return $found[1];
    }
    return $ownerOfFile((string) (new ReflectionClass($class))->getFileName());
};
$parts = [];
$add = function (?string $owner, string $kind, string $name, string $detail = '') use (&$parts) {
    if ($owner !== null) {
        $parts[] = compact('owner', 'kind', 'name', 'detail');
    }
};

// Columns, with the methods by which they take part that are not the empty ones of Matomo's own base classes.
$hooks = ['onNewVisit', 'onExistingVisit', 'onConvertedVisit', 'onAnyGoalConversion', 'shouldForceNewVisit',
    'getRequiredVisitFields', 'onLookupAction', 'getActionId', 'onNewAction', 'onEcommerceOrderConversion',
    'onEcommerceCartUpdateConversion', 'onGoalConversion'];
foreach (['Visit', 'Action', 'Conversion'] as $kind) {
    foreach ($named("Plugin\\Dimension\\{$kind}Dimension")::getAllDimensions() as $column) {
        $does = array_filter($hooks, function ($hook) use ($column, $ownClass) {
            return method_exists($column, $hook)
                && !preg_match($ownClass, (new ReflectionMethod($column, $hook))->getDeclaringClass()->getName());
        });
        if ($does) {
            $class = get_class($column);
            $add($ownerOfClass($class), 'column', $column->getColumnName() ?: $class, implode(' ', $does));
        }
    }
}

// Classes that are found by the folder of a plugin that they are in.
foreach ([
    ['processor', 'Tracker', 'Tracker\RequestProcessor'],
    ['bot processor', 'Tracker', 'Tracker\BotRequestProcessor'],
    ['action', 'Actions', 'Tracker\Action'],
    ['location provider', 'LocationProvider', 'Plugins\UserCountry\LocationProvider'],
] as [$kind, $folder, $base]) {
    foreach ($named($base) ? $manager->findMultipleComponents($folder, $named($base)) : [] as $class) {
        $add($ownerOfClass($class), $kind, $class);
    }
}

foreach ($manager->getLoadedPlugins() as $plugin) {
    foreach (array_keys($plugin->registerEvents()) as $event) {
        $add($plugin->getPluginName(), 'event', $event);
    }
}
$dispatcher = $named('EventDispatcher')::getInstance();
$observers = new ReflectionProperty($dispatcher, 'extraObservers');
$observers->setAccessible(true);
foreach ($observers->getValue($dispatcher) as $event => $callbacks) {
    foreach ($callbacks as $callback) {
        $callback = is_array($callback) && isset($callback['function']) ? $callback['function'] : $callback;
        $file = is_callable($callback) ? (new ReflectionFunction(Closure::fromCallable($callback)))->getFileName() : '';
        $add($file ? $ownerOfFile($file) : 'an observer', 'event', $event);
    }
}

// What plugins and the installation define in place of Matomo's own services.
$user = rtrim(PIWIK_USER_PATH, '/');
$files = ["$user/config/config.php" => $user === $dir ? 'config/config.php' : "$user/config/config.php"];
foreach ($directories as $name => $directory) {
    $files += ["{$directory}config/config.php" => $name, "{$directory}config/tracker.php" => $name];
}
foreach (array_filter($files, 'file_exists', ARRAY_FILTER_USE_KEY) as $file => $owner) {
    $definitions = (function () use ($file) { return require $file; })();
    foreach (is_array($definitions) ? array_keys($definitions) : [] as $id) {
        $add($owner, 'definition', (string) $id);
    }
}
foreach (['Config', 'Access', 'Tracker\VisitorRecognizer', 'Tracker\Settings', 'Tracker\Failures',
    'DeviceDetector\DeviceDetectorFactory', 'Plugins\UserCountry\VisitorGeolocator', 'Plugins\PrivacyManager\Config',
    'Plugins\Referrers\SearchEngine', 'Plugins\Referrers\Social', 'Plugin\RequestProcessors',
    'Plugin\BotRequestProcessors'] as $class) {
    $id = $named($class);
    try {
        $now = $id ? get_class($container::get($id)) : $id;
    } catch (Throwable $e) {
        continue; // a service of a plugin that is not there
    }
    if ($now !== $id) {
        $add($ownerOfClass($now), 'service', $id, $now);
    }
}

// Settings that are not those of the files. Their values may be secrets: only names are told.
$settings = [];
$files = $named('Application\Kernel\GlobalSettingsProvider');
$config = $named('Config')::getInstance();
foreach ((new $files())->getIniFileChain()->getAll() as $section => $values) {
    $now = (array) $config->$section;
    foreach ($values as $key => $value) {
        if (($now[$key] ?? null) != $value) {
            $settings[] = [(string) $section, (string) $key];
        }
    }
}

fwrite($answer, json_encode([
    'matomo' => $named('Version')::VERSION,
    'php' => PHP_VERSION,
    'loaded' => array_values($manager->getLoadedPluginsName()),
    'parts' => $parts,
    'settings' => $settings,
], JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE));
