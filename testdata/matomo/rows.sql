-- Three sites with goals, and the options that an installation has.

INSERT INTO `matomo_site` (idsite, name, main_url, ts_created, ecommerce, sitesearch, sitesearch_keyword_parameters,
  sitesearch_category_parameters, timezone, currency, exclude_unknown_urls, excluded_ips, excluded_parameters, excluded_user_agents,
  excluded_referrers, `group`, type, keep_url_fragment, creator_login) VALUES
(1, 'Garden blog', 'https://garden.example.org', '2020-01-01 00:00:00', 0, 1, '', '', 'UTC', 'EUR', 0, '', '', '', '', '', 'website', 0, ''),
(2, 'Tea shop', 'https://tea.example.com', '2020-01-01 00:00:00', 1, 1, '', '', 'Europe/Berlin', 'EUR', 0, '', '', '', '', '', 'website', 0, ''),
(3, 'Handbook', 'https://handbook.example.net', '2020-01-01 00:00:00', 0, 1, 'find', '', 'America/New_York', 'USD', 0, '198.51.100.*', 'draft', '', '', '', 'website', 0, '');

INSERT INTO `matomo_site_url` (idsite, url) VALUES
(2, 'https://www.tea.example.com');

INSERT INTO `matomo_goal` (idsite, idgoal, name, description, match_attribute, pattern, pattern_type, case_sensitive, allow_multiple,
  revenue, deleted, event_value_as_revenue) VALUES
(1, 1, 'Newsletter', '', 'url', '/newsletter/thanks', 'contains', 0, 0, 0, 0, 0),
(1, 2, 'Planting calendar', '', 'file', '.pdf', 'contains', 0, 0, 1, 0, 0),
(2, 1, 'Checkout begun', '', 'url', '/checkout', 'contains', 0, 0, 0, 0, 0),
(2, 2, 'Catalogue ordered', '', 'manually', '', '', 0, 1, 2.5, 0, 0),
(3, 1, 'Video watched', '', 'event_category', 'Video', 'exact', 0, 1, 0, 0, 0);

INSERT INTO `matomo_option` (option_name, option_value, autoload) VALUES
('version_core', '5.1.2', 1),
('version_QueuedTracking', '5.1.1', 1),
('PrivacyManager.ipAnonymizerEnabled', '1', 1),
('PrivacyManager.ipAddressMaskLength', '2', 1);

INSERT INTO `matomo_plugin_setting` (plugin_name, setting_name, setting_value, json_encoded, user_login) VALUES
('QueuedTracking', 'queueEnabled', '1', 0, ''),
('QueuedTracking', 'processDuringTrackingRequest', '0', 0, ''),
('QueuedTracking', 'numQueueWorkers', '4', 0, '');
