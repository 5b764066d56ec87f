-- The tables that this package reads and writes, in SQL that MariaDB and SQLite understand alike.
CREATE TABLE m_site (
  idsite INTEGER PRIMARY KEY, main_url VARCHAR(255) NOT NULL, ts_created TIMESTAMP NULL, sitesearch TINYINT DEFAULT 1,
  sitesearch_keyword_parameters TEXT NOT NULL, sitesearch_category_parameters TEXT NOT NULL, timezone VARCHAR(50) NOT NULL,
  exclude_unknown_urls TINYINT DEFAULT 0, excluded_ips TEXT NOT NULL, excluded_parameters TEXT NOT NULL,
  excluded_user_agents TEXT NOT NULL, excluded_referrers TEXT NOT NULL, type VARCHAR(255) NOT NULL,
  keep_url_fragment TINYINT NOT NULL DEFAULT 0
);
CREATE TABLE m_site_url (idsite INTEGER NOT NULL, url VARCHAR(190) NOT NULL, PRIMARY KEY (idsite, url));
CREATE TABLE m_goal (
  idsite INTEGER NOT NULL, idgoal INTEGER NOT NULL, name VARCHAR(50) NOT NULL, description VARCHAR(255) NOT NULL DEFAULT '',
  match_attribute VARCHAR(20) NOT NULL, pattern VARCHAR(255) NOT NULL, pattern_type VARCHAR(25) NOT NULL, case_sensitive TINYINT NOT NULL,
  allow_multiple TINYINT NOT NULL, revenue DOUBLE NOT NULL, deleted TINYINT NOT NULL DEFAULT 0,
  event_value_as_revenue TINYINT NOT NULL DEFAULT 0, PRIMARY KEY (idsite, idgoal)
);
CREATE TABLE m_custom_dimensions (
  idcustomdimension BIGINT NOT NULL, idsite BIGINT NOT NULL, name VARCHAR(100) NOT NULL, `index` SMALLINT NOT NULL,
  scope VARCHAR(10) NOT NULL, active TINYINT NOT NULL DEFAULT 0, extractions TEXT NOT NULL, case_sensitive TINYINT NOT NULL DEFAULT 1,
  PRIMARY KEY (idcustomdimension, idsite)
);
CREATE TABLE m_user (login VARCHAR(100) NOT NULL PRIMARY KEY, superuser_access TINYINT NOT NULL DEFAULT 0);
CREATE TABLE m_user_token_auth (
  idusertokenauth INTEGER PRIMARY KEY, login VARCHAR(100) NOT NULL, password VARCHAR(191) NOT NULL UNIQUE, last_used DATETIME DEFAULT NULL,
  date_expired DATETIME DEFAULT NULL, secure_only TINYINT NOT NULL DEFAULT 0
);
CREATE TABLE m_access (idaccess INTEGER PRIMARY KEY, login VARCHAR(100) NOT NULL, idsite INTEGER NOT NULL, access VARCHAR(50) DEFAULT NULL);
CREATE TABLE m_option (option_name VARCHAR(191) NOT NULL PRIMARY KEY, option_value TEXT NOT NULL, autoload TINYINT NOT NULL DEFAULT 1);
CREATE TABLE m_plugin_setting (
  idplugin_setting INTEGER PRIMARY KEY, plugin_name VARCHAR(60) NOT NULL, setting_name VARCHAR(255) NOT NULL, setting_value TEXT NOT NULL,
  json_encoded TINYINT NOT NULL DEFAULT 0, user_login VARCHAR(100) NOT NULL DEFAULT ''
);
CREATE TABLE m_site_setting (
  idsite_setting INTEGER PRIMARY KEY, idsite INTEGER NOT NULL, plugin_name VARCHAR(60) NOT NULL, setting_name VARCHAR(255) NOT NULL,
  setting_value TEXT NOT NULL, json_encoded TINYINT NOT NULL DEFAULT 0
);
INSERT INTO m_option VALUES ('version_core', '5.1.2', 1), ('useridsalt', 'salt of users', 1);
INSERT INTO m_site VALUES
  (1, 'http://one.example.org', '2020-01-02 03:04:05', 1, '', '', 'UTC', 0, '', '', '', '', 'website', 0),
  (2, 'https://two.example.org', NULL, NULL, 'kw,suche', 'kat', 'Pacific/Auckland', 1, '203.0.113.7,198.51.100.*,bad,', 'sid,,a b,sid',
   'BadAgent,/x/', 'ref.example.org,www.pay.example.com/checkout', 'intranet', 1),
  (3, 'http://three.example.org', NULL, 0, '0', '0', '', 0, '', '', '', '', 'mobileapp', 2);
INSERT INTO m_site_url VALUES (2, 'https://www.two.example.org/shop'), (2, 'http://alias.example.org'), (1, 'http://two.example.org/one');
INSERT INTO m_goal VALUES
  (1, 2, 'b', '', 'url', '/x', 'contains', 1, 0, 10, 0, 0),
  (1, 1, 'a &amp; b', 'd &lt;', 'event_name', '&quot;q&quot;', 'regex', 0, 1, 2.5, 0, 1),
  (1, 3, 'gone', '', 'url', '', 'exact', 0, 0, 0, 1, 0),
  (2, 1, 'manual', '', 'manually', '', '', 0, 0, 7.77, 0, 0);
INSERT INTO m_custom_dimensions VALUES
  (2, 2, 'B', 1, 'action', 1,
   '[{"dimension":"url","pattern":"/a/(.*)"},{"dimension":"x"},{"pattern":"y"},{"dimension":"z","pattern":"0"},{"dimension":"urlparam","pattern":"q"}]', 0),
  (1, 2, 'A', 2, 'visit', 1, '', 1),
  (3, 2, 'C', 3, 'visit', 0, '[]', 1);
INSERT INTO m_user VALUES ('root', 1), ('writer', 0), ('admin', 0), ('viewer', 0);
INSERT INTO m_access VALUES (1, 'writer', 1, 'write'), (2, 'admin', 2, 'admin'), (3, 'viewer', 1, 'view'), (4, 'viewer', 2, 'view');
