"""A gateway between hand-made peers: plain sockets play its registry, its workers and its clients."""

import json
import socket
import threading

import harness
import wire
import ws

VECTORS = harness.ROOT / "tests" / "vectors"
CMD_SEND_TO_ONE, CMD_IS_ONLINE, CMD_WORKER_CONNECT = 5, 11, 200
CMD_ON_CONNECT, CMD_ON_MESSAGE, CMD_ON_CLOSE, CMD_ON_WEBSOCKET_CONNECT = 1, 3, 4, 205


def vectors(name):
    return json.loads((VECTORS / name).read_text())


class Registry:
    """Takes what gateways say and never answers, as a registry must."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.lines = []
        self.socks = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.socks.append(sock)
            threading.Thread(target=self._read, args=(sock,), daemon=True).start()

    def _read(self, sock):
        with sock.makefile("rb") as lines:
            try:
                for line in lines:
                    self.lines.append(line)
            except OSError:
                pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for sock in self.socks:
            sock.close()


class Client:
    """A client of a websocket port, on a blocking socket."""

    def __init__(self, port, request=None, is_silent=False):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=10 * harness.SLOW)
        self.port = self.sock.getsockname()[1]
        self.data = b""
        self.is_closed = False
        if not is_silent:
            self.shake_hands(request or ws.handshake(port))

    def shake_hands(self, request):
        self.sock.sendall(request)
        while b"\r\n\r\n" not in self.data:
            more = self.sock.recv(65536)
            assert more, f"closed during the handshake: {self.data!r}"
            self.data += more
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        assert head.startswith(b"HTTP/1.1 101 "), head

    def send(self, payload, **how):
        self.sock.sendall(ws.frame(payload, **how))

    def _cut(self):
        """A whole frame as bytes, or None."""
        if len(self.data) < 2:
            return None
        n, head = self.data[1], 2
        if n == 126:
            head = 4
        elif n == 127:
            head = 10
        if len(self.data) < head:
            return None
        if head > 2:
            n = int.from_bytes(self.data[2:head], "big")
        if len(self.data) < head + n:
            return None
        raw, self.data = self.data[:head + n], self.data[head + n:]
        return raw

    def frame(self):
        """The next frame as bytes; None at the end of the connection."""
        while True:
            raw = self._cut()
            if raw:
                return raw
            try:
                more = self.sock.recv(1 << 20)
            except ConnectionError:
                more = b""
            if not more:
                assert self.data == b"", f"half a frame at the end: {self.data!r}"
                self.is_closed = True
                return None
            self.data += more

    def frames_until(self, mark):
        """All frames before the marking one, or to the end of the connection."""
        frames = []
        while (raw := self.frame()) is not None and raw != mark:
            frames.append(raw)
        return frames

    def close(self):
        self.sock.close()


class Worker(wire.Peer):
    """A worker's link. Everything it is sent is read into packets()."""

    @classmethod
    def attach(cls, port, key="BW:0", secret="", **more):
        self = cls.connect(port, timeout=10 * harness.SLOW)
        greeting = {"worker_key": key, "secret_key": secret, **more}
        self.send(wire.pack(CMD_WORKER_CONNECT, body=json.dumps(greeting).encode()))
        return self


class Asker(wire.Peer):
    """A client library's connection."""

    def barrier(self, connection_id=1):
        """Returns when everything that was sent before has been carried out."""
        self.send(wire.pack(CMD_IS_ONLINE, connection_id=connection_id))
        return self.reply()


class Gateways:
    """A server of `names` gateways with one process each, and a registry for them."""

    def __init__(self, site, names=("gw1",), secret="", extra="ping_interval = 0"):
        self.registry = Registry()
        self.secret = secret
        self.port = {}
        self.inner = {}
        text = "[master]\n"
        for name in names:
            self.port[name] = harness.free_ports()
            self.inner[name] = harness.free_ports()
            text += (f"\n[gateway {name}]\nlisten = websocket://127.0.0.1:{self.port[name]}\n"
                     f"start_port = {self.inner[name]}\n"
                     f"register_address = 127.0.0.1:{self.registry.port}\n{extra}\n")
            if secret:
                text += f"secret_key = {secret}\n"
        self.site = site(text, folder="-".join(names))
        self.start()

    def start(self):
        # Not the ports of clients: connection ids count from the first to look.
        self.site.start(*self.inner.values())
        # Events without a worker would end their clients after worker_grace_ms.
        self.workers = {name: Worker.attach(port, secret=self.secret)
                        for name, port in self.inner.items()}

    def asker(self, name="gw1"):
        peer = Asker.connect(self.inner[name], timeout=10 * harness.SLOW)
        if self.secret:
            peer.send(wire.pack(202, body=json.dumps({"secret_key": self.secret}).encode()))
        return peer

    def lose(self, worker, key="BW:0"):
        """Closes a worker's link and waits until the gateway knows: what it sends before that is lost."""
        worker.close()
        harness.wait_until(lambda: f"{key} is gone" in self.site.log(), what="the end of the link")

    def restart(self):
        self.stop_serving()
        self.start()

    def stop_serving(self):
        for worker in self.workers.values():
            worker.close()
        self.site.stop()

    def stop(self):
        self.stop_serving()
        self.registry.close()


def mark_of(n):
    """A message that no vector contains, to tell where one call's deliveries end."""
    text = f"mark {n}".encode()
    return text, bytes([0x81, len(text)]) + text


def deliveries(askers, clients, n):
    """What each client ("name": (gateway, id, Client)) got since the last call of this."""
    text, frame = mark_of(n)
    got = {}
    for gateway, connection_id, _ in clients.values():
        askers[gateway].send(wire.pack(CMD_SEND_TO_ONE, connection_id=connection_id, body=text))
    for name, (_, _, client) in clients.items():
        frames = client.frames_until(frame)
        if frames or client.is_closed:
            got[name] = {"frames": [f.hex() for f in frames], "closed": client.is_closed}
    return got
