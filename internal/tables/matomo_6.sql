-- What Matomo 6.0 has more than the 5.1 of matomo_5.sql.

ALTER TABLE `{prefix}log_visit` ADD COLUMN `ai_agent_name` varchar(40) DEFAULT NULL;
ALTER TABLE `{prefix}site` ADD COLUMN `description` varchar(1000) NOT NULL DEFAULT '';
ALTER TABLE `{prefix}custom_dimensions` ADD COLUMN `description` varchar(1000) NOT NULL DEFAULT '';
ALTER TABLE `{prefix}user` ADD COLUMN `ts_last_seen` timestamp NULL DEFAULT NULL;
ALTER TABLE `{prefix}user` ADD COLUMN `ts_inactivity_notified` timestamp NULL DEFAULT NULL;
ALTER TABLE `{prefix}user_token_auth` ADD COLUMN `ts_rotation_notified` timestamp NULL DEFAULT NULL;
ALTER TABLE `{prefix}user_token_auth` ADD COLUMN `ts_expiration_warning_notified` timestamp NULL DEFAULT NULL;

CREATE TABLE `{prefix}log_bot_request` (
  `idrequest` bigint unsigned NOT NULL AUTO_INCREMENT,
  `idsite` int unsigned NOT NULL,
  `server_time` datetime NOT NULL,
  `created_time` datetime NOT NULL DEFAULT CURRENT_TIMESTAMP,
  `idaction_url` int unsigned DEFAULT NULL,
  `bot_name` varchar(100) NOT NULL,
  `bot_type` varchar(50) NOT NULL,
  `http_status_code` smallint unsigned DEFAULT NULL,
  `response_size_bytes` int unsigned DEFAULT NULL,
  `response_time_ms` int unsigned DEFAULT NULL,
  `source` varchar(50) DEFAULT NULL,
  PRIMARY KEY (`idrequest`),
  KEY `index_idsite_server_time` (`idsite`,`server_time`)
);

CREATE TABLE `{prefix}log_page_view_time` (
  `idpageviewtime` bigint unsigned NOT NULL AUTO_INCREMENT,
  `idsite` int unsigned NOT NULL,
  `idvisit` bigint unsigned NOT NULL,
  `idlink_va` bigint unsigned NOT NULL,
  `idpageview` char(6) CHARACTER SET ascii COLLATE ascii_bin DEFAULT NULL,
  `idaction_url` int unsigned DEFAULT NULL,
  `idaction_name` int unsigned DEFAULT NULL,
  `server_time` datetime NOT NULL,
  `time_spent` int unsigned NOT NULL DEFAULT 0,
  PRIMARY KEY (`idpageviewtime`),
  UNIQUE KEY `unique_idvisit_idlink_va` (`idvisit`,`idlink_va`),
  KEY `index_idvisit_idpageview` (`idvisit`,`idpageview`),
  KEY `index_idvisit_server_time` (`idvisit`,`server_time`),
  KEY `index_idsite_server_time` (`idsite`,`server_time`),
  KEY `index_idvisit_idaction_url_time` (`idvisit`,`idaction_url`,`time_spent`),
  KEY `index_idvisit_idaction_name_time` (`idvisit`,`idaction_name`,`time_spent`)
);
