"""Two gateways and a registry without workers, with clients whose uids and groups the test chooses."""

import asyncio
import json
import os
import re
import subprocess

import wire
from harness import BINARY, SLOW, free_ports, wait_until
from ws import Client

IS_ONLINE, BIND_UID, JOIN_GROUP, SELECT = 11, 12, 20, 25
WORKER_CONNECT, CLIENT_CONNECT, SET_SESSION = 200, 202, 204


def conf(registry, gateways, secret, extra=""):
    """gateways: {name: (public port, inner port)}"""
    key = f"secret_key = {secret}\n" if secret else ""
    text = f"[master]\n\n[registry]\nlisten = text://127.0.0.1:{registry}\n{key}"
    for name, (port, inner) in gateways.items():
        text += (f"\n[gateway {name}]\nlisten = websocket://127.0.0.1:{port}\nlan_ip = 127.0.0.1\nstart_port = {inner}\n"
                 f"register_address = 127.0.0.1:{registry}\n{key}{extra}\n")
    return text


class Members:
    """What the tests need to know of any two gateways, ours or not, to have clients there."""

    def __init__(self, folder, registry, public, inner, secret):
        self.folder, self.registry, self.public, self.inner, self.secret = folder, registry, public, inner, secret
        self.secret_file = folder / "secret"
        self.secret_file.write_text(secret + "\n")
        self.known = {name: set() for name in inner}
        # Without a worker the original closes every client at once, ours after a while.
        self.workers = []

    def attach_workers(self):
        for port in self.inner.values():
            worker = wire.Peer.connect(port, 5 * SLOW)
            greeting = {"worker_key": "test:0", "secret_key": self.secret}
            # The answer to the query behind the greeting tells that it was taken.
            worker.send(wire.pack(WORKER_CONNECT, body=json.dumps(greeting).encode()) + wire.pack(IS_ONLINE))
            worker.reply()
            self.workers.append(worker)

    def id(self, name, connection):
        return f"7f000001{self.inner[name]:04x}{connection:08x}"

    def command(self, name, *packets):
        """Sends packets to a gateway's inner port, and waits until they are done; all its connection ids."""
        peer = wire.Peer.connect(self.inner[name], 5 * SLOW)
        if self.secret:
            body = json.dumps({"secret_key": self.secret}).encode()
            peer.send(wire.pack(CLIENT_CONNECT, body=body))
        peer.send(b"".join(packets) + wire.pack(SELECT, ext=b'{"fields":["uid"],"where":[]}'))
        reply = peer.reply()
        peer.close()
        return {int(n) for n in re.findall(rb"i:(\d+);a:1:", reply)}

    async def join(self, name, uid=None, groups=(), session=b""):
        """A client on that gateway; its `id` is the client id."""
        client = await Client.connect(self.public[name], timeout=20 * SLOW)
        (n,) = self.command(name) - self.known[name]
        self.known[name].add(n)
        client.id = self.id(name, n)
        packets = [wire.pack(JOIN_GROUP, connection_id=n, ext=g.encode()) for g in groups]
        if uid is not None:
            packets.append(wire.pack(BIND_UID, connection_id=n, ext=uid.encode()))
        if session:
            packets.append(wire.pack(SET_SESSION, connection_id=n, ext=session))
        self.command(name, *packets)
        return client

    async def run(self, *args, stdin=None, options=None, env=None, timeout=60):
        """`gatehouse ARGS` against this cluster: the finished process."""
        if options is None:
            options = ["--registry", f"127.0.0.1:{self.registry}", "--secret-file", str(self.secret_file)]
        words = [str(BINARY), args[0], *options, *args[1:]]
        give = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        return await asyncio.to_thread(
            subprocess.run, words, capture_output=True, timeout=timeout * SLOW, cwd=self.folder,
            env={**os.environ, **(env or {})}, **give)


class Cluster(Members):
    """Two of ours, in one server. `site` is the fixture of conftest.py."""

    def __init__(self, site, secret="s3cret \"/é"):
        registry, public, inner = free_ports(), {n: free_ports() for n in "ab"}, {n: free_ports() for n in "ab"}
        self.server = site(conf(registry, {n: (public[n], inner[n]) for n in "ab"}, secret))
        super().__init__(self.server.folder, registry, public, inner, secret)
        self.server.start(*public.values(), *inner.values(), registry)
        wait_until(lambda: (self.server.output() + self.server.log()).count("registered 127.0.0.1:") >= 2,
                   what="both gateways registered")


async def nothing(*clients, seconds=0.2):
    """Nobody of them has a message waiting, nor gets one soon."""
    await asyncio.sleep(seconds)
    for client in clients:
        assert client.inbox.empty(), client.inbox.get_nowait()
