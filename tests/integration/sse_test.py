"""The fallback without WebSocket: events down, POSTs up, resumed exactly, from any process of the section."""

import base64
import http.client
import json
import socket
import time

import asyncio
import pytest

import ws
from harness import ROOT, SLOW, Ports, Site, chat_conf, wait_until

PROBE = ROOT / "tests" / "integration" / "modules" / "fallback_probe.c"


class Stream:
    """GET …/sse over a socket of its own; events are (id, type, data)."""

    def __init__(self, port, query="", headers="", path="/chat/sse"):
        self.s = socket.create_connection(("127.0.0.1", port), timeout=10 * SLOW)
        self.s.sendall(f"GET {path}{query} HTTP/1.1\r\nHost: localhost:{port}\r\nAccept: text/event-stream\r\n{headers}\r\n"
                       .encode())
        self.data = b""
        while b"\r\n\r\n" not in self.data:
            self.more()
        head, self.data = self.data.split(b"\r\n\r\n", 1)
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split()[1])
        self.headers = dict(line.split(": ", 1) for line in lines[1:])
        self.session = None
        if self.status == 200:
            _, kind, data = self.event()
            assert kind == "open"
            self.session = json.loads(data)["session"]

    def more(self):
        part = self.s.recv(65536)
        if not part:
            raise ConnectionError("the stream has ended")
        self.data += part

    def event(self):
        while True:
            while b"\n\n" not in self.data:
                self.more()
            block, self.data = self.data.split(b"\n\n", 1)
            number, kind, data = None, "message", []
            for line in block.decode().split("\n"):
                name, _, value = line.partition(": ")
                if name == "id":
                    number = int(value)
                elif name == "event":
                    kind = value
                elif name == "data":
                    data.append(value)
            if data:
                return number, kind, "\n".join(data)

    def text(self):
        return self.event()[2]

    def close(self):
        self.s.close()


def record(payload, kind="t"):
    payload = payload.encode() if isinstance(payload, str) else payload
    return f"{len(payload)}{kind}:".encode() + payload


def post(port, session, body=b"", query="", headers=None, line=None):
    own = line or http.client.HTTPConnection("127.0.0.1", port, timeout=10 * SLOW)
    own.request("POST", f"/chat/send?session={session}{query}", body, headers or {})
    answer = own.getresponse()
    answer.read()
    if not line:
        own.close()
    return answer.status


def start(folder, gateways=1, gateway=""):
    ports = Ports(gateways)
    site = Site(folder, chat_conf(gateways=gateways, events=PROBE, registry=ports.registry, port=ports.port,
                                  inner=ports.inner, gateway=f"sse = true\nsse_resume_time = 2\n{gateway}"), name="s.conf")
    site.start(ports.port)
    site.port = ports.port
    return site


@pytest.fixture
def one(tmp_path_factory):
    site = start(tmp_path_factory.mktemp("s"))
    yield site
    site.stop()


@pytest.fixture
def several(tmp_path_factory):
    site = start(tmp_path_factory.mktemp("s"), gateways=3)
    yield site
    site.stop()


def test_a_client_like_any_other(one):
    a = Stream(one.port, "?name=Ann", "Cookie: c=5\r\nUser-Agent: probe\r\n")
    assert a.headers["Content-Type"] == "text/event-stream"
    assert a.event() == (1, "message", "hello Ann 5 probe 127.0.0.1")
    assert post(one.port, a.session, record("hi") + record("a\nb\r\nc") + record(b"\0\xff", "b"), "&n=1") == 204
    assert a.event() == (2, "message", "hi")
    assert a.event() == (3, "message", "a\nb\nc")
    assert a.event() == (4, "binary", base64.b64encode(b"\0\xff").decode())

    async def with_websocket():
        b = await ws.Client.connect(one.port, path="/?name=Bob")
        assert (await b.text()).startswith(b"hello Bob")
        b.send("all together")
        assert await b.text() == b"together"
        assert await asyncio.to_thread(a.text) == "together"
        b.drop()

    asyncio.run(with_websocket())
    assert post(one.port, a.session, record("bye"), "&n=4") == 204
    assert a.text() == "farewell"
    assert a.event()[1] == "close"
    assert post(one.port, a.session, record("late"), "&n=5") == 404
    wait_until(lambda: one.log().count(": close ") == 2, what="on_close")
    assert one.log().count(": connect ") == 2, "POSTs are no clients"


def test_messages_posted_again_are_taken_once(one):
    a = Stream(one.port)
    a.text()
    line = http.client.HTTPConnection("127.0.0.1", one.port, timeout=10)
    assert post(one.port, a.session, record("1") + record("2"), "&n=1", line=line) == 204
    assert post(one.port, a.session, record("2") + record("3"), "&n=2", line=line) == 204
    assert post(one.port, a.session, record("5"), "&n=5", line=line) == 409
    assert post(one.port, a.session, record("4"), "&n=4", line=line) == 204
    assert [a.text() for _ in range(4)] == ["1", "2", "3", "4"]
    assert post(one.port, a.session, b"3t:ab", "&n=5") == 400


def test_resuming_loses_and_doubles_nothing(one):
    a = Stream(one.port)
    a.text()
    assert post(one.port, a.session, record("one") + record("two"), "&n=1") == 204
    assert a.event()[::2] == (2, "one")
    a.close()
    assert post(one.port, a.session, record("three"), "&n=3") == 204
    b = Stream(one.port, f"?session={a.session}", "Last-Event-ID: 2\r\n")
    assert b.status == 200 and b.session == a.session
    assert [b.event()[::2] for _ in range(2)] == [(3, "two"), (4, "three")]
    # The old stream may still look alive when the browser comes back.
    c = Stream(one.port, f"?session={a.session}&last=4")
    assert post(one.port, a.session, record("four"), "&n=4&last=4") == 204
    assert c.event()[::2] == (5, "four")
    assert Stream(one.port, f"?session={a.session}&last=3").status == 410, "it has said that it has these"
    assert Stream(one.port, f"?session={a.session}&last=99").status == 410
    assert one.log().count(": close ") == 0 and one.log().count(": connect ") == 1


def test_away_for_too_long(one):
    a = Stream(one.port)
    a.text()
    begun = time.monotonic()
    a.close()
    wait_until(lambda: one.log().count(": close ") == 1, 10, what="on_close")
    assert time.monotonic() - begun > 1.5
    assert Stream(one.port, f"?session={a.session}&last=1").status == 404


def test_events_that_are_gone_are_said_to_be_gone(one):
    a = Stream(one.port)
    a.text()
    assert post(one.port, a.session, record("many 300"), "&n=1") == 204
    for _ in range(300):
        last = a.event()
    assert last[0] == 301 and last[2].endswith(".299")
    assert Stream(one.port, f"?session={a.session}&last=5").status == 410
    b = Stream(one.port, f"?session={a.session}&last=295")
    assert [b.event()[0] for _ in range(6)] == [296, 297, 298, 299, 300, 301]


def test_a_client_that_does_not_read_is_bounded(tmp_path):
    site = start(tmp_path, gateway="send_to_client_buffer_size = 200k")
    try:
        a = Stream(site.port)
        a.text()
        a.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for n in range(1, 30):
            if post(site.port, a.session, record("many 1000"), f"&n={n}") != 204:
                break
        wait_until(lambda: "does not read" in site.log(), 20, what="on_full")
        wait_until(lambda: site.log().count(": close ") == 1, 20, what="on_close")
    finally:
        site.stop()


def test_any_process_takes_the_posts(several):
    streams = [Stream(several.port) for _ in range(24)]
    assert len({s.session[:4] for s in streams}) > 1, "the kernel gave all connections to one process"
    for i, s in enumerate(streams):
        assert s.text().startswith("hello")
        for n in range(1, 6):
            assert post(several.port, s.session, record(f"{i}-{n}"), f"&n={n}") == 204
        assert [s.text() for _ in range(5)] == [f"{i}-{n}" for n in range(1, 6)]
    # Streams come back at any process, too.
    for s in streams:
        s.close()
        again = Stream(several.port, f"?session={s.session}&last=6")
        assert again.status == 200, again.status
        assert post(several.port, s.session, record("back"), "&n=6") == 204
        assert again.event()[::2] == (7, "back")
        again.close()
    assert several.log().count(": connect ") == 24


def test_one_connection_carries_the_posts_of_several_sessions(several):
    """As a browser's for two tabs, or a proxy's for everybody."""
    of_slot = {}
    while len(of_slot) < 2:
        stream = Stream(several.port)
        of_slot.setdefault(stream.session[:4], stream)
    line = http.client.HTTPConnection("127.0.0.1", several.port, timeout=10 * SLOW)
    for n in range(1, 5):
        for s in of_slot.values():
            assert post(several.port, s.session, record(f"{n}"), f"&n={n}", line=line) == 204, n
    for s in of_slot.values():
        assert s.text().startswith("hello")
        assert [s.text() for _ in range(4)] == ["1", "2", "3", "4"]


@pytest.mark.parametrize("limit", (1000, 100_000))
def test_a_post_carries_more_than_one_message_of_the_largest_size(tmp_path, limit):
    """The module for pages posts what waits, up to 256 KiB and one message."""
    site = start(tmp_path, gateway=f"max_message_bytes = {limit}")
    try:
        a = Stream(site.port)
        a.text()
        messages = [str(n % 10) * limit for n in range(256 * 1024 // limit + 1)]
        assert post(site.port, a.session, b"".join(map(record, messages)), "&n=1") == 204
        assert [a.text() for _ in messages] == messages
        assert post(site.port, a.session, record("x" * (limit + 1)), f"&n={len(messages) + 1}") == 204
        assert a.event()[1:] == ("close", "1009 the message is too big"), "as for a WebSocket"
    finally:
        site.stop()


def test_a_refusal_has_the_status_of_the_module(site):
    ports = Ports(gateways=1)
    server = site(chat_conf(events=ROOT / "tests/integration/modules/doorman.c", registry=ports.registry, port=ports.port,
                            inner=ports.inner, gateway="sse = on")).start(ports.port)
    assert Stream(ports.port).status == 401
    assert Stream(ports.port, "?who=banned").status == 403
    server.stop()


def test_pages_of_other_hosts_may_not(one):
    assert Stream(one.port, headers="Origin: http://evil.example\r\n").status == 403
    a = Stream(one.port, headers="Origin: http://localhost:9\r\n")
    assert a.headers["Access-Control-Allow-Origin"] == "http://localhost:9"
    assert post(one.port, a.session, record("x"), "&n=1", {"Origin": "http://evil.example"}) == 403
    line = http.client.HTTPConnection("127.0.0.1", one.port, timeout=10)
    line.request("OPTIONS", "/send", headers={"Origin": "http://127.0.0.1:1", "Access-Control-Request-Method": "POST"})
    answer = line.getresponse()
    assert answer.status == 204 and "POST" in answer.headers["Access-Control-Allow-Methods"]


def test_what_is_not_for_the_fallback_is_for_websocket(one):
    for text, status in ((b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b" 4"), (b"garbage\r\n\r\n", b" 400 "),
                         (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", b" 400 ")):
        with socket.create_connection(("127.0.0.1", one.port), timeout=10) as s:
            s.sendall(text)
            assert status in s.recv(1000), text

    async def bytewise():
        reader, writer = await asyncio.open_connection("127.0.0.1", one.port)
        for byte in ws.handshake(one.port, "/sse"):
            writer.write(bytes([byte]))
            await writer.drain()
        assert b" 101 " in await reader.readline()
        writer.close()

    asyncio.run(bytewise())


def test_stop_says_goodbye(tmp_path):
    site = start(tmp_path)
    a = Stream(site.port)
    a.text()
    site.stop()
    assert a.event()[1:] == ("close", "1001 ")
