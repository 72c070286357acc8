<?php
// A web site that pushes to its visitors with GatewayClient, as sites on GatewayWorker do: run it by `php -S`.

declare(strict_types=1);

require __DIR__ . '/vendor/autoload.php';

use GatewayClient\Gateway;

const GROUP = 'notices';
const PAGE = __DIR__ . '/../site/page/';

Gateway::$registerAddress = getenv('REGISTER_ADDRESS') ?: '127.0.0.1:1236';
Gateway::$secretKey = getenv('GATEHOUSE_SECRET') ?: '';

/** What goes wrong with a status of its own. */
class Fault extends RuntimeException
{
}

function signedIn(): string
{
    return $_SESSION['name'] ?? throw new Fault('sign in first', 403);
}

function login(array $in): array
{
    $name = $in['name'] ?? '';
    if (!is_string($name) || !preg_match('/^[\p{L}\p{N} ]{1,32}$/u', $name)) {
        throw new Fault('what name?', 400);
    }
    session_regenerate_id(true);
    $_SESSION['name'] = $name;
    return ['name' => $name, 'gateway' => getenv('GATEWAY_URL') ?: 'ws://127.0.0.1:7272'];
}

// The name comes from the session, never from the page: else anybody could be anybody.
function bind(array $in): array
{
    $name = signedIn();
    $client = $in['client_id'] ?? '';
    if (!is_string($client) || !Gateway::isOnline($client)) {
        throw new Fault('no such client', 404);
    }
    Gateway::bindUid($client, $name);
    Gateway::joinGroup($client, GROUP);
    return ['name' => $name];
}

function say(array $in): array
{
    $notice = ['type' => 'notice', 'from' => signedIn(), 'text' => (string) ($in['text'] ?? '')];
    $text = json_encode($notice, JSON_THROW_ON_ERROR);
    $to = (string) ($in['to'] ?? '');
    if ($to === '') {
        Gateway::sendToGroup(GROUP, $text);
    } elseif (Gateway::isUidOnline($to)) {
        Gateway::sendToUid($to, $text);
    } else {
        throw new Fault("$to is not here", 404);
    }
    return ['sent' => true];
}

function readInput(): array
{
    // Only scripts of the site itself can send this type without being asked first (CORS).
    if (($_SERVER['CONTENT_TYPE'] ?? '') !== 'application/json') {
        throw new Fault('JSON, please', 415);
    }
    $in = json_decode(file_get_contents('php://input') ?: '', true);
    return is_array($in) ? $in : throw new Fault('no JSON', 400);
}

function answer(string $request): array
{
    return match ($request) {
        'POST /login' => login(readInput()),
        'POST /bind' => bind(readInput()),
        'POST /say' => say(readInput()),
        default => throw new Fault('nothing here', 404),
    };
}

$path = parse_url($_SERVER['REQUEST_URI'], PHP_URL_PATH);
$files = ['/' => ['index.html', 'text/html'], '/page.js' => ['page.js', 'text/javascript']];
if ($_SERVER['REQUEST_METHOD'] === 'GET' && isset($files[$path])) {
    header("Content-Type: {$files[$path][1]}; charset=utf-8");
    readfile(PAGE . $files[$path][0]);
    return;
}

session_start(['cookie_httponly' => true, 'cookie_samesite' => 'Lax', 'use_strict_mode' => true]);
header('Content-Type: application/json');
try {
    $told = answer("{$_SERVER['REQUEST_METHOD']} $path");
} catch (Fault $fault) {
    http_response_code($fault->getCode());
    $told = ['error' => $fault->getMessage()];
} catch (Throwable $error) {
    error_log((string) $error);
    http_response_code(502);
    $told = ['error' => 'the gateways cannot be reached'];
}
echo json_encode($told);
