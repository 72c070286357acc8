"""A real redis-server of the test's own: its port, its folder, its end; and a small RESP client to look inside."""

import shutil
import signal
import subprocess

import pytest

import harness
from lab import HERE


def need_redis():
    """Skips the test, visibly, where redis-server is not installed."""
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed (tools/needs.sh test)")


class RedisServer:
    """Started on a port of its own; may be killed, stopped and started again with the same data."""

    def __init__(self, folder, *options, host=HERE):
        need_redis()
        self.folder, self.host = folder, host
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = harness.free_ports()
        self.options = options
        self.process = None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [*self.host.prefix, "redis-server", "--port", str(self.port), "--bind", self.host.address,
             "--dir", str(self.folder), "--save", "", "--appendonly", "yes", "--appendfsync", "always",
             "--daemonize", "no", *self.options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        harness.wait_until(self._answers, 10, "redis-server answers")
        return self

    def _answers(self):
        """Also an error, "NOAUTH", is an answer; "LOADING" is none."""
        try:
            return self("PING")
        except OSError:
            return False
        except RuntimeError as error:
            return not str(error).startswith("LOADING")

    def kill(self):
        """SIGKILL: what was acknowledged is in the append-only file."""
        self.process.kill()
        self.process.wait()

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    def end(self):
        if self.process.poll() is None:
            self.thaw()
            self.kill()

    @property
    def url(self):
        return f"redis://{self.host.address}:{self.port}/0"

    def __call__(self, *words):
        """One command; str for bulk and status, int, list, None, or RuntimeError."""
        with self.host.dial(self.port) as s, s.makefile("rb") as f:
            parts = [w if isinstance(w, bytes) else str(w).encode() for w in words]
            s.sendall(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts))
            return self._read(f)

    def _read(self, f):
        line = f.readline().rstrip(b"\r\n")
        kind, rest = line[:1], line[1:]
        if kind == b"+":
            return rest.decode()
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"$":
            return None if rest == b"-1" else f.read(int(rest) + 2)[:-2].decode(errors="surrogateescape")
        assert kind == b"*", line
        return None if rest == b"-1" else [self._read(f) for _ in range(int(rest))]
