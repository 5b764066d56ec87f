-- The tables of Matomo 5.1 that tracking reads or writes, for SQLite. {prefix} stands for the table prefix.
--
-- Types are MySQL's, because Store conforms values to them; SQLite itself only takes an affinity from them. Types that SQLite or its
-- driver would turn into something else (moments, DECIMAL) have the word text in front, columns without 4-byte characters the word
-- utf8mb3. Text compares without regard to ASCII case, the closest that SQLite has to MySQL's *_general_ci. Ids that count up are never
-- used twice, as in MySQL.

CREATE TABLE `{prefix}log_visit` (
  `idvisit` integer PRIMARY KEY AUTOINCREMENT,
  `idsite` int unsigned NOT NULL,
  `idvisitor` binary(8) NOT NULL,
  `visit_last_action_time` text datetime NOT NULL,
  `config_id` binary(8) NOT NULL,
  `location_ip` varbinary(16) NOT NULL,
  `profilable` tinyint,
  `user_id` varchar(200) COLLATE NOCASE,
  `visit_first_action_time` text datetime NOT NULL,
  `visit_goal_buyer` tinyint,
  `visit_goal_converted` tinyint,
  `visitor_returning` tinyint,
  `visitor_seconds_since_first` int unsigned,
  `visitor_seconds_since_order` int unsigned,
  `visitor_count_visits` int unsigned NOT NULL DEFAULT 0,
  `visit_entry_idaction_name` int unsigned,
  `visit_entry_idaction_url` int unsigned,
  `visit_exit_idaction_name` int unsigned,
  `visit_exit_idaction_url` int unsigned DEFAULT 0,
  `visit_total_actions` int unsigned,
  `visit_total_interactions` mediumint unsigned DEFAULT 0,
  `visit_total_searches` smallint unsigned,
  `referer_keyword` varchar(255) COLLATE NOCASE,
  `referer_name` varchar(255) COLLATE NOCASE,
  `referer_type` tinyint unsigned,
  `referer_url` varchar(1500) COLLATE NOCASE,
  `location_browser_lang` varchar(20) COLLATE NOCASE,
  `config_browser_engine` varchar(10) COLLATE NOCASE,
  `config_browser_name` varchar(40) COLLATE NOCASE,
  `config_browser_version` varchar(20) COLLATE NOCASE,
  `config_client_type` tinyint,
  `config_device_brand` utf8mb3 varchar(100) COLLATE NOCASE,
  `config_device_model` utf8mb3 varchar(100) COLLATE NOCASE,
  `config_device_type` tinyint,
  `config_os` char(3) COLLATE NOCASE,
  `config_os_version` utf8mb3 varchar(100) COLLATE NOCASE,
  `visit_total_events` int unsigned,
  `visitor_localtime` text time,
  `visitor_seconds_since_last` int unsigned,
  `config_resolution` varchar(18) COLLATE NOCASE,
  `config_cookie` tinyint,
  `config_flash` tinyint,
  `config_java` tinyint,
  `config_pdf` tinyint,
  `config_quicktime` tinyint,
  `config_realplayer` tinyint,
  `config_silverlight` tinyint,
  `config_windowsmedia` tinyint,
  `visit_total_time` int unsigned NOT NULL,
  `location_city` varchar(255) COLLATE NOCASE,
  `location_country` char(3) COLLATE NOCASE,
  `location_latitude` text decimal(9,6),
  `location_longitude` text decimal(9,6),
  `location_region` char(3) COLLATE NOCASE,
  `last_idlink_va` bigint unsigned,
  `custom_dimension_1` varchar(255) COLLATE NOCASE,
  `custom_dimension_2` varchar(255) COLLATE NOCASE,
  `custom_dimension_3` varchar(255) COLLATE NOCASE,
  `custom_dimension_4` varchar(255) COLLATE NOCASE,
  `custom_dimension_5` varchar(255) COLLATE NOCASE
);
CREATE INDEX `{prefix}log_visit_index_idsite_config_datetime` ON `{prefix}log_visit` (`idsite`, `config_id`, `visit_last_action_time`);
CREATE INDEX `{prefix}log_visit_index_idsite_datetime` ON `{prefix}log_visit` (`idsite`, `visit_last_action_time`);
CREATE INDEX `{prefix}log_visit_index_idsite_idvisitor_time` ON `{prefix}log_visit` (`idsite`, `idvisitor`, `visit_last_action_time` DESC);

CREATE TABLE `{prefix}log_link_visit_action` (
  `idlink_va` integer PRIMARY KEY AUTOINCREMENT,
  `idsite` int unsigned NOT NULL,
  `idvisitor` binary(8) NOT NULL,
  `idvisit` bigint unsigned NOT NULL,
  `idaction_url_ref` int unsigned DEFAULT 0,
  `idaction_name_ref` int unsigned,
  `custom_float` double,
  `pageview_position` mediumint unsigned,
  `server_time` text datetime NOT NULL,
  `idpageview` char(6) COLLATE NOCASE,
  `idaction_name` int unsigned,
  `idaction_url` int unsigned,
  `search_cat` varchar(200) COLLATE NOCASE,
  `search_count` int unsigned,
  `time_spent_ref_action` int unsigned,
  `idaction_product_cat` int unsigned,
  `idaction_product_cat2` int unsigned,
  `idaction_product_cat3` int unsigned,
  `idaction_product_cat4` int unsigned,
  `idaction_product_cat5` int unsigned,
  `idaction_product_name` int unsigned,
  `product_price` double,
  `idaction_product_sku` int unsigned,
  `idaction_event_action` int unsigned,
  `idaction_event_category` int unsigned,
  `idaction_content_interaction` int unsigned,
  `idaction_content_name` int unsigned,
  `idaction_content_piece` int unsigned,
  `idaction_content_target` int unsigned,
  `time_dom_completion` mediumint unsigned,
  `time_dom_processing` mediumint unsigned,
  `time_network` mediumint unsigned,
  `time_on_load` mediumint unsigned,
  `time_server` mediumint unsigned,
  `time_transfer` mediumint unsigned,
  `time_spent` int unsigned,
  `custom_dimension_1` varchar(255) COLLATE NOCASE,
  `custom_dimension_2` varchar(255) COLLATE NOCASE,
  `custom_dimension_3` varchar(255) COLLATE NOCASE,
  `custom_dimension_4` varchar(255) COLLATE NOCASE,
  `custom_dimension_5` varchar(255) COLLATE NOCASE
);
CREATE INDEX `{prefix}log_link_visit_action_index_idvisit` ON `{prefix}log_link_visit_action` (`idvisit`);
CREATE INDEX `{prefix}log_link_visit_action_index_idsite_servertime` ON `{prefix}log_link_visit_action` (`idsite`, `server_time`);

CREATE TABLE `{prefix}log_action` (
  `idaction` integer PRIMARY KEY AUTOINCREMENT,
  `name` varchar(4096) COLLATE NOCASE,
  `hash` int unsigned NOT NULL,
  `type` tinyint unsigned,
  `url_prefix` tinyint
);
CREATE INDEX `{prefix}log_action_index_type_hash` ON `{prefix}log_action` (`type`, `hash`);

CREATE TABLE `{prefix}log_conversion` (
  `idvisit` bigint unsigned NOT NULL,
  `idsite` int unsigned NOT NULL,
  `idvisitor` binary(8) NOT NULL,
  `server_time` text datetime NOT NULL,
  `idaction_url` int unsigned,
  `idlink_va` bigint unsigned,
  `idgoal` int NOT NULL,
  `buster` int unsigned NOT NULL,
  `idorder` varchar(100) COLLATE NOCASE,
  `items` smallint unsigned,
  `url` varchar(4096) NOT NULL COLLATE NOCASE,
  `revenue` float,
  `revenue_shipping` double,
  `revenue_subtotal` double,
  `revenue_tax` double,
  `revenue_discount` double,
  `pageviews_before` smallint unsigned,
  `visitor_returning` tinyint,
  `visitor_seconds_since_first` int unsigned,
  `visitor_seconds_since_order` int unsigned,
  `visitor_count_visits` int unsigned NOT NULL DEFAULT 0,
  `referer_keyword` varchar(255) COLLATE NOCASE,
  `referer_name` varchar(255) COLLATE NOCASE,
  `referer_type` tinyint unsigned,
  `config_browser_name` varchar(40) COLLATE NOCASE,
  `config_client_type` tinyint,
  `config_device_brand` utf8mb3 varchar(100) COLLATE NOCASE,
  `config_device_model` utf8mb3 varchar(100) COLLATE NOCASE,
  `config_device_type` tinyint,
  `location_city` varchar(255) COLLATE NOCASE,
  `location_country` char(3) COLLATE NOCASE,
  `location_latitude` text decimal(9,6),
  `location_longitude` text decimal(9,6),
  `location_region` char(3) COLLATE NOCASE,
  `custom_dimension_1` varchar(255) COLLATE NOCASE,
  `custom_dimension_2` varchar(255) COLLATE NOCASE,
  `custom_dimension_3` varchar(255) COLLATE NOCASE,
  `custom_dimension_4` varchar(255) COLLATE NOCASE,
  `custom_dimension_5` varchar(255) COLLATE NOCASE,
  PRIMARY KEY (`idvisit`, `idgoal`, `buster`)
);
CREATE UNIQUE INDEX `{prefix}log_conversion_unique_idsite_idorder` ON `{prefix}log_conversion` (`idsite`, `idorder`);
CREATE INDEX `{prefix}log_conversion_index_idsite_datetime` ON `{prefix}log_conversion` (`idsite`, `server_time`);

CREATE TABLE `{prefix}log_conversion_item` (
  `idsite` int unsigned NOT NULL,
  `idvisitor` binary(8) NOT NULL,
  `server_time` text datetime NOT NULL,
  `idvisit` bigint unsigned NOT NULL,
  `idorder` varchar(100) NOT NULL COLLATE NOCASE,
  `idaction_sku` int unsigned NOT NULL,
  `idaction_name` int unsigned NOT NULL,
  `idaction_category` int unsigned NOT NULL,
  `idaction_category2` int unsigned NOT NULL,
  `idaction_category3` int unsigned NOT NULL,
  `idaction_category4` int unsigned NOT NULL,
  `idaction_category5` int unsigned NOT NULL,
  `price` double NOT NULL,
  `quantity` int unsigned NOT NULL,
  `deleted` tinyint unsigned NOT NULL,
  PRIMARY KEY (`idvisit`, `idorder`, `idaction_sku`)
);
CREATE INDEX `{prefix}log_conversion_item_index_idsite_servertime` ON `{prefix}log_conversion_item` (`idsite`, `server_time`);

CREATE TABLE `{prefix}tracking_failure` (
  `idsite` bigint unsigned NOT NULL,
  `idfailure` smallint unsigned NOT NULL,
  `date_first_occurred` text datetime NOT NULL,
  `request_url` mediumtext NOT NULL COLLATE NOCASE,
  PRIMARY KEY (`idsite`, `idfailure`)
);

CREATE TABLE `{prefix}brute_force_log` (
  `id_brute_force_log` integer PRIMARY KEY AUTOINCREMENT,
  `ip_address` varchar(60) COLLATE NOCASE,
  `attempted_at` text datetime NOT NULL,
  `login` varchar(100) COLLATE NOCASE
);
CREATE INDEX `{prefix}brute_force_log_index_ip_address` ON `{prefix}brute_force_log` (`ip_address`);

CREATE TABLE `{prefix}site` (
  `idsite` integer PRIMARY KEY AUTOINCREMENT,
  `name` varchar(90) NOT NULL COLLATE NOCASE,
  `main_url` varchar(255) NOT NULL COLLATE NOCASE,
  `ts_created` text timestamp,
  `ecommerce` tinyint DEFAULT 0,
  `sitesearch` tinyint DEFAULT 1,
  `sitesearch_keyword_parameters` text NOT NULL COLLATE NOCASE,
  `sitesearch_category_parameters` text NOT NULL COLLATE NOCASE,
  `timezone` varchar(50) NOT NULL COLLATE NOCASE,
  `currency` char(3) NOT NULL COLLATE NOCASE,
  `exclude_unknown_urls` tinyint DEFAULT 0,
  `excluded_ips` text NOT NULL COLLATE NOCASE,
  `excluded_parameters` text NOT NULL COLLATE NOCASE,
  `excluded_user_agents` text NOT NULL COLLATE NOCASE,
  `excluded_referrers` text NOT NULL COLLATE NOCASE,
  `group` varchar(250) NOT NULL COLLATE NOCASE,
  `type` varchar(255) NOT NULL COLLATE NOCASE,
  `keep_url_fragment` tinyint NOT NULL DEFAULT 0,
  `creator_login` varchar(100) COLLATE NOCASE
);

CREATE TABLE `{prefix}site_url` (
  `idsite` int unsigned NOT NULL,
  `url` varchar(190) NOT NULL COLLATE NOCASE,
  PRIMARY KEY (`idsite`, `url`)
);

CREATE TABLE `{prefix}site_setting` (
  `idsite` int unsigned NOT NULL,
  `plugin_name` varchar(60) NOT NULL COLLATE NOCASE,
  `setting_name` varchar(255) NOT NULL COLLATE NOCASE,
  `setting_value` longtext NOT NULL COLLATE NOCASE,
  `json_encoded` tinyint unsigned NOT NULL DEFAULT 0,
  `idsite_setting` integer PRIMARY KEY AUTOINCREMENT
);
CREATE INDEX `{prefix}site_setting_idsite` ON `{prefix}site_setting` (`idsite`, `plugin_name`);

CREATE TABLE `{prefix}goal` (
  `idsite` int NOT NULL,
  `idgoal` int NOT NULL,
  `name` varchar(50) NOT NULL COLLATE NOCASE,
  `description` varchar(255) NOT NULL DEFAULT '' COLLATE NOCASE,
  `match_attribute` varchar(20) NOT NULL COLLATE NOCASE,
  `pattern` varchar(255) NOT NULL COLLATE NOCASE,
  `pattern_type` varchar(25) NOT NULL COLLATE NOCASE,
  `case_sensitive` tinyint NOT NULL,
  `allow_multiple` tinyint NOT NULL,
  `revenue` double NOT NULL,
  `deleted` tinyint NOT NULL DEFAULT 0,
  `event_value_as_revenue` tinyint NOT NULL DEFAULT 0,
  PRIMARY KEY (`idsite`, `idgoal`)
);

CREATE TABLE `{prefix}custom_dimensions` (
  `idcustomdimension` bigint unsigned NOT NULL,
  `idsite` bigint unsigned NOT NULL,
  `name` varchar(100) NOT NULL COLLATE NOCASE,
  `index` smallint unsigned NOT NULL,
  `scope` varchar(10) NOT NULL COLLATE NOCASE,
  `active` tinyint unsigned NOT NULL DEFAULT 0,
  `extractions` text NOT NULL DEFAULT '' COLLATE NOCASE,
  `case_sensitive` tinyint unsigned NOT NULL DEFAULT 1,
  PRIMARY KEY (`idcustomdimension`, `idsite`)
);
CREATE UNIQUE INDEX `{prefix}custom_dimensions_uniq_hash` ON `{prefix}custom_dimensions` (`idsite`, `scope`, `index`);

CREATE TABLE `{prefix}user` (
  `login` varchar(100) NOT NULL COLLATE NOCASE,
  `password` varchar(255) NOT NULL COLLATE NOCASE,
  `email` varchar(100) NOT NULL COLLATE NOCASE,
  `twofactor_secret` varchar(40) NOT NULL DEFAULT '' COLLATE NOCASE,
  `superuser_access` tinyint unsigned NOT NULL DEFAULT 0,
  `date_registered` text timestamp,
  `ts_password_modified` text timestamp,
  `idchange_last_viewed` int unsigned,
  `invited_by` varchar(100) COLLATE NOCASE,
  `invite_token` varchar(191) COLLATE NOCASE,
  `invite_link_token` varchar(191) COLLATE NOCASE,
  `invite_expired_at` text timestamp,
  `invite_accept_at` text timestamp,
  `ts_changes_shown` text timestamp,
  PRIMARY KEY (`login`)
);
CREATE UNIQUE INDEX `{prefix}user_uniq_email` ON `{prefix}user` (`email`);

CREATE TABLE `{prefix}user_token_auth` (
  `idusertokenauth` integer PRIMARY KEY AUTOINCREMENT,
  `login` varchar(100) NOT NULL COLLATE NOCASE,
  `description` varchar(100) NOT NULL COLLATE NOCASE,
  `password` varchar(191) NOT NULL COLLATE NOCASE,
  `hash_algo` varchar(30) NOT NULL COLLATE NOCASE,
  `system_token` tinyint NOT NULL DEFAULT 0,
  `last_used` text datetime,
  `date_created` text datetime NOT NULL,
  `date_expired` text datetime,
  `secure_only` tinyint unsigned NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX `{prefix}user_token_auth_uniq_password` ON `{prefix}user_token_auth` (`password`);

CREATE TABLE `{prefix}access` (
  `idaccess` integer PRIMARY KEY AUTOINCREMENT,
  `login` varchar(100) NOT NULL COLLATE NOCASE,
  `idsite` int unsigned NOT NULL,
  `access` varchar(50) COLLATE NOCASE
);
CREATE INDEX `{prefix}access_index_loginidsite` ON `{prefix}access` (`login`, `idsite`);

CREATE TABLE `{prefix}option` (
  `option_name` varchar(191) NOT NULL COLLATE NOCASE,
  `option_value` longtext NOT NULL COLLATE NOCASE,
  `autoload` tinyint NOT NULL DEFAULT 1,
  PRIMARY KEY (`option_name`)
);
CREATE INDEX `{prefix}option_autoload` ON `{prefix}option` (`autoload`);

CREATE TABLE `{prefix}plugin_setting` (
  `plugin_name` varchar(60) NOT NULL COLLATE NOCASE,
  `setting_name` varchar(255) NOT NULL COLLATE NOCASE,
  `setting_value` longtext NOT NULL COLLATE NOCASE,
  `json_encoded` tinyint unsigned NOT NULL DEFAULT 0,
  `user_login` varchar(100) NOT NULL DEFAULT '' COLLATE NOCASE,
  `idplugin_setting` integer PRIMARY KEY AUTOINCREMENT
);
CREATE INDEX `{prefix}plugin_setting_plugin_name` ON `{prefix}plugin_setting` (`plugin_name`, `user_login`);

CREATE TABLE `{prefix}locks` (
  `key` varchar(70) NOT NULL COLLATE NOCASE,
  `value` varchar(255) COLLATE NOCASE,
  `expiry_time` bigint unsigned DEFAULT 9999999999,
  PRIMARY KEY (`key`)
);

CREATE TABLE `{prefix}queuedtracking_queue` (
  `queue_key` varchar(70) NOT NULL COLLATE NOCASE,
  `queue_value` varchar(255) COLLATE NOCASE,
  `expiry_time` bigint unsigned DEFAULT 9999999999,
  PRIMARY KEY (`queue_key`)
);

