"""WebSocket to the letter, through gateway and worker: one table for each group of the Autobahn cases, over real sockets.

Every row is sent whole and, where it is short, one byte at a time. What is expected comes from RFC 6455 and RFC 7692.
"""

import random
import socket
import struct
import time
import zlib

import pytest
from harness import ROOT, SLOW, Ports, Site, chat_conf
from ws import frame, handshake

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
MAX = 1 << 20  # max_message_bytes
SHORT = 600    # rows up to this length are also sent byte by byte

KAPPA = "κόσμε".encode()


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """The examples' echo, with compression and subprotocols."""
    p = Ports(gateways=1)
    one = Site(tmp_path_factory.mktemp("strict") / "site", chat_conf(
        events=ROOT / "examples/echo/echo.c", registry=p.registry, port=p.port, inner=p.inner,
        gateway="deflate = on\ndeflate_min_bytes = 0\ndeflate_takeover = both\nmax_frames_per_message = 300\n"
                "subprotocol = chat.v2\nsubprotocol = chat.v1\nhandshake_timeout = 2\n"))
    one.start(p.port)
    yield p.port
    one.stop()


class Wire:
    """A socket after the handshake, and the server's frames."""

    def __init__(self, port, extra="", path="/"):
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=10 * SLOW)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.data = b""
        self.sock.sendall(handshake(port, path, extra))
        while b"\r\n\r\n" not in self.data:
            more = self.sock.recv(65536)
            assert more, self.data
            self.data += more
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        self.head = head.decode()

    def send(self, data, step=0):
        if not step:
            self.sock.sendall(data)
            return
        try:
            for i in range(0, len(data), step):
                self.sock.sendall(data[i:i + step])
        except (BrokenPipeError, ConnectionResetError):
            pass  # failed at an earlier byte, which is what some rows are about

    def need(self, n):
        while len(self.data) < n:
            more = self.sock.recv(1 << 20)
            if not more:
                return False
            self.data += more
        return True

    def frame(self):
        """(first byte, payload), or None at the end of TCP."""
        if not self.need(2):
            assert self.data == b"", f"a torn frame: {self.data!r}"
            return None
        first, n, head = self.data[0], self.data[1], 2
        assert not n & 0x80, "a server frame must not be masked"
        if n == 126:
            self.need(4)
            n, head = struct.unpack_from(">H", self.data, 2)[0], 4
        elif n == 127:
            self.need(10)
            n, head = struct.unpack_from(">Q", self.data, 2)[0], 10
        assert self.need(head + n)
        payload, self.data = self.data[head:head + n], self.data[head + n:]
        return first, payload

    def told(self):
        """The next frame as rows write it."""
        got = self.frame()
        if got is None:
            return "end"
        first, payload = got
        assert first & 0x80 and not first & 0x30, f"first byte {first:#x}"
        if first & 15 == CLOSE:
            return CLOSE, struct.unpack_from(">H", payload)[0] if payload else 1005
        return first & 15, payload

    def close(self):
        self.sock.close()


def check(port, data, expected, step=0, extra=""):
    """Sends; everything in `expected` must come, in order; then the connection ends properly."""
    wire = Wire(port, extra)
    wire.send(data, step)
    for one in expected:
        got = wire.told()
        assert got == one, f"{short(got)} instead of {short(one)}"
    if not expected or expected[-1][0] != CLOSE:
        wire.send(frame(struct.pack(">H", 1000), opcode=CLOSE))
        assert wire.told() == (CLOSE, 1000)
    before = time.monotonic()
    assert wire.told() == "end"  # the server ends TCP first: RFC 6455 §7.1.1
    assert time.monotonic() - before < 2 * SLOW
    wire.close()


def short(got):
    return got if len(repr(got)) < 200 else repr(got)[:200]


def both_ways(port, data, expected, extra=""):
    check(port, data, expected, 0, extra)
    if len(data) <= SHORT:
        check(port, data, expected, 1, extra)
    else:
        check(port, data, expected, 997, extra)


def text(payload, **how):
    return frame(payload, opcode=TEXT, **how)


def cont(payload, fin=True, **how):
    return frame(payload, opcode=0, fin=fin, **how)


def goodbye(code, reason=b""):
    return frame(struct.pack(">H", code) + reason, opcode=CLOSE)


def table(*rows):
    return pytest.mark.parametrize("data,expected", [r[1:] for r in rows], ids=[r[0] for r in rows])


def echo(payload, kind=TEXT):
    return (kind, payload)


PROTOCOL = [(CLOSE, 1002)]
NO_UTF8 = [(CLOSE, 1007)]
SIZES = (0, 1, 125, 126, 127, 128, 65535, 65536)


# --- group 1: framing -------------------------------------------------------------------------------------------------

@table(*[(f"{kind}-{n}", frame(b"*" * n, opcode=kind), [echo(b"*" * n, kind)])
         for kind in (TEXT, BINARY) for n in SIZES],
       ("unmasked-text", text(b"a", mask=None), PROTOCOL),
       ("mask-of-zeros", text(b"abc", mask=b"\0\0\0\0"), [echo(b"abc")]),
       ("length-16-not-shortest", b"\x81\xfe\x00\x7d", PROTOCOL),
       ("length-64-not-shortest", b"\x81\xff" + struct.pack(">Q", 65535), PROTOCOL),
       ("length-64-highest-bit", b"\x81\xff\x80", PROTOCOL))
def test_1_framing(port, data, expected):
    both_ways(port, data, expected)


# --- group 2: pings and pongs -----------------------------------------------------------------------------------------

@table(("empty", frame(b"", opcode=PING), [(PONG, b"")]),
       ("text", frame(b"Hello", opcode=PING), [(PONG, b"Hello")]),
       ("binary", frame(b"\x00\xff\xfe", opcode=PING), [(PONG, b"\x00\xff\xfe")]),
       ("125", frame(b"\xfe" * 125, opcode=PING), [(PONG, b"\xfe" * 125)]),
       ("126", frame(b"\xfe" * 126, opcode=PING), PROTOCOL),
       ("unasked-pong", frame(b"x", opcode=PONG) + frame(b"y", opcode=PING), [(PONG, b"y")]),
       ("pong-126", frame(b"x" * 126, opcode=PONG), PROTOCOL),
       ("ten", b"".join(frame(b"%d" % i, opcode=PING) for i in range(10)), [(PONG, b"%d" % i) for i in range(10)]),
       ("unmasked", frame(b"", opcode=PING, mask=None), PROTOCOL))
def test_2_pings(port, data, expected):
    both_ways(port, data, expected)


# --- group 3: reserved bits -------------------------------------------------------------------------------------------

@table(*[(f"rsv{rsv}-opcode{op}", frame(b"x", opcode=op, rsv=rsv), PROTOCOL)
         for op in (TEXT, BINARY, CLOSE, PING, PONG) for rsv in range(1, 8)],
       ("behind-a-ping", frame(b"p", opcode=PING) + frame(b"x", rsv=2), [(PONG, b"p"), (CLOSE, 1002)]),
       ("first-byte-alone", b"\xa1", PROTOCOL))
def test_3_reserved_bits(port, data, expected):
    both_ways(port, data, expected)


# --- group 4: opcodes -------------------------------------------------------------------------------------------------

@table(*[(f"opcode{op}", frame(b"", opcode=op), PROTOCOL) for op in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15)],
       *[(f"opcode{op}-first-byte", bytes([0x80 | op]), PROTOCOL) for op in (3, 15)],
       ("behind-a-ping", frame(b"p", opcode=PING) + frame(b"", opcode=5), [(PONG, b"p"), (CLOSE, 1002)]))
def test_4_opcodes(port, data, expected):
    both_ways(port, data, expected)


# --- group 5: fragments -----------------------------------------------------------------------------------------------

@table(("two", text(b"one", fin=False) + cont(b"two"), [echo(b"onetwo")]),
       ("binary", frame(b"\xff", opcode=BINARY, fin=False) + cont(b"\xfe"), [echo(b"\xff\xfe", BINARY)]),
       ("empty-ones", text(b"", fin=False) + cont(b"", fin=False) + cont(b""), [echo(b"")]),
       ("ping-between", text(b"a", fin=False) + frame(b"p", opcode=PING) + cont(b"b"), [(PONG, b"p"), echo(b"ab")]),
       ("five-pings-between", text(b"a", fin=False) + frame(b"p", opcode=PING) * 5 + cont(b"b"),
        [(PONG, b"p")] * 5 + [echo(b"ab")]),
       ("fragmented-ping", frame(b"a", opcode=PING, fin=False), PROTOCOL),
       ("fragmented-pong", frame(b"a", opcode=PONG, fin=False), PROTOCOL),
       ("fragmented-close", frame(b"", opcode=CLOSE, fin=False), PROTOCOL),
       ("nothing-to-continue", cont(b"a"), PROTOCOL),
       ("nothing-to-continue-open", cont(b"a", fin=False), PROTOCOL),
       ("behind-a-message", text(b"a", fin=False) + cont(b"b") + frame(b"p", opcode=PING) + frame(b"", opcode=PONG),
        [(PONG, b"p"), echo(b"ab")]),
       ("not-finished", text(b"a", fin=False) + text(b"b"), PROTOCOL),
       ("not-finished-binary", text(b"a", fin=False) + frame(b"b", opcode=BINARY, fin=False), PROTOCOL),
       ("rsv-on-continuation", text(b"a", fin=False) + cont(b"b", rsv=4), PROTOCOL),
       ("byte-by-byte", text(b"x", fin=False) + cont(b"y", fin=False) * 200 + cont(b"z"), [echo(b"x" + b"y" * 200 + b"z")]))
def test_5_fragments(port, data, expected):
    # A pong is the gateway's and an echo the worker's: where both come, only each kind's order is certain.
    kinds = {one[0] for one in expected}
    if PONG in kinds and TEXT in kinds:
        for step in (0, 1):
            wire = Wire(port)
            wire.send(data, step)
            got = [wire.told() for _ in expected]
            assert sorted(got) == sorted(expected)
            wire.close()
    else:
        both_ways(port, data, expected)


# --- group 6: UTF-8 ---------------------------------------------------------------------------------------------------

GOOD = {
    "empty": b"", "kappa": KAPPA, "four-bytes": b"\xf0\x9f\x98\x80", "nul": b"\x00", "7f": b"\x7f",
    "first-2": b"\xc2\x80", "first-3": b"\xe0\xa0\x80", "first-4": b"\xf0\x90\x80\x80", "last-2": b"\xdf\xbf",
    "last-3": b"\xef\xbf\xbf", "last-4": b"\xf4\x8f\xbf\xbf", "below-surrogates": b"\xed\x9f\xbf",
    "above-surrogates": b"\xee\x80\x80", "replacement": b"\xef\xbf\xbd", "nonchar": b"\xef\xbf\xbe",
}
BAD = {
    "lone-80": b"\x80", "lone-bf": b"\xbf", "c0": b"\xc0", "c1": b"\xc1", "f5": b"\xf5", "fe": b"\xfe", "ff": b"\xff",
    "overlong-2": b"\xc0\xaf", "overlong-3": b"\xe0\x80\xaf", "overlong-4": b"\xf0\x80\x80\xaf",
    "overlong-5": b"\xf8\x80\x80\x80\xaf", "overlong-nul": b"\xc0\x80", "surrogate": b"\xed\xa0\x80",
    "surrogate-last": b"\xed\xbf\xbf", "pair": b"\xed\xa0\x80\xed\xb0\x80", "above-10ffff": b"\xf4\x90\x80\x80",
    "2-then-blank": b"\xc3 ", "3-then-blank": b"\xe2\x82 ", "behind-kappa": KAPPA + b"\xed\xa0\x80edited",
}
CUT = {"2-cut": b"\xc3", "3-cut": b"\xe2\x82", "4-cut": b"\xf0\x9f\x98", "kappa-cut": KAPPA[:-1]}


def in_bytes(data):
    """A message of one-byte fragments."""
    return text(data[:1], fin=False) + b"".join(cont(data[i:i + 1], fin=False) for i in range(1, len(data))) + cont(b"")


@table(*[(name, text(data), [echo(data)]) for name, data in GOOD.items()],
       *[(name, text(data), NO_UTF8) for name, data in BAD.items()],
       *[(name, text(data), NO_UTF8) for name, data in CUT.items()],
       *[(f"{name}-in-fragments", in_bytes(data), [echo(data)]) for name, data in GOOD.items()],
       # at once: the message is not finished, nor is the frame
       *[(f"{name}-fails-fast", text(data, fin=False), NO_UTF8) for name, data in BAD.items()],
       ("fails-fast-inside-a-frame", text(KAPPA + b"\xf4\x90" + b"x" * 400)[:8 + len(KAPPA) + 2], NO_UTF8),
       ("binary-need-not-be", frame(b"\xff\xc0", opcode=BINARY), [echo(b"\xff\xc0", BINARY)]))
def test_6_utf8(port, data, expected):
    both_ways(port, data, expected)


# --- group 7: goodbyes ------------------------------------------------------------------------------------------------

GOOD_CODES = (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999)
BAD_CODES = (0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535)


@table(("plain", goodbye(1000), [(CLOSE, 1000)]),
       ("empty", frame(b"", opcode=CLOSE), [(CLOSE, 1005)]),
       ("one-byte", frame(b"\x03", opcode=CLOSE), PROTOCOL),
       ("reason", goodbye(1000, b"Hello"), [(CLOSE, 1000)]),
       ("reason-123", goodbye(1000, b"*" * 123), [(CLOSE, 1000)]),
       ("reason-124", goodbye(1000, b"*" * 124), PROTOCOL),
       ("reason-not-utf8", goodbye(1000, b"\xce\xba\xff"), NO_UTF8),
       ("reason-cut", goodbye(1000, b"\xe2\x82"), NO_UTF8),
       *[(f"code-{c}", goodbye(c), [(CLOSE, c)]) for c in GOOD_CODES],
       *[(f"code-{c}", goodbye(c), PROTOCOL) for c in BAD_CODES],
       ("then-a-message", goodbye(1000) + text(b"late"), [(CLOSE, 1000)]),
       ("then-a-ping", goodbye(1000) + frame(b"", opcode=PING), [(CLOSE, 1000)]),
       ("twice", goodbye(1000) + goodbye(1000), [(CLOSE, 1000)]),
       ("inside-a-message", text(b"a", fin=False) + goodbye(1000) + cont(b"b"), [(CLOSE, 1000)]))
def test_7_goodbyes(port, data, expected):
    both_ways(port, data, expected)


# --- groups 9 and 10: sizes -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind", (TEXT, BINARY))
@pytest.mark.parametrize("n,part,step", [
    (65536, 0, 0), (262144, 0, 0), (MAX, 0, 0), (262144, 1024, 0), (262144, 65536, 0), (65536, 0, 64), (65536, 256, 1000)])
def test_9_and_10_sizes(port, kind, n, part, step):
    payload = random.Random(n).randbytes(n) if kind == BINARY else (b"BAsd7&jh23" * (n // 10 + 1))[:n]
    if part:
        data = frame(payload[:part], opcode=kind, fin=False) + b"".join(
            cont(payload[i:i + part], fin=i + part >= n) for i in range(part, n, part))
    else:
        data = frame(payload, opcode=kind)
    check(port, data, [echo(payload, kind)], step)


@table(("one-frame", b"\x82\xff" + struct.pack(">Q", MAX + 1), [(CLOSE, 1009)]),
       ("largest-number", b"\x82\xff" + struct.pack(">Q", (1 << 63) - 1), [(CLOSE, 1009)]),
       ("sum-of-fragments", frame(b"x" * 1000, opcode=BINARY, fin=False) + b"\x80\xff" + struct.pack(">Q", MAX - 999),
        [(CLOSE, 1009)]),
       ("fragments", frame(b"", opcode=BINARY, fin=False) + cont(b"", fin=False) * 300, [(CLOSE, 1008)]))
def test_limits(port, data, expected):
    check(port, data, expected)


# --- groups 12 and 13: compression ------------------------------------------------------------------------------------

class Deflate:
    """Both directions of permessage-deflate, from RFC 7692 §7.2."""

    def __init__(self, head):
        lines = dict(line.lower().split(":", 1) for line in head.split("\r\n")[1:])
        params = [p.strip() for p in lines.get("sec-websocket-extensions", "").split(";")]
        assert params[0] == "permessage-deflate", head
        self.params = dict((p.split("=") + [None])[:2] for p in params[1:])
        self.ours = int(self.params.get("client_max_window_bits") or 15)
        self.theirs = int(self.params.get("server_max_window_bits") or 15)
        self.restart_out()
        self.restart_in()

    def restart_out(self):
        self.out = zlib.compressobj(9, zlib.DEFLATED, -max(self.ours, 9))

    def restart_in(self):
        self.input = zlib.decompressobj(-self.theirs)

    def pack(self, payload):
        if "client_no_context_takeover" in self.params:
            self.restart_out()
        data = self.out.compress(payload) + self.out.flush(zlib.Z_SYNC_FLUSH)
        assert data.endswith(b"\x00\x00\xff\xff")
        return data[:-4]

    def unpack(self, first, payload):
        if not first & 0x40:
            return payload
        if "server_no_context_takeover" in self.params:
            self.restart_in()
        return self.input.decompress(payload + b"\x00\x00\xff\xff")


OFFERS = {
    "plain": ("permessage-deflate", {}),
    "no-takeover": ("permessage-deflate; client_no_context_takeover; server_no_context_takeover",
                    {"client_no_context_takeover": None, "server_no_context_takeover": None}),
    "server-9": ("permessage-deflate; server_max_window_bits=9", {"server_max_window_bits": "9"}),
    "server-8": ("permessage-deflate; server_max_window_bits=8", {"server_max_window_bits": "8"}),
    "server-15": ("permessage-deflate; server_max_window_bits=15", {"server_max_window_bits": "15"}),
    "client": ("permessage-deflate; client_max_window_bits", {"client_max_window_bits": "15"}),
    "client-9": ("permessage-deflate; client_max_window_bits=9", {"client_max_window_bits": "9"}),
    "no-takeover-and-9": ("permessage-deflate; server_no_context_takeover; server_max_window_bits=9",
                          {"server_no_context_takeover": None, "server_max_window_bits": "9"}),
    "second": ("permessage-deflate; server_max_window_bits=99, permessage-deflate; server_max_window_bits=10",
               {"server_max_window_bits": "10"}),
}


def extension(offer):
    return f"Sec-WebSocket-Extensions: {offer}\r\n"


def content(n, kind, seed):
    rng = random.Random(seed)
    if kind == BINARY:
        return rng.randbytes(n // 2) + bytes(n - n // 2)
    words = ["the ", "room ", "says ", "κόσμε ", "hello\n", '{"type":', "1234 "]
    out = "".join(rng.choice(words) for _ in range(n // 2 + 1)).encode()[:n]
    return out.decode(errors="ignore").encode()


@pytest.mark.parametrize("name", OFFERS)
@pytest.mark.parametrize("kind", (TEXT, BINARY))
@pytest.mark.parametrize("part", (0, 100))
def test_12_and_13_compression(port, name, kind, part):
    offer, agreed = OFFERS[name]
    wire = Wire(port, extension(offer))
    deflate = Deflate(wire.head)
    assert deflate.params == agreed
    compressed_n = 0
    for seed, n in enumerate((0, 1, 16, 64, 256, 1024, 4096, 8192, 16384, 32768, 65536, 131072, 256, 256)):
        payload = content(n, kind, seed)
        data = deflate.pack(payload)
        if part:
            pieces = [data[i:i + part] for i in range(0, len(data), part)] or [b""]
            out = frame(pieces[0], opcode=kind, fin=len(pieces) == 1, rsv=4)
            out += b"".join(cont(p, fin=i == len(pieces) - 2) for i, p in enumerate(pieces[1:]))
            if len(pieces) > 300:
                deflate.restart_out()  # nobody sees these: more fragments than allowed
                continue
        else:
            out = frame(data, opcode=kind, rsv=4)
        wire.send(out, 1 if len(out) < 200 else 0)
        first, got = wire.frame()
        assert first & 15 == kind, (first, got)
        assert deflate.unpack(first, got) == payload
        compressed_n += bool(first & 0x40)
    assert compressed_n >= 5
    wire.send(goodbye(1000))
    assert wire.told() == (CLOSE, 1000)
    wire.close()


# RFC 7692 §7.2.3 and what breaks §6 and §7.2.2.
HELLO = bytes.fromhex("f248cdc9c90700")


@table(("hello", frame(HELLO, rsv=4), [echo(b"Hello")]),
       ("fragments", frame(HELLO[:3], rsv=4, fin=False) + cont(HELLO[3:]), [echo(b"Hello")]),
       ("last-block", frame(bytes.fromhex("f348cdc9c9070000"), rsv=4), [echo(b"Hello")]),
       ("stored", frame(bytes.fromhex("000500faff48656c6c6f00"), rsv=4), [echo(b"Hello")]),
       ("plain", frame(b"Hello"), [echo(b"Hello")]),
       ("rsv1-on-continuation", frame(HELLO[:3], rsv=4, fin=False) + cont(HELLO[3:], rsv=4), PROTOCOL),
       ("rsv1-on-ping", frame(b"", opcode=PING, rsv=4), PROTOCOL),
       ("rsv1-on-close", frame(b"", opcode=CLOSE, rsv=4), PROTOCOL),
       ("rsv2", frame(HELLO, rsv=6), PROTOCOL),
       ("not-deflate", frame(b"\xff\xff\xff", rsv=4), NO_UTF8),
       ("not-utf8-fails-fast", frame(bytes.fromhex("000200fdffceff"), rsv=4, fin=False), NO_UTF8))
def test_13_by_hand(port, data, expected):
    for step in (0, 1):
        wire = Wire(port, extension("permessage-deflate"))
        wire.send(data, step)
        for one in expected:
            first, payload = wire.frame()
            if first & 15 == CLOSE:
                assert (CLOSE, struct.unpack_from(">H", payload)[0]) == one
            else:
                assert (first & 15, Deflate(wire.head).unpack(first, payload)) == one
        wire.close()


@pytest.mark.parametrize("offer", (
    "x-other", "permessage-deflate; server_max_window_bits=7", "permessage-deflate; unknown",
    "permessage-deflate; client_no_context_takeover; client_no_context_takeover"))
def test_13_declined(port, offer):
    wire = Wire(port, extension(offer))
    assert "extensions" not in wire.head.lower()
    wire.send(frame(b"x", rsv=4))
    assert wire.told() == (CLOSE, 1002)
    wire.close()


def test_13_bomb(port):
    """1 GB of zeros in 1 MB of deflate: 1009 as soon as the limit is passed."""
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    zeros = bytes(1 << 20)
    data = b"".join(bomb.compress(zeros) for _ in range(1024)) + bomb.flush(zlib.Z_SYNC_FLUSH)
    wire = Wire(port, extension("permessage-deflate"))
    wire.send(frame(data[:-4], opcode=BINARY, rsv=4)[:8192])  # the rest is not even needed
    assert wire.told() == (CLOSE, 1009)
    wire.close()


# --- the handshake ----------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("asked,answered", [
    ("chat.v1", "chat.v1"), ("chat.v1, chat.v2", "chat.v1"), ("other,chat.v2 , chat.v1", "chat.v2"), ("other", None),
    ("CHAT.V1", None), ("", None)])
def test_subprotocols(port, asked, answered):
    wire = Wire(port, f"Sec-WebSocket-Protocol: {asked}\r\n")
    lines = [line for line in wire.head.split("\r\n") if line.lower().startswith("sec-websocket-protocol")]
    assert lines == ([f"Sec-WebSocket-Protocol: {answered}"] if answered else [])
    wire.close()


def answer(port, request):
    with socket.create_connection(("127.0.0.1", port), timeout=10 * SLOW) as s:
        s.sendall(request)
        data = b""
        while True:
            more = s.recv(65536)
            if not more:
                return data
            data += more


@pytest.mark.parametrize("change,status", [
    (("Upgrade: websocket\r\n", ""), 426), (("Version: 13", "Version: 8"), 426), (("GET /", "POST /"), 400),
    (("HTTP/1.1", "HTTP/1.0"), 400), (("Sec-WebSocket-Key: ", "Sec-WebSocket-Key: x"), 400),
    (("\r\n\r\n", "\r\nOrigin: http://elsewhere.example\r\n\r\n"), 403),
    (("\r\n\r\n", "\r\nSec-WebSocket-Extensions: ;;\r\n\r\n"), 400),
    (("\r\n\r\n", "\r\nX: " + "x" * 20000 + "\r\n\r\n"), 431)])
def test_refused_handshakes(port, change, status):
    request = handshake(port).decode().replace(*change).encode()
    got = answer(port, request)
    assert got.startswith(b"HTTP/1.1 %d " % status), got[:100]
    assert len(got.split(b"\r\n\r\n", 1)[1]) > 10  # says why


def test_slow_handshake(port):
    """A byte now and then does not keep a connection open: 408 at handshake_timeout."""
    with socket.create_connection(("127.0.0.1", port), timeout=10 * SLOW) as s:
        request = handshake(port)
        before = time.monotonic()
        s.settimeout(0.2)
        data = b""
        for byte in request[:40]:
            try:
                s.sendall(bytes([byte]))
                data = s.recv(1000)
                break
            except TimeoutError:
                continue
        assert data.startswith(b"HTTP/1.1 408 "), data
        assert 1.5 < time.monotonic() - before < 6 * SLOW
