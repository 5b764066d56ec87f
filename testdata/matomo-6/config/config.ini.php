; <?php exit; ?> a Matomo 6.0 in small, for the demo and for tests: plugins and all other settings are those of global.ini.php
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
