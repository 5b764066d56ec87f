<?php
// Answers questions about PHP for the tests: one line in, one line out. A line is the name of a function and its arguments, each
// one serialized and in hexadecimal, separated by tabs; the answer is serialized and in hexadecimal.
error_reporting(0);
date_default_timezone_set('UTC');

function sanitizeText($s)
{
    $s = str_replace("\0", '', html_entity_decode($s, ENT_QUOTES, 'UTF-8'));
    $escaped = htmlspecialchars($s, ENT_QUOTES, 'UTF-8');
    if ($s !== '' && $escaped === '') {
        return htmlspecialchars(utf8_encode($s), ENT_QUOTES, 'UTF-8');
    }
    return $escaped;
}

$answers = [
    'trim' => fn ($s) => trim($s),
    'mb_strtolower' => fn ($s) => mb_strtolower($s, 'UTF-8'),
    'mb_substr' => fn ($s, $n) => mb_substr($s, 0, $n, 'UTF-8'),
    'stripos' => fn ($s, $sub) => stripos($s, $sub) !== false,
    'is_numeric' => fn ($s) => is_numeric($s),
    'int' => fn ($v) => (int) $v,
    'float' => fn ($v) => (float) $v,
    'string' => fn ($v) => (string) $v,
    'bool' => fn ($v) => (bool) $v,
    'equal' => fn ($a, $b) => $a == $b,
    'round' => fn ($f, $n) => round($f, $n),
    'sanitize' => fn ($s) => is_numeric($s) ? $s : sanitizeText($s),
    'unsanitize' => fn ($s) => htmlspecialchars_decode($s, ENT_QUOTES),
    'parse_url' => fn ($s) => parse_url($s),
    'urldecode' => fn ($s) => urldecode($s),
    'urlencode' => fn ($s) => urlencode($s),
    'http_build_query' => fn ($a) => http_build_query($a),
    'json_decode' => function ($s) {
        $v = json_decode($s, true);
        return json_last_error() ? 'error' : [$v];
    },
    'json_encode' => fn ($v) => json_encode($v),
    'serialize' => fn ($v) => serialize($v),
    'unserialize' => function ($s) {
        $v = unserialize($s, ['allowed_classes' => false]);
        return $v === false && !str_starts_with($s, 'b:0;') ? 'error' : [$v];
    },
    'base64_decode' => fn ($s) => base64_decode($s),
    'inet_pton' => fn ($s) => str_contains($s, "\0") ? false : inet_pton($s),
    'inet_ntop' => fn ($s) => inet_ntop($s),
    'version_compare' => fn ($a, $b) => version_compare($a, $b),
    'strtotime' => fn ($s, $now) => strtotime($s, $now),
    'preg_match' => function ($pattern, $s) {
        $n = preg_match($pattern, $s, $m);
        return $n === false ? 'error' : ($n ? $m : []);
    },
];

while (($line = fgets(STDIN)) !== false) {
    $arguments = explode("\t", trim($line));
    $name = array_shift($arguments);
    echo bin2hex(serialize($answers[$name](...array_map(fn ($a) => unserialize(hex2bin($a)), $arguments)))), "\n";
}
