<?php
// Reads INI texts, base64, one a line, and answers with what Matomo would make of them: serialized, base64; "error" for syntax errors.
error_reporting(0);
ini_set('display_errors', '0');

function decoded($value)
{
    if (is_array($value)) {
        return array_map('decoded', $value);
    }
    for ($i = 0; $i < 2; $i++) {
        $value = html_entity_decode((string) $value, ENT_COMPAT, 'UTF-8');
    }
    return $value;
}

while (($line = fgets(STDIN)) !== false) {
    $settings = parse_ini_string(base64_decode(trim($line)) . "\n", true);
    echo $settings === false ? 'error' : base64_encode(serialize(decoded($settings))), "\n";
}
