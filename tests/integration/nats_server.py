"""Real nats-server processes of the test's own, a look at their monitoring, and a small client that writes NATS's text
protocol (https://docs.nats.io/reference/reference-protocols/nats-protocol) without any library."""

import json
import shutil
import socket
import subprocess
import urllib.request

import pytest

import harness


def need_nats():
    """Skips the test, visibly, where nats-server is not installed."""
    if not shutil.which("nats-server"):
        pytest.skip("nats-server is not installed (tools/needs.sh test)")


class NatsServer:
    """One server; may be killed and started again on the same ports."""

    def __init__(self, folder, name="n0", extra="", routes=(), cluster_port=None, scheme="nats"):
        need_nats()
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.name, self.scheme = name, scheme
        self.port, self.monitor = harness.free_ports(), harness.free_ports()
        text = f'server_name: {name}\nlisten: "127.0.0.1:{self.port}"\nhttp: "127.0.0.1:{self.monitor}"\n{extra}\n'
        if cluster_port:
            text += f'cluster {{ name: test, listen: "127.0.0.1:{cluster_port}", routes: [{", ".join(routes)}] }}\n'
        self.conf = folder / f"{name}.conf"
        self.conf.write_text(text)
        self.process = None
        self.start()

    def start(self):
        with open(self.folder / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen(["nats-server", "-c", str(self.conf)], stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT)
        harness.wait_until(lambda: harness.accepts(self.port) and harness.accepts(self.monitor), 20, self.name)
        return self

    def kill(self):
        """SIGKILL."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def url(self):
        return f"{self.scheme}://127.0.0.1:{self.port}"

    def look(self, what):
        """What its monitoring port tells, e.g. "connz?subs=1"."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{self.monitor}/{what}", timeout=10 * harness.SLOW) as answer:
            return json.load(answer)

    def connections(self):
        """Its named clients as (name, list of subjects) each."""
        rows = self.look("connz?subs=1&limit=1000")["connections"]
        return [(row["name"], row.get("subscriptions_list") or []) for row in rows if row.get("name")]


class NatsCluster:
    """Three servers that know one another."""

    def __init__(self, folder, extra="", scheme="nats"):
        ports = [harness.free_ports() for _ in range(3)]
        routes = [f'"nats://127.0.0.1:{port}"' for port in ports]
        self.servers = []
        for i, port in enumerate(ports):
            self.servers.append(NatsServer(folder, f"n{i}", extra, routes, port, scheme))
        self.wait()

    def wait(self):
        """Until each has a route to all others that live."""
        alive = [s for s in self.servers if s.process.poll() is None]
        harness.wait_until(lambda: all(s.look("routez")["num_routes"] >= len(alive) - 1 for s in alive), 20,
                           "routes between the servers")

    @property
    def urls(self):
        return [s.url for s in self.servers]

    def end(self):
        for server in self.servers:
            server.kill()


class NatsClient:
    """Publishes and subscribes, blocking."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10 * harness.SLOW)
        self.file = self.socket.makefile("rb")
        assert self.file.readline().startswith(b"INFO ")
        self.sids = 0
        self.send(b'CONNECT {"verbose":false,"pedantic":false}\r\n')
        self.flush()

    def send(self, data):
        self.socket.sendall(data)

    def subscribe(self, subject):
        self.sids += 1
        self.send(f"SUB {subject} {self.sids}\r\n".encode())
        self.flush()

    def publish(self, subject, data, reply=""):
        self.send(f"PUB {subject} {reply + ' ' if reply else ''}{len(data)}\r\n".encode() + data + b"\r\n")

    def flush(self):
        """Everything sent has reached the server; messages that come first are kept."""
        self.send(b"PING\r\n")
        kept = getattr(self, "kept", [])
        while True:
            message = self._next()
            if message is None:
                break
            kept.append(message)
        self.kept = kept

    def _next(self):
        """A message as (subject, reply, bytes), or None for a PONG."""
        while True:
            words = self.file.readline().split()
            if not words:
                raise ConnectionError("closed by nats-server")
            if words[0] == b"PING":
                self.send(b"PONG\r\n")
            elif words[0] == b"PONG":
                return None
            elif words[0] == b"MSG":
                data = self.file.read(int(words[-1]) + 2)[:-2]
                return words[1].decode(), words[3].decode() if len(words) == 5 else "", data
            elif words[0] == b"-ERR":
                raise RuntimeError(b" ".join(words).decode())

    def next(self):
        """The next message."""
        if self.kept:
            return self.kept.pop(0)
        message = None
        while message is None:
            message = self._next()
        return message

    def close(self):
        self.file.close()
        self.socket.close()
