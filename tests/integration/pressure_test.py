"""Slow clients, slow workers, slow gateways: what waits is bounded, what is dropped is counted, the rest arrives."""

import os
import pathlib
import re
import signal
import socket
import ssl
import struct
import threading
import zlib

import certs
import pytest
from harness import SLOW, Ports, chat_conf, wait_until
from ws import frame, handshake

MODULE = pathlib.Path(__file__).resolve().parent / "modules" / "flooding.c"
LENGTH = 4000
COUNT = 6000  # some 24 MB, or half of it deflated: more than the kernel takes for a socket


class Reader:
    """A blocking WebSocket client that reads when it is told to, and not before."""

    def __init__(self, port, tls=None, extra=""):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        self.socket.settimeout(30 * SLOW)
        self.socket.connect(("127.0.0.1", port))
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="localhost")
        self.socket.sendall(handshake(port, extra=extra))
        self.stream = self.socket.makefile("rb")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.stream.readline()
        assert b" 101 " in head, head
        self.is_deflated = b"permessage-deflate" in head
        assert not self.is_deflated or b"server_no_context_takeover" in head, head

    def send(self, text):
        self.socket.sendall(frame(text.encode()))

    def frame(self):
        """Opcode and payload, or None at the end."""
        head = self.stream.read(2)
        if len(head) < 2:
            return None
        n = head[1]
        if n == 126:
            n, = struct.unpack(">H", self.stream.read(2))
        elif n == 127:
            n, = struct.unpack(">Q", self.stream.read(8))
        payload = self.stream.read(n)
        if head[0] & 0x40:
            payload = zlib.decompressobj(-15).decompress(payload + b"\0\0\xff\xff")
        return head[0] & 15, payload

    def message(self):
        while True:
            opcode, payload = self.frame()
            if opcode in (1, 2):
                return payload
            assert opcode == 9, (opcode, payload)  # the heartbeat

    def close(self):
        self.stream.close()
        self.socket.close()


def expected(number):
    """As flooding.c fills it."""
    text, seed = bytearray(), number
    for _ in range(LENGTH):
        seed = (seed * 1103515245 + 12345) & 0xffffffff
        text.append(97 + seed // 65536 % 26)
    text[:9] = b"%08d " % number
    return bytes(text)


def make_site(site, gateway, worker="", **more):
    ports = Ports(1)
    text = chat_conf(events=MODULE, registry=ports.registry, port=ports.port, inner=ports.inner, gateway=gateway,
                     worker=worker, **more)
    return site(text).start(ports.port, ports.registry, ports.inner), ports


def row(server, kind):
    return next(r for r in server.status()["processes"] if r["kind"] == kind)


def memory(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+) kB", text)[1]) * 1024


@pytest.mark.parametrize("how", ["plain", "tls", "deflate"])
def test_drop_old_keeps_the_newest_messages_whole(site, tmp_path, how):
    gateway = "send_to_client_buffer_size = 500000\non_full = drop_old\n"
    tls, extra = None, ""
    if how == "tls":
        ca = certs.Authority(tmp_path / "ca")
        cert, key = ca.issue("localhost")
        gateway += f"tls_cert = {cert}\ntls_key = {key}\n"
        tls = ssl.create_default_context(cafile=ca.pem)
    elif how == "deflate":
        gateway += "deflate = true\n"
        extra = "Sec-WebSocket-Extensions: permessage-deflate\r\n"
    server, ports = make_site(site, gateway)
    client = Reader(ports.port, tls, extra)
    client.send(f"flood {COUNT} {LENGTH}")
    wait_until(lambda: "all sent" in server.log(), 30, "the flood")
    wait_until(lambda: row(server, "gateway")["delivered"] >= COUNT, 30, "everything queued")
    counts = row(server, "gateway")
    dropped = counts["dropped_old"]
    assert 0 < dropped < COUNT and counts["dropped_new"] == 0 and counts["slow_closed"] == 0
    assert counts["send_fail"] == dropped and counts["slow"] == 1
    assert client.is_deflated == (how == "deflate")
    numbers = []
    for _ in range(COUNT - dropped):
        text = client.message()
        numbers.append(int(text[:8]))
        if len(numbers) % 50 == 0:
            assert text == expected(numbers[-1])
        assert len(text) == LENGTH
    assert numbers == sorted(set(numbers)) and numbers[0] == 0 and numbers[-1] == COUNT - 1
    assert numbers[-100:] == list(range(COUNT - 100, COUNT))  # what was queued last is there without a gap
    wait_until(lambda: "drained: 7f000001" in server.log(), 20, "on_buffer_drain")
    assert server.log().count("full: 7f000001") >= 1
    assert "oldest messages dropped" in server.log()
    client.send("slow 7")
    assert client.message() == b"7"
    client.close()
    server.stop()


def test_drop_old_refuses_messages_that_hang_together(site):
    ports = Ports(1)
    one = site(chat_conf(events=MODULE, registry=ports.registry, port=ports.port, inner=ports.inner,
                         gateway="on_full = drop_old\ndeflate = true\ndeflate_takeover = both"))
    done = one.command("check")
    assert done.returncode != 0
    assert "on_full" in done.stdout + done.stderr and "deflate_takeover = none or client" in done.stdout + done.stderr


def test_a_slow_client_is_told_of_and_closed(site):
    server, ports = make_site(site, "send_to_client_buffer_size = 500000\nclose_timeout = 0.5\n")
    client = Reader(ports.port)
    client.send(f"flood {COUNT} {LENGTH}")
    who = wait_until(lambda: re.search(r" full: ([0-9a-f]{20})", server.log()), 30, "on_buffer_full")[1]
    wait_until(lambda: f"gone: {who}" in server.log(), 30, "its end")
    assert server.log().index(f"full: {who}") < server.log().index(f"gone: {who}")
    assert "closed with 1013" in server.log()
    counts = row(server, "gateway")
    assert counts["slow_closed"] == 1 and counts["slow"] == 0 and counts["connections"] == 0
    client.close()
    server.stop()


def test_a_slow_worker_slows_its_clients(site):
    """More than all queues hold is sent at once: the sender has to wait, and every message is answered in order."""
    server, ports = make_site(site, "send_to_worker_buffer_size = 65536\nmax_message_bytes = 100k\n")
    client = Reader(ports.port)
    pid, count = row(server, "gateway")["pid"], 500
    sent = []

    def write():
        for i in range(count):  # 40 MB
            client.send(f"slow {i} ".ljust(80_000, "x"))
            sent.append(i)

    before = memory(pid)
    writer = threading.Thread(target=write)
    writer.start()
    most = 0
    for i in range(count):
        assert client.message() == b"%d" % i
        if i % 20 == 0:
            most = max(most, memory(pid))
    writer.join(30 * SLOW)
    assert len(sent) == count
    counts = row(server, "gateway")
    assert counts["dropped"] == counts["lost"] == counts["send_fail"] == 0
    if "ASAN_OPTIONS" not in os.environ:  # sanitizers keep memory of their own
        assert most - before < 12_000_000, "the gateway held what it should have left with the sender"
    client.close()
    server.stop()


def test_a_slow_gateway_slows_its_worker(site):
    """A gateway that stands still: the callback that sends waits, the worker stays small, and nothing is missing."""
    server, ports = make_site(site, "send_to_client_buffer_size = 100m\n", "send_to_gateway_buffer_size = 100000\n")
    client = Reader(ports.port)
    client.send("slow 1")
    assert client.message() == b"1"
    worker, gateway = row(server, "worker")["pid"], row(server, "gateway")["pid"]
    before = memory(worker)
    client.send(f"flood {COUNT} {LENGTH}")
    assert int(client.message()[:8]) == 0  # it is under way
    os.kill(gateway, signal.SIGSTOP)
    try:
        # It answers, so it is not stuck, and it is not done either.
        wait_until(lambda: row(server, "gateway")["status"] == "busy", 20, "the gateway stands still")
        assert row(server, "worker")["status"] == "idle"
        grown = memory(worker) - before
    finally:
        os.kill(gateway, signal.SIGCONT)
    for i in range(1, COUNT):
        assert int(client.message()[:8]) == i
    wait_until(lambda: "all sent" in server.log(), 20, "the flood")
    assert row(server, "gateway")["send_fail"] == 0
    if "ASAN_OPTIONS" not in os.environ:
        assert grown < 8_000_000
    client.close()
    server.stop()
