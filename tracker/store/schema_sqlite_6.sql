-- What Matomo 6.0 has more than the 5.1 of schema_sqlite.sql, under the same rules.

ALTER TABLE `{prefix}log_visit` ADD COLUMN `ai_agent_name` varchar(40) COLLATE NOCASE;

CREATE TABLE `{prefix}log_bot_request` (
  `idrequest` integer PRIMARY KEY AUTOINCREMENT,
  `idsite` int unsigned NOT NULL,
  `server_time` text datetime NOT NULL,
  `created_time` text datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,
  `idaction_url` int unsigned,
  `bot_name` varchar(100) NOT NULL COLLATE NOCASE,
  `bot_type` varchar(50) NOT NULL COLLATE NOCASE,
  `http_status_code` smallint unsigned,
  `response_size_bytes` int unsigned,
  `response_time_ms` int unsigned,
  `source` varchar(50) COLLATE NOCASE
);
CREATE INDEX `{prefix}log_bot_request_index_idsite_server_time` ON `{prefix}log_bot_request` (`idsite`, `server_time`);

CREATE TABLE `{prefix}log_page_view_time` (
  `idpageviewtime` integer PRIMARY KEY AUTOINCREMENT,
  `idsite` int unsigned NOT NULL,
  `idvisit` bigint unsigned NOT NULL,
  `idlink_va` bigint unsigned NOT NULL,
  `idpageview` char(6),
  `idaction_url` int unsigned,
  `idaction_name` int unsigned,
  `server_time` text datetime NOT NULL,
  `time_spent` int unsigned NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX `{prefix}log_page_view_time_unique_idvisit_idlink_va` ON `{prefix}log_page_view_time` (`idvisit`, `idlink_va`);
CREATE INDEX `{prefix}log_page_view_time_index_idvisit_idpageview` ON `{prefix}log_page_view_time` (`idvisit`, `idpageview`);
CREATE INDEX `{prefix}log_page_view_time_index_idvisit_server_time` ON `{prefix}log_page_view_time` (`idvisit`, `server_time`);
CREATE INDEX `{prefix}log_page_view_time_index_idsite_server_time` ON `{prefix}log_page_view_time` (`idsite`, `server_time`);

ALTER TABLE `{prefix}site` ADD COLUMN `description` varchar(1000) NOT NULL DEFAULT '';
ALTER TABLE `{prefix}custom_dimensions` ADD COLUMN `description` varchar(1000) NOT NULL DEFAULT '';
ALTER TABLE `{prefix}user` ADD COLUMN `ts_last_seen` text timestamp;
ALTER TABLE `{prefix}user` ADD COLUMN `ts_inactivity_notified` text timestamp;
ALTER TABLE `{prefix}user_token_auth` ADD COLUMN `ts_rotation_notified` text timestamp;
ALTER TABLE `{prefix}user_token_auth` ADD COLUMN `ts_expiration_warning_notified` text timestamp;
