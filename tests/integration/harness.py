"""Runs a real gatehouse in a folder of its own, with ports of its own, and leaves nothing behind.

Nothing here shares code with the server: the WebSocket frames, the wire packets and the register lines are written anew
from RFC 6455 and the recorded vectors, so that a mistake of the server cannot hide in the test.
"""

import concurrent.futures
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("GATEHOUSE", ROOT / "build" / "gatehouse")).resolve()
# Sanitizers and a busy machine make everything slower; deadlines grow, expectations do not.
SLOW = float(os.environ.get("TEST_SLOW", "1"))

_given = set()


def _is_free(port):
    for family, host in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        with socket.socket(family, socket.SOCK_STREAM) as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                s.bind((host, port))
            except OSError:
                return False
    return True


def free_ports(n=1):
    """The first of n neighbouring ports that nobody uses, below the range of outgoing connections. TEST_PORTS=FROM-TO
    keeps runs side by side apart."""
    low, high = map(int, os.environ.get("TEST_PORTS", "10000-32000").split("-"))
    rng = random.Random(os.urandom(8))
    for _ in range(2000):
        first = rng.randrange(low, high - n)
        ports = range(first, first + n)
        if not _given.intersection(ports) and all(_is_free(p) for p in ports):
            _given.update(ports)
            return first
    raise RuntimeError("no free ports")


def wait_until(check, seconds=10, what="condition"):
    """Polls check() until it is true; its last value is returned."""
    deadline = time.monotonic() + seconds * SLOW
    while True:
        value = check()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds * SLOW:.0f} s: {what}")
        time.sleep(0.02)


def at_once(visit, visitors):
    """visit() of each, side by side: a busy machine stretches them far less than one after the other. The results."""
    visitors = list(visitors)
    with concurrent.futures.ThreadPoolExecutor(len(visitors)) as pool:
        return list(pool.map(visit, visitors))


def accepts(port, host="127.0.0.1"):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex((host, port)) == 0


class Site:
    """One config and the server that runs it."""

    def __init__(self, folder, text, name="test.conf", prefix=()):
        """`prefix` are words in front of every command: what it takes to run on another host of a lab."""
        self.prefix = prefix
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.conf = self.folder / name
        self.conf.write_text(text)
        self.out = self.folder / "out.txt"
        self.process = None

    def command(self, *args, timeout=60):
        """Runs `gatehouse ARGS -c CONF` and returns the finished process with its texts."""
        return subprocess.run(
            [*self.prefix, str(BINARY), *args, "-c", str(self.conf)],
            capture_output=True, text=True, timeout=timeout * SLOW, stdin=subprocess.DEVNULL,
        )

    def start(self, *ports, seconds=20):
        """Starts in the foreground and waits until every port accepts connections."""
        with open(self.out, "ab") as out:
            self.process = subprocess.Popen(
                [*self.prefix, str(BINARY), "start", "-c", str(self.conf)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            )

        def is_up():
            if self.process.poll() is not None:
                raise AssertionError(f"start ended with {self.process.returncode}:\n{self.output()}")
            return all(accepts(p) for p in ports) and self.is_ready()

        wait_until(is_up, seconds, f"ports {ports} of {self.conf}\n{self.output()}")
        return self

    def is_ready(self):
        """Whether every process told the master that it serves."""
        done = self.command("status", "--json")
        if done.returncode != 0:
            return False
        rows = json.loads(done.stdout)["processes"]
        return bool(rows) and all(row.get("ready", True) for row in rows)

    def status(self):
        done = self.command("status", "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def pids(self, kind):
        """Process ids of a role, by slot."""
        rows = [r for r in self.status()["processes"] if r["kind"] == kind]
        return [r["pid"] for r in sorted(rows, key=lambda r: (r["name"], r["slot"]))]

    def output(self):
        return self.out.read_text(errors="replace") if self.out.exists() else ""

    def log(self):
        texts = [p.read_text(errors="replace") for p in sorted(self.folder.rglob("*.log"))]
        return "\n".join(texts)

    def stop(self, expect=0):
        """Stops the server; whatever it wrote about sanitizers fails the test."""
        if self.process is None:
            return
        process, self.process = self.process, None
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            code = process.wait(timeout=20 * SLOW)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise AssertionError(f"did not stop:\n{self.output()}")
        text = self.output() + self.log()
        for word in ("AddressSanitizer", "runtime error:", "LeakSanitizer"):
            assert word not in text, text
        # Whatever a server does in any test must be in the list of what it may do.
        assert "the sandbox refused" not in text, text
        if expect is not None:
            assert code == expect, f"exit status {code}:\n{text}"


def chat_conf(*, gateways=1, workers=1, events, registry, port, inner, web=None, gateway="", worker="",
              master="", scheme="websocket"):
    """The text of a config with one registry, gateway and worker section (and web, with a port)."""
    text = f"""
[master]
{master}

[registry]
listen = text://127.0.0.1:{registry}

[gateway chat]
listen = {scheme}://127.0.0.1:{port}
count = {gateways}
lan_ip = 127.0.0.1
start_port = {inner}
register_address = 127.0.0.1:{registry}
{gateway}

[worker chat]
count = {workers}
events = {events}
register_address = 127.0.0.1:{registry}
{worker}
"""
    if web:
        text += f"\n[web]\nlisten = http://127.0.0.1:{web}\nroot = {ROOT}/apps/chat/web\n"
    return text


class Ports:
    """The ports of one site, told apart by name."""

    def __init__(self, gateways=2):
        self.inner = free_ports(gateways)
        self.port = free_ports()
        self.registry = free_ports()
        self.web = free_ports()
