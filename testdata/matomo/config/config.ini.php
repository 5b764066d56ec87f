; <?php exit; ?> a Matomo in small, for the demo and for tests
[database]
host = "127.0.0.1"
port = 3306
username = "root"
password = ""
dbname = "matomo"
tables_prefix = "matomo_"
charset = "utf8mb4"

[General]
salt = "an installation in small"
enable_internet_features = 0

[Plugins]
Plugins[] = "CoreHome"
Plugins[] = "WebsiteMeasurable"
Plugins[] = "IntranetMeasurable"
Plugins[] = "Actions"
Plugins[] = "Referrers"
Plugins[] = "UserLanguage"
Plugins[] = "DevicesDetection"
Plugins[] = "Goals"
Plugins[] = "Ecommerce"
Plugins[] = "Events"
Plugins[] = "UserCountry"
Plugins[] = "VisitFrequency"
Plugins[] = "VisitTime"
Plugins[] = "VisitorInterest"
Plugins[] = "SitesManager"
Plugins[] = "UsersManager"
Plugins[] = "Login"
Plugins[] = "PrivacyManager"
Plugins[] = "Contents"
Plugins[] = "BulkTracking"
Plugins[] = "Resolution"
Plugins[] = "DevicePlugins"
Plugins[] = "Heartbeat"
Plugins[] = "UserId"
Plugins[] = "PagePerformance"
Plugins[] = "CustomDimensions"
Plugins[] = "CustomVariables"
Plugins[] = "QueuedTracking"
