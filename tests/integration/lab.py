"""Hosts for tests of many machines: network namespaces on a switch of the test's own, which may be cut off and may
lose packets; or, where namespaces are not permitted, addresses 127.0.0.x on this machine."""

import contextlib
import ctypes
import os
import pathlib
import random
import shutil
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from harness import SLOW, Site
from ws import Client

CLONE_NEWNET = 0x40000000
TCP_RTO_MAX_MS = 44
_libc = ctypes.CDLL(None, use_errno=True)

LOSS = """
table inet lab {
 chain lossy {
  type filter hook input priority 0;
  numgen random mod 100 < %d drop;
 }
}
"""


def run(*words, stdin=None):
    done = subprocess.run(words, input=stdin, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(f"{' '.join(words)}: {done.stderr.strip()}")


def has_namespaces():
    """Whether this test may make network namespaces and join them by a switch."""
    if not shutil.which("ip"):
        return False
    name = f"gh-try-{os.getpid()}"
    try:
        run("ip", "netns", "add", name)
    except OSError:
        return False
    try:
        run("ip", "-n", name, "link", "add", "br0", "type", "bridge")
        run("ip", "-n", name, "link", "add", "v0", "type", "veth", "peer", "name", "v1")
        return True
    except OSError:
        return False
    finally:
        run("ip", "netns", "del", name)


def tries_again_soon():
    """Whether this kernel lets a link resend every second (TCP_RTO_MAX_MS, Linux 6.15), whatever was lost before."""
    with socket.socket() as sock:
        try:
            return sock.getsockopt(socket.IPPROTO_TCP, TCP_RTO_MAX_MS) > 0
        except OSError:
            return False


class Host:
    """One machine: an address, and processes that see only its network."""

    def __init__(self, name, address, namespace=None):
        self.name, self.address, self.namespace = name, address, namespace
        self.prefix = ("ip", "netns", "exec", namespace) if namespace else ()

    @contextlib.contextmanager
    def inside(self):
        """Sockets made in here are on that machine, and stay there."""
        if not self.namespace:
            yield
            return
        with open("/proc/thread-self/ns/net") as home, open(f"/run/netns/{self.namespace}") as there:
            _enter(there)
            try:
                yield
            finally:
                _enter(home)

    def dial(self, port):
        with self.inside():
            return socket.create_connection((self.address, port), 5 * SLOW)

    async def connect(self, port, on_text=None):
        """A WebSocket client on this machine, to a gateway on it: no cut comes between the two."""
        sock = self.dial(port)
        sock.setblocking(False)
        return await Client.connect(port, on_text, sock=sock)


HERE = Host("here", "127.0.0.1")


def _enter(namespace):
    if _libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Lab:
    """Machines that see each other, and the servers on them."""

    def __init__(self, folder, names, namespaces):
        self.folder = pathlib.Path(folder)
        self.switch = None
        self.sites = []
        self.hosts = {}
        tag = f"gh{os.getpid()}-{random.randrange(10000)}"
        if namespaces:
            self.switch = f"{tag}-sw"
            run("ip", "netns", "add", self.switch)
            run("ip", "-n", self.switch, "link", "add", "br0", "type", "bridge")
            run("ip", "-n", self.switch, "link", "set", "br0", "up")
        for at, name in enumerate(names):
            if namespaces:
                self.hosts[name] = Host(name, f"10.77.0.{at + 1}", f"{tag}-{name}")
                self._plug_in(self.hosts[name])
            else:
                self.hosts[name] = Host(name, f"127.0.0.{at + 11}")

    def _plug_in(self, host):
        run("ip", "netns", "add", host.namespace)
        run("ip", "link", "add", host.name, "netns", self.switch, "type", "veth",
            "peer", "name", "eth0", "netns", host.namespace)
        run("ip", "-n", self.switch, "link", "set", host.name, "master", "br0", "up")
        run("ip", "-n", host.namespace, "addr", "add", f"{host.address}/24", "dev", "eth0")
        for device in ("eth0", "lo"):
            run("ip", "-n", host.namespace, "link", "set", device, "up")

    def __getitem__(self, name):
        return self.hosts[name]

    def site(self, name, text):
        """A server on that machine, not started yet."""
        made = Site(self.folder / f"{name}{len(self.sites)}", text, prefix=self.hosts[name].prefix)
        self.sites.append(made)
        return made

    def cut(self, name):
        """From now on no packet goes to that machine or comes from it; nobody is told."""
        self._need_namespaces()
        run("ip", "-n", self.switch, "link", "set", name, "down")

    def heal(self, name):
        run("ip", "-n", self.switch, "link", "set", name, "up")

    def lose(self, percent):
        """Of all that arrives at any machine so much is lost."""
        self._need_namespaces()
        if not shutil.which("nft"):
            pytest.skip("nft is not installed (tools/needs.sh test)")
        for host in self.hosts.values():
            run("ip", "netns", "exec", host.namespace, "nft", "-f", "-", stdin=LOSS % percent)

    def lose_nothing(self):
        """Ends lose()."""
        for host in self.hosts.values():
            run("ip", "netns", "exec", host.namespace, "nft", "delete", "table", "inet", "lab")

    def _need_namespaces(self):
        if not self.switch:
            pytest.skip("network namespaces are not permitted here, and loopback cannot be cut")

    def end(self):
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda site: site.stop(expect=None), self.sites))
        for namespace in [h.namespace for h in self.hosts.values() if h.namespace] + [self.switch] * bool(self.switch):
            subprocess.run(["ip", "netns", "del", namespace], capture_output=True)
