<?php

// What the child needs to start Matomo. Most of it does nothing here.

namespace Piwik\Application {
    class Environment
    {
        public static $started = [];

        public function __construct(string $name)
        {
            self::$started[] = $name;
        }

        public function init()
        {
        }
    }
}

namespace Piwik\Plugin {
    class Manager
    {
        public static function getInstance()
        {
            return new self();
        }

        public function loadActivatedPlugins()
        {
        }

        public function loadPluginTranslations()
        {
        }

        public function getLoadedPluginsName()
        {
            return ['CoreHome', 'Nasty'];
        }
    }
}

namespace Piwik {
    class ErrorHandler
    {
        public static function registerErrorHandler()
        {
        }
    }

    class FrontController
    {
        public static function setUpSafeMode()
        {
        }
    }

    class Url
    {
        public static function setHost($host)
        {
            $_SERVER['HTTP_HOST'] = $host;
        }
    }

    class Log
    {
    }

    class Access
    {
        public static function getInstance()
        {
            return new self();
        }

        public function setSuperUserAccess($yes)
        {
        }
    }

    class Piwik
    {
        public static function postEvent($name)
        {
            Plugins\Nasty::on($name);
        }
    }

    class Option
    {
        public static function clearCache()
        {
        }
    }

    class Cache
    {
        public static function getTransientCache()
        {
            return new self();
        }

        public function flushAll()
        {
        }
    }
}
