"""The original projects in PHP, where checkouts of them are at hand: GATEWAYWORKER_DIR names a folder that holds
GatewayWorker, workerman, coroutine and GatewayClient. Without it the tests skip themselves."""

import base64
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

import pytest

from harness import SLOW, accepts, free_ports, wait_until

FOLDER = os.environ.get("GATEWAYWORKER_DIR", "")
PROJECTS = ("GatewayWorker", "workerman", "coroutine", "GatewayClient")

needs_php = pytest.mark.skipif(
    not FOLDER or not shutil.which("php") or not all((pathlib.Path(FOLDER) / p).is_dir() for p in PROJECTS),
    reason=f"GATEWAYWORKER_DIR is no folder with {', '.join(PROJECTS)}, or there is no php")

# PSR-4, as the composer.json of each project says.
AUTOLOAD = """<?php
error_reporting(E_ALL & ~E_DEPRECATED);
spl_autoload_register(function ($class) {
    $places = [
        ['GatewayClient\\\\', 'GatewayClient/'], ['GatewayWorker\\\\', 'GatewayWorker/src/'],
        ['Workerman\\\\Coroutine\\\\', 'coroutine/src/'], ['Workerman\\\\', 'coroutine/src/'],
        ['Workerman\\\\', 'workerman/src/'],
    ];
    foreach ($places as [$prefix, $folder]) {
        $file = getenv('GATEWAYWORKER_DIR') . '/' . $folder
            . str_replace('\\\\', '/', substr($class, strlen($prefix))) . '.php';
        if (str_starts_with($class, $prefix) && is_file($file)) {
            require_once $file;
            return;
        }
    }
});
"""

CLIENT = """<?php
require __DIR__ . '/autoload.php';
use GatewayClient\\Gateway;
Gateway::$addressesCacheDisable = true;
while (($line = fgets(STDIN)) !== false) {
    $order = json_decode($line, true);
    Gateway::$registerAddress = $order['registry'];
    Gateway::$secretKey = $order['secret'];
    $answer = ['value' => null, 'error' => null];
    ob_start();
    try {
        $answer['value'] = base64_encode(serialize(eval('use GatewayClient\\Gateway; return ' . $order['php'] . ';')));
    } catch (\\Throwable $e) {
        $answer['error'] = base64_encode(get_class($e) . ': ' . $e->getMessage());
    }
    ob_end_clean();
    fwrite(STDOUT, json_encode($answer) . "\\n");
}
"""

SERVERS = """<?php
require __DIR__ . '/autoload.php';
use Workerman\\Worker;
[$registry, $secret, $gateways] = json_decode(file_get_contents(__DIR__ . '/servers.json'), true);
$r = new GatewayWorker\\Register("text://127.0.0.1:$registry");
$r->secretKey = $secret;
foreach ($gateways as $name => [$port, $inner]) {
    $g = new GatewayWorker\\Gateway("Websocket://127.0.0.1:$port");
    $g->name = $name;
    $g->count = 1;
    $g->lanIp = '127.0.0.1';
    $g->startPort = $inner;
    $g->registerAddress = "127.0.0.1:$registry";
    $g->secretKey = $secret;
}
Worker::$pidFile = __DIR__ . '/servers.pid';
Worker::$logFile = __DIR__ . '/servers.log';
Worker::$statusFile = __DIR__ . '/servers.status';
Worker::runAll();
"""


def write(folder, name, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "autoload.php").write_text(AUTOLOAD)
    (folder / name).write_text(text)
    return folder / name


class GatewayClient:
    """The real GatewayClient in a process that evaluates calls."""

    def __init__(self, folder, registry, secret=""):
        self.registry, self.secret = f"127.0.0.1:{registry}", secret
        self.process = subprocess.Popen(["php", str(write(folder, "client.php", CLIENT))], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)

    def call(self, php, secret=None):
        """What `Gateway::…` returns, serialized, and the exception as text; one of them is None."""
        order = {"php": php, "registry": self.registry, "secret": self.secret if secret is None else secret}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return tuple(v if v is None else base64.b64decode(v) for v in (answer["value"], answer["error"]))

    def close(self):
        self.process.stdin.close()
        self.process.stdout.close()
        assert self.process.wait(timeout=10 * SLOW) == 0


def end_session(process):
    """Ends a master of the original and its processes, which are in a session of the test's own."""
    os.killpg(process.pid, signal.SIGINT)
    try:
        process.wait(timeout=5 * SLOW)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Servers:
    """A real Register and real Gateways of one process each."""

    def __init__(self, folder, names=("a", "b"), secret=""):
        self.registry = free_ports()
        self.secret = secret
        self.public = {n: free_ports() for n in names}
        self.inner = {n: free_ports() for n in names}
        script = write(folder, "servers.php", SERVERS)
        (folder / "servers.json").write_text(json.dumps(
            [self.registry, secret, {n: (self.public[n], self.inner[n]) for n in names}]))
        with open(folder / "servers.out", "wb") as out:
            self.process = subprocess.Popen(["php", str(script), "start"], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=subprocess.STDOUT, cwd=folder, start_new_session=True)
        # Not the ports of clients: connection ids count from the first to look.
        wait_until(lambda: all(accepts(p) for p in (*self.inner.values(), self.registry)), what="servers in PHP")

    def close(self):
        end_session(self.process)


# ---- PHP values ----


def unserialize(data):
    """null, bools, numbers and byte strings as such; arrays as dicts in order."""
    value, rest = _value(data)
    assert rest == b"", rest
    return value


def _value(data):
    if data.startswith(b"N;"):
        return None, data[2:]
    if data[:2] == b"s:":
        n, rest = data[2:].split(b":", 1)
        n = int(n)
        return rest[1:n + 1], rest[n + 3:]
    if data[:2] == b"a:":
        n, rest = data[2:].split(b":", 1)
        rest, out = rest[1:], {}
        for _ in range(int(n)):
            key, rest = _value(rest)
            out[key], rest = _value(rest)
        return out, rest[1:]
    kind, number, rest = re.match(rb"([bid]):([^;]*);(.*)", data, re.S).groups()
    return {b"b": lambda t: t == b"1", b"i": int, b"d": float}[kind](number), rest


def unordered(value):
    """Lists of several gateways come in the order in which the registry names these: it does not count."""
    if not isinstance(value, dict):
        return value
    if list(value) == list(range(len(value))):
        return "list", sorted((unordered(v) for v in value.values()), key=repr)
    return "map", sorted(((k, unordered(v)) for k, v in value.items()), key=repr)
