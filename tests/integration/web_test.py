"""The web role over raw sockets and curl: files, ranges, pipelining, and visitors who do not behave."""

import hashlib
import http.client
import os
import shutil
import socket
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from harness import SLOW, accepts, free_ports, wait_until

PAGE = b"<!doctype html><title>home</title>\n"
BIG_BYTES = 24 * 1024 * 1024 + 7


@pytest.fixture
def web(site, tmp_path):
    """web(keys) starts a server for the folder tmp_path/www and returns its port."""

    def make(keys=""):
        root = tmp_path / "www"
        root.mkdir()
        (root / "index.html").write_bytes(PAGE)
        (root / "chat.css").write_text("body {}\n")
        (root / "sub").mkdir()
        (root / "sub" / "index.html").write_text("sub\n")
        (root / ".secret").write_text("secret\n")
        (tmp_path / "outside.txt").write_text("secret\n")
        (root / "link.txt").symlink_to("../outside.txt")
        (root / "etc").symlink_to("/etc")
        port = free_ports()
        make.server = site(f"[web]\nlisten = http://127.0.0.1:{port}\nroot = {root}\n{keys}\n").start(port)
        make.root = root
        return port

    return make


def connect(port, timeout=10):
    return socket.create_connection(("127.0.0.1", port), timeout=timeout * SLOW)


def read_answer(stream, method="GET"):
    """One answer from a buffered stream as status, headers, body."""
    status = int(stream.readline().split()[1])
    headers = {k.lower(): v for k, v in http.client.parse_headers(stream).items()}
    has_body = method != "HEAD" and status != 304
    return status, headers, stream.read(int(headers["content-length"])) if has_body else b""


def ask(port, target="/", method="GET", headers=""):
    with connect(port) as s, s.makefile("rb") as stream:
        s.sendall(f"{method} {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}\r\n".encode())
        answer = read_answer(stream, method)
        assert stream.read() == b""
        return answer


def until_closed(s, pause_s=0):
    """Everything up to the end; a reset counts as one."""
    parts = []
    try:
        while part := s.recv(262144):
            parts.append(part)
            time.sleep(pause_s)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def test_files_and_their_types(web):
    port = web()
    status, headers, body = ask(port)
    assert (status, body) == (200, PAGE)
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert headers["x-content-type-options"] == "nosniff"
    csp = headers["content-security-policy"]
    assert "default-src 'none'" in csp and "'unsafe" not in csp and "frame-ancestors 'none'" in csp
    assert ask(port, "/chat.css")[1]["content-type"] == "text/css; charset=utf-8"
    assert ask(port, "/sub/")[2] == b"sub\n"
    status, headers, _ = ask(port, "/sub?x=1")
    assert (status, headers["location"]) == (301, "/sub/?x=1")
    assert ask(port, "/health")[::2] == (200, b"ok")
    assert ask(port, "/gatehouse.json")[2] == b'{"websocket_port":7272}'


def test_head_has_the_headers_of_get(web):
    port = web()
    _, by_get, _ = ask(port)
    status, by_head, body = ask(port, method="HEAD")
    assert (status, body) == (200, b"")
    assert {**by_head, "date": ""} == {**by_get, "date": ""}
    assert by_head["content-length"] == str(len(PAGE))


def test_other_methods(web):
    port = web()
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PATCH", "BREW"):
        status, headers, _ = ask(port, method=method)
        assert (status, headers["allow"]) == (405, "GET, HEAD")
    # A body that nobody wants is skipped; the connection goes on behind it.
    with connect(port) as s, s.makefile("rb") as stream:
        s.sendall(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70000)
        s.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        assert read_answer(stream)[0] == 405
        assert read_answer(stream)[2] == PAGE


def test_not_modified(web):
    port = web()
    _, headers, _ = ask(port)
    for condition in (f"If-None-Match: {headers['etag']}", f"If-Modified-Since: {headers['last-modified']}"):
        status, again, body = ask(port, headers=condition + "\r\n")
        assert (status, body, again["etag"]) == (304, b"", headers["etag"])
    os.utime(web.root / "index.html", (1, 1))
    status, again, body = ask(port, headers=f"If-None-Match: {headers['etag']}\r\n")
    assert (status, body) == (200, PAGE)
    assert again["etag"] != headers["etag"]


def test_ranges(web):
    port = web()
    size = len(PAGE)
    for value, first, last in (("0-4", 0, 4), ("10-", 10, size - 1), ("-5", size - 5, size - 1), ("3-999", 3, size - 1)):
        status, headers, body = ask(port, headers=f"Range: bytes={value}\r\n")
        assert (status, body) == (206, PAGE[first:last + 1])
        assert headers["content-range"] == f"bytes {first}-{last}/{size}"
    status, headers, _ = ask(port, headers=f"Range: bytes={size}-\r\n")
    assert (status, headers["content-range"]) == (416, f"bytes */{size}")
    etag = ask(port)[1]["etag"]
    assert ask(port, headers=f"Range: bytes=0-1\r\nIf-Range: {etag}\r\n")[0] == 206
    assert ask(port, headers='Range: bytes=0-1\r\nIf-Range: "old"\r\n')[::2] == (200, PAGE)
    assert ask(port, headers="Range: bytes=0-1,3-4\r\n")[::2] == (200, PAGE)


def test_nothing_outside_the_folder(web):
    port = web()
    for target in ("/../outside.txt", "/%2e%2e/outside.txt", "/sub/../../outside.txt", "/..%2foutside.txt",
                   "/sub/..%2f..%2foutside.txt", "/%2e%2e%2foutside.txt", "/link.txt", "/etc/passwd", "//etc/passwd",
                   "/%2fetc/passwd", "/.secret", "/%2esecret", "/sub/../index.html", "/..", "/%5c..%5coutside.txt"):
        status, _, body = ask(port, target)
        assert status == 404, target
        assert b"secret" not in body and b"root:" not in body
    for target in ("/%00", "/index.html%00.css", "/%zz", "/%"):
        assert ask(port, target)[0] == 400, target


def test_keep_alive_and_pipelining(web):
    port = web()
    with connect(port) as s, s.makefile("rb") as stream:
        for _ in range(3):
            s.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
            assert read_answer(stream)[2] == PAGE
        s.sendall(b"GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /missing HTTP/1.1\r\nHost: h\r\n\r\n"
                  b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\nGET /sub/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        assert read_answer(stream)[2] == PAGE
        assert read_answer(stream)[0] == 404
        assert read_answer(stream, "HEAD")[0] == 200
        assert read_answer(stream)[2] == b"sub\n"
        assert stream.read() == b""


def test_many_pipelined_requests_are_all_answered(web):
    """More than one read of the server and more answers than it queues at once."""
    port = web()
    n = 20000
    with connect(port, 30) as s, s.makefile("rb") as stream:
        writer = threading.Thread(target=s.sendall, args=(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n" * n,))
        writer.start()
        for _ in range(n):
            assert read_answer(stream)[2] == PAGE
        writer.join()


def test_byte_by_byte(web):
    port = web()
    with connect(port) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n":
            s.sendall(bytes([byte]))
        assert until_closed(s).endswith(PAGE)


@pytest.fixture
def big(web):
    port = web("send_timeout = 2")
    content = os.urandom(1 << 20) * 24 + b"the end"
    assert len(content) == BIG_BYTES
    (web.root / "big.bin").write_bytes(content)
    return port, content


def test_a_big_file_arrives_whole(big):
    port, content = big
    status, headers, body = ask(port, "/big.bin")
    assert (status, headers["content-length"]) == (200, str(BIG_BYTES))
    assert hashlib.sha256(body).digest() == hashlib.sha256(content).digest()
    status, _, body = ask(port, "/big.bin", headers="Range: bytes=1000000-20000000\r\n")
    assert status == 206 and body == content[1000000:20000001]


def test_big_files_pipelined(big):
    port, content = big
    with connect(port) as s:
        s.sendall(b"GET /big.bin HTTP/1.1\r\nHost: h\r\n\r\n" * 2 + b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
        with s.makefile("rb") as stream:
            assert read_answer(stream)[2] == content
            assert read_answer(stream)[2] == content
            assert read_answer(stream)[2] == PAGE
            assert stream.read() == b""


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_resumes_a_download(big, tmp_path):
    port, content = big
    part = tmp_path / "part.bin"
    part.write_bytes(content[:5000000])
    subprocess.run(["curl", "-sf", "-C", "-", "-o", str(part), f"http://127.0.0.1:{port}/big.bin"], check=True,
                   timeout=60 * SLOW)
    assert part.read_bytes() == content


def test_who_does_not_listen_is_disconnected(big):
    """24 MiB do not fit into any socket buffer, so the server must give up by itself."""
    port, _ = big
    with connect(port, 30) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        s.sendall(b"GET /big.bin HTTP/1.1\r\nHost: h\r\n\r\n")
        server = server_connections(port)
        wait_until(lambda: server_connections(port) < server, 20, "the server closes")
    assert ask(port, "/health")[0] == 200


def server_connections(port):
    """Established connections to that port, from the kernel's table (state 01), on the server's side."""
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = [line.split() for line in table][1:]
    return sum(row[3] == "01" and int(row[1].split(":")[1], 16) == port for row in rows)


def test_slow_heads_are_ended(web):
    port = web("head_timeout = 0.3\nkeep_alive_timeout = 0.5")
    slow = [connect(port) for _ in range(20)]
    for s in slow:
        s.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nX-")
    begun = time.monotonic()
    assert ask(port, "/health")[0] == 200
    for s in slow:
        assert until_closed(s).startswith(b"HTTP/1.1 408 ")
        s.close()
    assert time.monotonic() - begun < 5 * SLOW
    with connect(port) as s:
        assert until_closed(s) == b""  # no byte: closed without a word
    # A drop now and then does not keep it open.
    with connect(port) as s:
        s.sendall(b"GET / HTTP/1.1\r\n")
        try:
            for _ in range(100):
                s.sendall(b"a")
                time.sleep(0.05)
                s.setblocking(False)
                try:
                    if s.recv(1) in (b"H", b""):
                        break
                except BlockingIOError:
                    pass
                s.setblocking(True)
            else:
                raise AssertionError("still open after 5 s")
        except (ConnectionResetError, BrokenPipeError):
            pass


def test_heads_that_are_too_large_or_broken(web):
    port = web("head_max_bytes = 2k")
    for head, status in ((b"GET / HTTP/1.1\r\nHost: h\r\nX: " + b"x" * 3000, b"431"),
                         (b"GET /" + b"x" * 3000, b"414"),
                         (b"GET / HTTP/1.1\r\n\r\n", b"400"),
                         (b"GET / HTTP/1.1\r\nHost: h\r\nHost: g\r\n\r\n", b"400"),
                         (b"GET / HTTP/2.0\r\nHost: h\r\n\r\n", b"505"),
                         (b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", b"400"),
                         (b"\x16\x04\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
                         (b"hello\n", b"400")):
        with connect(port) as s:
            s.sendall(head)
            assert until_closed(s)[:12] == b"HTTP/1.1 " + status, head[:60]
    assert ask(port)[0] == 200


def test_max_connections_makes_room(web):
    port = web("max_connections = 5")
    idle = [connect(port) for _ in range(5)]
    wait_until(lambda: server_connections(port) == 5, 5, "five connections")
    assert ask(port)[0] == 200
    assert until_closed(idle[0]) == b""
    for s in idle:
        s.close()


def test_headers_of_the_config(web):
    port = web('csp =\nheader = X-Site: one\nheader = Cross-Origin-Opener-Policy: same-origin\ncache_seconds = 60\n'
               'websocket_url = /ws')
    _, headers, _ = ask(port)
    assert "content-security-policy" not in headers
    assert headers["x-site"] == "one"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == "max-age=60"
    assert ask(port, "/gatehouse.json")[2] == b'{"websocket_port":7272,"websocket_url":"/ws"}'


def test_a_bad_config_is_named(site):
    server = site("[web]\nlisten = http://127.0.0.1:1\nroot = nowhere\nheader = no colon\nindex = a/b\n")
    done = server.command("check")
    text = done.stdout + done.stderr
    assert done.returncode == 1
    for line in ("test.conf:3: [web] root:", "test.conf:4: [web] header:", "test.conf:5: [web] index:"):
        assert line in text, text


def test_reload_follows_the_root(web, tmp_path):
    port = web()
    old = tmp_path / "old"
    web.root.rename(old)
    web.root.mkdir()
    (web.root / "index.html").write_text("new\n")
    assert ask(port)[2] == PAGE
    assert web.server.command("reload").returncode == 0
    wait_until(lambda: ask(port)[2] == b"new\n", 5, "the new folder")


def test_a_graceful_stop_finishes_the_answer(big, web):
    port, content = big
    with connect(port) as s, ThreadPoolExecutor(1) as pool:
        s.sendall(b"GET /big.bin HTTP/1.1\r\nHost: h\r\n\r\n")
        first = s.recv(1)
        stop = pool.submit(web.server.command, "stop", "-g")
        data = first + until_closed(s, pause_s=0.01)
        assert stop.result().returncode == 0
    assert data.endswith(content)
    assert not accepts(port)
