"""What clients of the original sent and got, sent to ours: websocket, text and frame (tests/vectors/client-protocols.json).

Where a vector marks a fault of the original ours does what the RFC asks: REFUSED and CLOSE_CODE say what that is.
"""

import re
import socket
import struct
import time

import pytest

import gateway_bench as bench
import wire
import ws
from harness import SLOW, free_ports

RECORDED = bench.vectors("client-protocols.json")
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
NAMES = {1: "CMD_ON_CONNECT", 3: "CMD_ON_MESSAGE", 4: "CMD_ON_CLOSE", 205: "CMD_ON_WEBSOCKET_CONNECT"}
COMMANDS = {"SEND_TO_ONE": 5, "KICK": 7}

# Handshakes that ours answers by another status than the original, or by the same with words of our own.
REFUSED = {
    "no_upgrade_header": 426, "no_host": 400, "http10": 400, "no_key": 400, "no_version": 400, "version_8": 426,
    "post": 400, "garbage": 400, "no_uri": 400, "key_spaces": 400,
}
# A first frame that the RFC forbids: the code of our close frame.
CLOSE_CODE = {
    "long_form_small": 1002, "continuation_first": 1002, "text_in_fragments": 1002, "ping_200": 1002,
    "ping_no_fin": 1002, "opcode_3": 1002, "opcode_b": 1002, "unmasked_short": 1002, "unmasked": 1002, "rsv1": 1002,
    "rsv2": 1002, "bad_utf8": 1007, "too_big": 1009, "fragment_sum_too_big": 1009,
    "close_1000": 1000, "close_empty": 1005, "close_4001": 4001, "close_then_text": 1005, "fragments_with_close": 1005,
}


class Listener:
    """One gateway with a listener of each protocol, and a hand-made worker."""

    def __init__(self, site):
        self.registry = bench.Registry()
        self.port = {p: free_ports() for p in ("websocket", "text", "frame")}
        inner = free_ports()
        lines = "".join(f"listen = {p}://127.0.0.1:{n}\n" for p, n in self.port.items())
        self.site = site(f"[master]\n\n[gateway all]\n{lines}start_port = {inner}\n"
                         f"register_address = 127.0.0.1:{self.registry.port}\nping_interval = 0\n"
                         # The original counts a frame's head too: 10,485,760 bytes with it.
                         "max_message_bytes = 10485746\nmax_head_bytes = 65536\nmax_frames_per_message = 100000\n")
        self.site.start(inner)
        self.worker = bench.Worker.attach(inner)
        self.asker = bench.Asker.connect(inner, timeout=10 * SLOW)

    def events(self, n):
        """The next n events for the worker."""
        return [self.worker.packet() for _ in range(n)]

    def open(self, protocol):
        sock = socket.create_connection(("127.0.0.1", self.port[protocol]), timeout=10 * SLOW)
        return sock

    def stop(self):
        self.worker.close()
        self.asker.close()
        self.site.stop()
        self.registry.close()


@pytest.fixture
def listener(site):
    one = Listener(site)
    yield one
    one.stop()


def send_in(sock, data, segments):
    """The bytes in that many TCP segments."""
    size = max(1, -(-len(data) // segments))
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for at in range(0, len(data), size):
        if at:
            time.sleep(0.02)
        try:
            sock.sendall(data[at:at + size])
        except (BrokenPipeError, ConnectionResetError):
            return  # refused before the end


def until_closed(sock):
    data = b""
    try:
        while more := sock.recv(65536):
            data += more
    except ConnectionResetError:
        pass
    return data


def head_of(sock):
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        assert more, data
        data += more
    return data.split(b"\r\n\r\n", 1)[0] + b"\r\n\r\n", data.split(b"\r\n\r\n", 1)[1]


def by_name(entries):
    return pytest.mark.parametrize("entry", entries, ids=[e["name"] for e in entries])


class Scene:
    """Runs one entry on a fresh connection and knows which events the worker must get."""

    def __init__(self, listener, protocol):
        self.listener = listener
        self.sock = listener.open(protocol)
        (connect,) = listener.events(1)
        assert connect.cmd == 1 and connect.raw[:5] == struct.pack(">IB", 28, 1)
        self.id = connect.connection_id

    def expect(self, wanted):
        """wanted: [(name, body)] in order, nothing missing."""
        got = [(NAMES[p.cmd], p.body) for p in self.listener.events(len(wanted))]
        assert got == wanted

    def quiet(self):
        """Nothing more came: an answer to a query is behind everything that was sent before."""
        self.listener.worker.sock.settimeout(0.15 * SLOW)
        try:
            packet = self.listener.worker.packet()
            raise AssertionError(f"unexpected {packet}")
        except (TimeoutError, socket.timeout):
            pass
        finally:
            self.listener.worker.sock.settimeout(10 * SLOW)

    def shake_hands(self):
        self.sock.sendall(ws.handshake(self.listener.port["websocket"]))
        head, rest = head_of(self.sock)
        assert head.startswith(b"HTTP/1.1 101 ") and rest == b""
        (event,) = self.listener.events(1)
        assert event.cmd == 205

    def close(self):
        """Ends the connection; the worker hears of it once."""
        self.sock.close()
        self.expect([("CMD_ON_CLOSE", b"")])


def request_bytes(entry):
    """Recorded whole, but for the one whose header is 20 kB long."""
    if not entry["request_hex"].endswith("..."):
        return bytes.fromhex(entry["request_hex"])
    return b"GET / HTTP/1.1\r\nHost: a:7272\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" \
           b"Sec-WebSocket-Version: 13\r\n" + KEY + b"X-Big: " + b"x" * 20000 + b"\r\n\r\n"


@by_name(RECORDED["websocket_handshake"])
def test_handshake(listener, entry):
    scene = Scene(listener, "websocket")
    request = request_bytes(entry)
    send_in(scene.sock, request, entry["segments"])
    if entry["name"] == "five_bytes":
        scene.quiet()  # the original looks at nothing before there are six
        scene.close()
        return
    status = REFUSED.get(entry["name"], 101)
    if status != 101:
        answer = until_closed(scene.sock)
        assert answer.startswith(b"HTTP/1.1 %d " % status), answer
        if status == 426:
            assert b"\r\nSec-WebSocket-Version: 13\r\n" in answer or entry["name"] != "version_8"
        scene.expect([("CMD_ON_CLOSE", b"")])
        scene.sock.close()
        return
    head, rest = head_of(scene.sock)
    assert head == bytes.fromhex(entry["reply_hex"])[:len(head)]
    (event,) = listener.events(1)
    assert event.cmd == 205 and event.flag == 0
    recorded = entry["to_worker"][1]
    if not recorded["body_hex"].endswith("..."):
        assert event.body == bytes.fromhex(recorded["body_hex"])
    elif recorded.get("body") and not recorded["body"].endswith("..."):
        assert same_ports(event.body) == same_ports(recorded["body"].encode())
    messages = [p for p in entry["to_worker"] if p["cmd"] == "CMD_ON_MESSAGE"]
    scene.expect([("CMD_ON_MESSAGE", bytes.fromhex(p["body_hex"])) for p in messages])
    scene.close()


def same_ports(body):
    """REMOTE_PORT is an ephemeral port and SERVER_PORT this run's."""
    return re.sub(rb'(s:11:"(?:REMOTE|SERVER)_PORT";i:)\d+;', rb"\1P;", body)


def sent_bytes(entry):
    """Long payloads are shortened in the recording, not in their lengths."""
    data = entry["sent_hex"].removesuffix("...")
    data = bytes.fromhex(data[:len(data) // 2 * 2])
    if len(data) == entry["sent_len"]:
        return data
    if entry["name"] in ("len_126", "len_65536", "ping_125", "ping_200"):
        n = entry["sent_len"] - {"len_126": 8, "len_65536": 14, "ping_125": 6, "ping_200": 8}[entry["name"]]
        is_ping = entry["name"].startswith("ping")
        return ws.frame((b"p" if is_ping else b"a") * n, opcode=9 if is_ping else 1, mask=b"abcd")
    assert entry["name"] == "fragment_sum_too_big", entry["name"]
    half = (entry["sent_len"] - 2 * 14) // 2
    return ws.frame(b"a" * half, fin=False, mask=b"abcd") + ws.frame(b"a" * half, opcode=0, mask=b"abcd")


@by_name(RECORDED["websocket_frames"])
def test_frames(listener, entry):
    name = entry["name"]
    scene = Scene(listener, "websocket")
    scene.shake_hands()
    send_in(scene.sock, sent_bytes(entry), entry["segments"])
    if name in CLOSE_CODE:
        # In fragments_with_ping and the like nothing reaches the worker that the RFC forbids.
        answer = until_closed(scene.sock)
        assert answer[:1] == b"\x88", answer[:40]
        code = 1005 if answer[1] == 0 else struct.unpack_from(">H", answer, 2)[0]
        assert code == CLOSE_CODE[name]
        scene.expect([("CMD_ON_CLOSE", b"")])
        scene.sock.close()
        return
    if name == "fragments_with_ping":
        assert scene.sock.recv(100) == b"\x8a\x01p"
        scene.expect([("CMD_ON_MESSAGE", b"one two")])
    elif name == "max_size":
        scene.quiet()  # announced, within the limit, and waited for
    else:
        if entry["received_hex"]:
            wanted = len(sent_bytes(entry)) - 4  # a pong is the ping without its mask
            got = b""
            while len(got) < wanted:
                got += scene.sock.recv(1000)
            assert got.startswith(bytes.fromhex(entry["received_hex"].removesuffix("...")[:240]))
        for packet in entry["to_worker"]:
            (event,) = listener.events(1)
            assert (NAMES[event.cmd], len(event.body)) == (packet["cmd"], packet["body_len"])
            assert event.body.startswith(bytes.fromhex(packet["body_hex"].removesuffix("...")))
    scene.close()


@pytest.mark.parametrize("protocol", ["text", "frame"])
def test_lines_and_lengths(listener, protocol):
    for entry in RECORDED[protocol]:
        scene = Scene(listener, protocol)
        send_in(scene.sock, bytes.fromhex(entry["sent_hex"]), entry["segments"])
        is_broken = protocol == "frame" and entry["name"] in ("short_len", "zero")
        wanted = [] if is_broken else [(p["cmd"], bytes.fromhex(p["body_hex"])) for p in entry["to_worker"][1:]]
        scene.expect(wanted)
        for packet in entry["worker_sends"]:
            listener.worker.send(wire.pack(COMMANDS[packet["cmd"]], connection_id=scene.id, flag=packet["flag"],
                                           body=bytes.fromhex(packet["body_hex"])))
        received = bytes.fromhex(entry["received_hex"])
        if entry["closed"] or is_broken:
            # A length below four is no frame: the original falls out of step or stalls.
            assert until_closed(scene.sock) == received, entry["name"]
            if not any(p["cmd"] == "CMD_ON_CLOSE" for p in entry["to_worker"]):
                scene.expect([("CMD_ON_CLOSE", b"")])
            scene.sock.close()
            continue
        got = b""
        while len(got) < len(received):
            got += scene.sock.recv(1000)
        assert got == received, entry["name"]
        scene.close()


def test_nothing_leaks_between_clients(listener):
    """Both known defects: equal raw bytes of two connections have nothing to do with each other."""
    first, second = Scene(listener, "websocket"), None
    first.shake_hands()
    first.sock.sendall(ws.frame(b"secret of A: ", fin=False) + ws.frame(b"TAIL", opcode=0))
    first.expect([("CMD_ON_MESSAGE", b"secret of A: TAIL")])
    second = Scene(listener, "websocket")
    second.shake_hands()
    second.sock.sendall(ws.frame(b"B says: ", fin=False) + ws.frame(b"TAIL", opcode=0))
    second.expect([("CMD_ON_MESSAGE", b"B says: TAIL")])
    first.sock.sendall(ws.frame(b"hi"))
    first.expect([("CMD_ON_MESSAGE", b"hi")])
    stranger = Scene(listener, "websocket")
    stranger.sock.sendall(ws.frame(b"hi"))
    assert until_closed(stranger.sock).startswith(b"HTTP/1.1 400 ")
    stranger.expect([("CMD_ON_CLOSE", b"")])
    stranger.sock.close()
    first.close()
    second.close()
