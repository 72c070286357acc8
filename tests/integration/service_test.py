"""Services: every protocol, order, back-pressure, HTTP framing, dialling, reload; and the examples as they stand."""

import asyncio
import contextlib
import re
import socket
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path

import certs
import pytest
import ws
from harness import ROOT, SLOW, Site, free_ports, wait_until

PROBE = ROOT / "tests" / "integration" / "modules" / "service_probe.c"


def conf_of(section, master=""):
    return f"[master]\n{master}\n\n{section}\n"


@contextlib.contextmanager
def site(folder, section, *ports, master=""):
    s = Site(folder, conf_of(section, master))
    try:
        yield s.start(*ports)
    finally:
        s.stop()


@contextlib.contextmanager
def example(folder, name, conf, port):
    """An example's own config on another port, with its run-time files elsewhere."""
    text = (ROOT / "examples" / name / conf).read_text()
    text = re.sub(r"(listen = \w+://0\.0\.0\.0:)\d+", rf"\g<1>{port}", text)
    text = re.sub(r"module = (\S+)", rf"module = {ROOT}/examples/{name}/\1", text)
    s = Site(folder / name, text)
    try:
        yield s.start(*([] if "udp://" in text else [port]))
    finally:
        s.stop()


class Line:
    """A plain socket that reads with a deadline."""

    def __init__(self, port, family=socket.AF_INET):
        self.s = socket.create_connection(("127.0.0.1", port), timeout=10 * SLOW)
        self.data = b""

    def send(self, data):
        self.s.sendall(data)

    def more(self):
        part = self.s.recv(65536)
        self.data += part
        return part

    def until(self, end):
        while end not in self.data:
            if not self.more():
                raise AssertionError(f"closed before {end!r}: {self.data!r}")
        at = self.data.index(end) + len(end)
        got, self.data = self.data[:at], self.data[at:]
        return got

    def rest(self):
        with contextlib.suppress(ConnectionResetError):
            while self.more():
                pass
        got, self.data = self.data, b""
        return got

    def answer(self):
        """One HTTP answer with Content-Length: status, headers, body."""
        head = self.until(b"\r\n\r\n").decode()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        n = int(headers.get("Content-Length", 0))
        while len(self.data) < n:
            assert self.more(), "closed within a body"
        body, self.data = self.data[:n], self.data[n:]
        return int(head.split()[1]), headers, body

    def close(self):
        self.s.close()


# ---- stream protocols ----


def test_text_lines_in_order_while_a_callback_waits(tmp_path):
    port = free_ports()
    with site(tmp_path, f"[service p]\nlisten = text://127.0.0.1:{port}\nmodule = {PROBE}", port) as s:
        line, other = Line(port), Line(port)
        line.send(b"sleep 2000 first\nsecond\nsleep 50 third\nfourth\n")
        other.send(b"meanwhile\n")
        begun = time.monotonic()
        assert other.until(b"\n") == b"meanwhile\n"
        assert time.monotonic() - begun < 1.8
        other.close()
        assert [line.until(b"\n") for _ in range(4)] == [b"first\n", b"second\n", b"third\n", b"fourth\n"]
        line.send(b"bye\n")
        assert line.rest() == b""
        wait_until(lambda: s.log().count("close 1000") >= 2, what="on_close")
        assert "overlap" not in s.log()
        row = s.status()["processes"][0]
        assert row["kind"] == "service" and row["total_request"] >= 6, row


def test_frame_tcp_and_unix(tmp_path):
    port, tcp = free_ports(), free_ports()
    path = tmp_path / "s.sock"
    section = f"""[service p]
listen = frame://127.0.0.1:{port}
listen = tcp://127.0.0.1:{tcp}
listen = text://{path}
module = {PROBE}"""
    with site(tmp_path, section, port, tcp):
        line = Line(port)
        line.send(b"\0\0\0\x09hello\0\0\0\x06hi")
        assert line.until(b"hi") == b"\0\0\0\x09hello\0\0\0\x06hi"
        line.close()
        line = Line(tcp)
        line.send(b"raw")
        assert line.until(b"raw") == b"raw"
        line.close()
        with socket.socket(socket.AF_UNIX) as u:
            u.connect(str(path))
            u.sendall(b"over a file\n")
            assert u.recv(100) == b"over a file\n"


def test_back_pressure_is_told_and_bounded(tmp_path):
    port = free_ports()
    section = f"[service p]\nlisten = tcp://127.0.0.1:{port}\nmodule = {PROBE}\nsend_buffer_size = 256k"
    with site(tmp_path, section, port) as s:
        line = Line(port)
        line.send(b"fill")
        wait_until(lambda: "buffer full" in s.log(), what="on_buffer_full")
        n = int(re.search(r"full after (\d+)", s.log()).group(1))
        assert n < 10, n
        got = 0
        while got < n * 65536:
            got += len(line.more())
            line.data = b""
        wait_until(lambda: "buffer drained" in s.log(), what="on_buffer_drain")
        line.close()


# ---- WebSocket ----


def test_websocket_order_refusal_and_goodbye(tmp_path):
    port = free_ports()

    async def talk():
        a = await ws.Client.connect(port)
        a.send("sleep 200 slow")
        a.send("quick")
        assert await a.text() == b"slow"
        assert await a.text() == b"quick"
        with pytest.raises(ConnectionError, match="403"):
            await ws.Client.connect(port, path="/?token=bad")
        a.send("bye")
        await asyncio.wait_for(a.is_closed.wait(), 10)
        assert a.close_code == 4001

    with site(tmp_path, f"[service p]\nlisten = websocket://127.0.0.1:{port}\nmodule = {PROBE}", port):
        asyncio.run(talk())


def test_reload_drains_and_brings_new_code(tmp_path):
    port = free_ports()
    module = tmp_path / "m.c"
    module.write_text(PROBE.read_text())
    section = f"[service p]\nlisten = websocket://127.0.0.1:{port}\nmodule = {module}\ncount = 2\ndrain_timeout = 1"

    async def talk(s):
        a = await ws.Client.connect(port)
        module.write_text(PROBE.read_text().replace('"%zu", gw_conn_count(gw)', '"new code"'))
        reload = await asyncio.create_subprocess_exec(
            *[str(x) for x in (BINARY_OF(s), "reload", "-c", s.conf)], stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT)
        a.send("sleep 400 still here")
        assert await a.text() == b"still here"
        await asyncio.wait_for(a.is_closed.wait(), 10 * SLOW)
        assert a.close_code == 1001
        out, _ = await reload.communicate()
        assert reload.returncode == 0, out
        b = await ws.Client.connect(port)
        b.send("count")
        assert await b.text() == b"new code"
        b.drop()

    with site(tmp_path, section, port) as s:
        asyncio.run(talk(s))
        assert s.log().count("stop") >= 2


def BINARY_OF(_):
    from harness import BINARY
    return BINARY


# ---- HTTP ----


@pytest.fixture
def http(tmp_path):
    port = free_ports()
    section = f"""[service p]
listen = http://127.0.0.1:{port}
module = {PROBE}
max_message_bytes = 64k
keep_alive_timeout = 1.5
request_timeout = 1"""
    with site(tmp_path, section, port) as s:
        s.port = port
        yield s


def request(path="/", method="GET", headers="", body=b"", version="1.1"):
    return f"{method} {path} HTTP/{version}\r\nHost: x\r\n{headers}\r\n".encode() + body


def test_http_pipelining_keeps_the_order(http):
    line = Line(http.port)
    line.send(request("/a?ms=300") + request("/b", "POST", "Content-Length: 3\r\n", b"abc") + request("/c"))
    got = [line.answer() for _ in range(3)]
    assert [a[2] for a in got] == [b"GET /a 0 -", b"POST /b 3 -", b"GET /c 0 -"]
    assert all(a[1]["X-Good"] == "yes" for a in got)
    line.close()


def test_http_bytes_one_at_a_time_and_chunked(http):
    line = Line(http.port)
    text = request("/x", "POST", "Cookie: a=1; c=blue%20ish\r\nTransfer-Encoding: chunked\r\n",
                   b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n")
    for i in range(len(text)):
        line.send(text[i:i + 1])
    assert line.answer()[2] == b"POST /x 5 blue ish"
    line.close()


def test_http_head_1_0_and_close(http):
    line = Line(http.port)
    line.send(request("/h", "HEAD"))
    head = line.until(b"\r\n\r\n")
    assert b"Content-Length: 11\r\n" in head
    line.send(request("/k", version="1.0", headers="Connection: keep-alive\r\n"))
    assert line.answer()[1]["Connection"] == "keep-alive"
    line.send(request("/l", headers="Connection: close\r\n"))
    assert line.answer()[1]["Connection"] == "close"
    assert line.rest() == b""


@pytest.mark.parametrize("text,status", [
    (request("/", "POST", "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", b"abc"), 400),
    (request("/", "POST", "Content-Length: 3\r\nContent-Length: 4\r\n", b"abcd"), 400),
    (request("/", "POST", "Transfer-Encoding: chunked\r\n", b"3\nabc\r\n0\r\n\r\n"), 400),
    (request("/", "POST", "Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"), 501),
    (request("/", "GET", "X : y\r\n"), 400),
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (request("/", "POST", "Content-Length: 70000\r\n"), 413),
    (request("/", headers="X: " + "y" * 20000 + "\r\n"), 431),
    (request("/" + "y" * 20000), 414),
], ids=["both lengths", "two lengths", "bare line end", "coding", "blank in a name", "no host", "body", "head", "target"])
def test_http_refuses_what_can_be_read_in_two_ways(http, text, status):
    line = Line(http.port)
    line.send(text + request("/smuggled"))
    got = line.rest()
    assert got.startswith(f"HTTP/1.1 {status} ".encode()), got
    assert got.count(b"HTTP/1.1") == 1, got


def test_http_deadlines_and_missing_answers(http):
    slow, idle, silent = Line(http.port), Line(http.port), Line(http.port)
    slow.send(b"GET / HT")
    silent.send(request("/silent"))
    assert silent.answer()[0] == 500
    begun = time.monotonic()
    assert slow.rest().startswith(b"HTTP/1.1 408 ")
    assert 0.8 < time.monotonic() - begun < 3 * SLOW
    assert idle.rest() == b""
    silent.close()


# ---- UDP ----


def test_udp_answers_the_sender(tmp_path):
    port = free_ports()
    section = f"[service p]\nlisten = udp://127.0.0.1:{port}\nlisten = udp://[::1]:{port}\nmodule = {PROBE}\nmax_message_bytes = 1000"
    with site(tmp_path, section) as s:
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family, socket.SOCK_DGRAM) as u:
                u.settimeout(10 * SLOW)
                u.connect((host, port))
                u.send(b"sleep 300 late")
                u.send(b"soon")
                assert u.recv(100) == b"soon"
                assert u.recv(100) == b"late"
                u.send(b"y" * 1001)
                u.send(b"")
                u.send(b"after")
                assert u.recv(100) == b""
                assert u.recv(100) == b"after"
        assert s.status()["processes"][0]["total_request"] == 8


# ---- dialling ----


def test_dialling_every_protocol(tmp_path):
    ports = [free_ports() for _ in range(5)]
    text, websocket, frame, tcp, nobody = ports
    section = f"""[service p]
listen = text://127.0.0.1:{text}
listen = websocket://127.0.0.1:{websocket}
listen = frame://127.0.0.1:{frame}
listen = tcp://127.0.0.1:{tcp}
module = {PROBE}"""
    with site(tmp_path, section, *ports[:4]):
        line = Line(text)
        for url in (f"websocket://localhost:{websocket}/x?y=z", f"frame://127.0.0.1:{frame}", f"tcp://127.0.0.1:{tcp}",
                    f"text://127.0.0.1:{text}"):
            # The callback on the other side overlaps with the one that dialled: they are of two connections.
            line.send(f"dial {url} hello\n".encode())
            assert line.until(b"\n") == b"0 hello\n", url
        line.send(f"dial ws://127.0.0.1:{websocket}/?token=bad x\n".encode())
        assert line.until(b"\n") == b"-1016\n"  # GW_EREFUSED
        line.send(f"dial tcp://127.0.0.1:{nobody} x\n".encode())
        assert line.until(b"\n") == b"-111\n"  # ECONNREFUSED
        line.send(b"dial tcp://no-such-host.invalid:80 x\n")
        assert line.until(b"\n").startswith(b"-")
        line.send(b"dial gopher://127.0.0.1:70 x\n")
        assert line.until(b"\n") == b"-22\n"
        line.close()


def test_reading_again_and_again_costs_no_memory(tmp_path):
    port = free_ports()
    with site(tmp_path, f"[service p]\nlisten = text://127.0.0.1:{port}\nmodule = {PROBE}", port) as s:
        line = Line(port)

        def kilobytes_after(n):
            line.send(f"repeat text://127.0.0.1:{port} {n}\n".encode())
            assert line.until(b"\n") == b"done\n"
            status = Path(f"/proc/{s.pids('service')[0]}/status").read_text()
            return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1])

        before = kilobytes_after(100)
        # A buffer of 64 KiB that is lost with each message makes 48 MiB.
        assert kilobytes_after(800) - before < 16 * 1024
        line.close()


def test_dialling_over_tls(tmp_path, monkeypatch):
    ca = certs.Authority(tmp_path / "ca")
    cert, key = ca.issue("server", "localhost")
    wss, tcps, strict, trusting = [free_ports() for _ in range(4)]
    section = f"""[service tls]
listen = websocket://127.0.0.1:{wss}
listen = tcp://127.0.0.1:{tcps}
module = {PROBE}
tls_cert = {cert}
tls_key = {key}

[service strict]
listen = text://127.0.0.1:{strict}
module = {PROBE}

[service trusting]
listen = text://127.0.0.1:{trusting}
module = {PROBE}
option = insecure=1"""

    def ask(port, url):
        line = Line(port)
        line.send(f"dial {url} hello\n".encode())
        answer = line.until(b"\n")
        line.close()
        return answer

    with site(tmp_path / "a", section, strict, trusting):
        assert ask(strict, f"wss://localhost:{wss}/") == b"-1002\n", "nobody has signed for it"
        assert ask(trusting, f"wss://localhost:{wss}/") == b"0 hello\n"
    monkeypatch.setenv("SSL_CERT_FILE", str(ca.pem))
    with site(tmp_path / "b", section, strict, trusting):
        assert ask(strict, f"wss://localhost:{wss}/") == b"0 hello\n"
        assert ask(strict, f"tcps://127.0.0.1:{tcps}") == b"0 hello\n"
        assert ask(strict, f"tcps://127.1:{tcps}").startswith(b"-"), "another name"


# ---- the examples ----


def test_example_http_hello_and_tcp_proxy(tmp_path):
    port, proxy = free_ports(), free_ports()
    with example(tmp_path, "http-hello", "hello.conf", port), \
            site(tmp_path / "proxy", f"[service proxy]\nlisten = tcp://127.0.0.1:{proxy}\n"
                 f"module = {ROOT}/examples/tcp-proxy/proxy.c\noption = target=tcp://127.0.0.1:{port}", proxy):
        for p in (port, proxy):
            base = f"http://127.0.0.1:{p}"
            assert urllib.request.urlopen(f"{base}/?name=Ann%26Bo").read() == b"Hello, Ann&Bo!\n"
            curl = subprocess.run(["curl", "-sS", "-F", "title=Trees", "-F", f"file=@{PROBE};type=text/x-c", f"{base}/upload"],
                                  capture_output=True, text=True, timeout=20)
            assert curl.stdout == f"title: Trees\nservice_probe.c: {PROBE.stat().st_size} bytes of text/x-c\n", curl
            assert urllib.request.urlopen(f"{base}/slow").read() == b"1\n2\n3\n4\n5\n"
            line = Line(p)
            line.send(request("/events"))
            assert b"text/event-stream" in line.until(b"\r\n\r\n")
            assert line.until(b"\n\n").startswith(b"event: tick\ndata: ")
            line.close()


def test_proxy_tells_that_nobody_is_there(tmp_path):
    proxy, nobody = free_ports(), free_ports()
    with site(tmp_path, f"[service proxy]\nlisten = tcp://127.0.0.1:{proxy}\n"
              f"module = {ROOT}/examples/tcp-proxy/proxy.c\noption = target=tcp://127.0.0.1:{nobody}", proxy) as s:
        line = Line(proxy)
        assert line.rest() == b""
        assert "cannot reach" in s.log()


def test_example_udp_time(tmp_path):
    port = free_ports()
    with example(tmp_path, "udp-time", "time.conf", port), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u:
        u.settimeout(10 * SLOW)
        u.connect(("127.0.0.1", port))
        u.send(b"?")
        assert abs(int(u.recv(100)) - time.time()) < 5


def test_example_custom_codec(tmp_path):
    port = free_ports()
    with example(tmp_path, "custom-codec", "netstring.conf", port):
        line = Line(port)
        for i in range(len(b"5:hello,")):
            line.send(b"5:hello,"[i:i + 1])
        line.send(b"0:,3:abc,")
        assert line.until(b"cba,") == b"5:olleh,0:,3:cba,"
        line.send(b"hello")
        assert line.rest() == b""


def test_example_service_echo_over_tls(tmp_path):
    port = free_ports()
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
                    "-keyout", tmp_path / "key.pem", "-out", tmp_path / "cert.pem"], check=True, capture_output=True)
    section = f"""[service echo]
listen = websocket://127.0.0.1:{port}
module = {ROOT}/examples/service-echo/echo.c
tls_cert = {tmp_path}/cert.pem
tls_key = {tmp_path}/key.pem"""

    async def talk():
        import websockets
        trust = ssl.create_default_context(cafile=tmp_path / "cert.pem")
        async with websockets.connect(f"wss://localhost:{port}", ssl=trust) as c:
            await c.send("hello")
            assert await c.recv() == "hello"
            await c.send(b"\0\xff" * 50000)
            assert await c.recv() == b"\0\xff" * 50000

    with site(tmp_path, section, port):
        asyncio.run(talk())


def test_example_service_echo(tmp_path):
    port = free_ports()

    async def talk():
        c = await ws.Client.connect(port)
        c.send("hello")
        assert await c.text() == b"hello"
        c.drop()

    with example(tmp_path, "service-echo", "echo.conf", port):
        asyncio.run(talk())


def test_complaints_about_a_section(tmp_path):
    bad = Site(tmp_path, conf_of("[service p]\nlisten = gopher://127.0.0.1:1\nmodule = nothing.c"))
    done = bad.command("check")
    assert done.returncode == 1
    assert "test.conf:" in done.stderr + done.stdout and "nothing.c" in done.stderr + done.stdout
    worker_module = Site(tmp_path / "w", conf_of(f"[service p]\nmodule = {ROOT}/examples/echo/echo.c"))
    done = worker_module.command("check")
    assert done.returncode == 1 and "gw_service_module" in done.stderr + done.stdout, done
