<?php

foreach (['Version', 'framework', 'database', 'tracker'] as $file) {
    require __DIR__ . "/$file.php";
}
require __DIR__ . '/../plugins/Nasty.php';
require __DIR__ . '/../plugins/Recorded.php';
