"""Who is behind a proxy: X-Forwarded-For and PROXY headers, Debian's nginx in front, IPv6 and unix sockets."""

import json
import os
import pathlib
import re
import shutil
import socket
import ssl
import struct
import subprocess
import time

import certs
import pytest
import wire
import ws
from harness import ROOT, SLOW, Ports, at_once, chat_conf, free_ports, wait_until

WHERE = ROOT / "tests" / "integration" / "modules" / "where.c"
V2 = b"\r\n\r\n\0\r\nQUIT\n"


@pytest.fixture
def gateway(site):
    """gateway(keys, scheme) starts a gateway and a worker that tells clients their address; returns the port."""

    def make(keys="", scheme="websocket", gateways=1, **how):
        ports = make.ports = Ports()
        text = chat_conf(events=WHERE, registry=ports.registry, port=ports.port, inner=ports.inner, scheme=scheme,
                         gateways=gateways, gateway=keys, **how)
        make.server = site(text)
        make.server.start(ports.port)
        return ports.port

    return make


def connect(port, family=socket.AF_INET):
    s = socket.socket(family)
    s.settimeout(20 * SLOW)
    s.connect(port if family == socket.AF_UNIX else ("127.0.0.1" if family == socket.AF_INET else "::1", port))
    return s


def read_exactly(s, n):
    data = b""
    while len(data) < n:
        part = s.recv(n - len(data))
        if not part:
            raise ConnectionError(f"the end after {len(data)} of {n} bytes")
        data += part
    return data


def upgrade(s, path="/", extra="", host=None):
    request = ws.handshake(80, path, extra)
    if host:
        request = re.sub(rb"Host: [^\r]*", b"Host: " + host.encode(), request)
    s.sendall(request)
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += read_exactly(s, 1)
    return int(head.split()[1])


def where(s):
    """What the worker knows: [ip, port, REMOTE_ADDR]."""
    s.sendall(ws.frame(b"?"))
    head = read_exactly(s, 2)
    return read_exactly(s, head[1]).decode().split()


def where_with(port, forwarded, family=socket.AF_INET):
    with connect(port, family) as s:
        assert upgrade(s, extra="".join(f"X-Forwarded-For: {f}\r\n" for f in forwarded)) == 101
        ip, _, remote = where(s)
        assert remote == (ip if ip != "0.0.0.0" else "unix")
        return ip


# ---- X-Forwarded-For ----

def test_forwarded_for(gateway):
    port = gateway("trusted_proxies = 127.0.0.1\ntrusted_proxies = 10.0.0.0/8\ntrusted_proxies = fd00::/8")
    for forwarded, want in (
        ([], "127.0.0.1"),
        (["203.0.113.7"], "203.0.113.7"),
        (["1.1.1.1, 203.0.113.7"], "203.0.113.7"),  # what is left of it, the client wrote
        (["203.0.113.7, 10.1.2.3, 10.9.9.9"], "203.0.113.7"),
        (["203.0.113.7", "10.1.2.3"], "203.0.113.7"),
        (["203.0.113.7:4711"], "203.0.113.7"),
        (["2001:db8::9, fd00::1"], "2001:db8::9"),
        (["[2001:db8::9]:4711"], "2001:db8::9"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["10.1.2.3"], "10.1.2.3"),  # only proxies: the farthest that is known
        (["unknown"], "127.0.0.1"),
        (["203.0.113.7, unknown, 10.1.2.3"], "10.1.2.3"),
        ([""], "127.0.0.1"),
        (["x" * 4000], "127.0.0.1"),
    ):
        assert where_with(port, forwarded) == want, forwarded


def test_nobody_else_is_believed(gateway):
    port = gateway("trusted_proxies = 10.0.0.0/8")
    assert where_with(port, ["203.0.113.7"]) == "127.0.0.1"


def test_limit_counts_those_behind_the_proxy(gateway):
    port = gateway("trusted_proxies = 127.0.0.1\nmax_connections_per_address = 2\nmax_connections = 5")
    held = []
    for n in range(2):
        held.append(connect(port))
        assert upgrade(held[-1], extra="X-Forwarded-For: 203.0.113.7\r\n") == 101
    with connect(port) as s:
        assert upgrade(s, extra="X-Forwarded-For: 203.0.113.7\r\n") == 503
    for n in range(3):
        held.append(connect(port))
        assert upgrade(held[-1], extra=f"X-Forwarded-For: 203.0.113.{n + 8}\r\n") == 101
    held.pop(0).close()

    def has_room():
        try:
            with connect(port) as s:
                return upgrade(s, extra="X-Forwarded-For: 203.0.113.7\r\n") == 101
        except ConnectionError:  # max_connections: the one that was closed is still counted
            return False

    wait_until(has_room, 10, "room for the address again")
    for s in held:
        s.close()


def test_limit_takes_a_network_of_ipv6_for_one_address(gateway):
    port = gateway("trusted_proxies = 127.0.0.1\nmax_connections_per_address = 2")
    held = []
    for source, want in (("2001:db8:1:2::1", 101), ("2001:db8:1:2::2", 101), ("2001:db8:1:2:ffff::3", 503),
                         ("2001:db8:1:3::1", 101)):
        held.append(connect(port))
        assert upgrade(held[-1], extra=f"X-Forwarded-For: {source}\r\n") == want, source
    for s in held:
        s.close()


def test_rate_counts_those_behind_the_proxy(gateway):
    port = gateway("trusted_proxies = 127.0.0.1\nmax_handshakes_per_address = 1")

    def status(forwarded):
        with connect(port) as s:
            return upgrade(s, extra=f"X-Forwarded-For: {forwarded}\r\n")

    def come(sources):
        """Ten are let in at once, and one more for each second that it took."""
        began = time.monotonic()
        answers = at_once(status, sources)
        assert set(answers) == {101, 429}  # all of them within 20 s
        assert 10 <= answers.count(101) <= 11 + time.monotonic() - began

    come(["203.0.113.7"] * 30)
    assert status("203.0.113.8") == 101
    come([f"2001:db8:1:2::{n:x}" for n in range(30)])  # a /64 network is one address
    assert status("2001:db8:1:3::1") == 101


# ---- PROXY protocol ----

def v2(source, port=5, command=0x21, extra=b""):
    family = socket.AF_INET6 if ":" in source else socket.AF_INET
    ip = socket.inet_pton(family, source)
    block = ip + ip + struct.pack(">HH", port, 6) + extra
    return V2 + bytes([command, 0x21 if family == socket.AF_INET6 else 0x11]) + struct.pack(">H", len(block)) + block


PROXIED = "proxy_protocol = on\ntrusted_proxies = 127.0.0.1"


@pytest.mark.parametrize("head, want", [
    (b"PROXY TCP4 203.0.113.7 127.0.0.1 4711 80\r\n", ["203.0.113.7", "4711"]),
    (b"PROXY TCP6 2001:db8::9 ::1 4711 80\r\n", ["2001:db8::9", "4711"]),
    (b"PROXY UNKNOWN\r\n", None),
    (v2("203.0.113.7", 4711), ["203.0.113.7", "4711"]),
    (v2("2001:db8::9", 4711, extra=b"\x04\x00\x03abc"), ["2001:db8::9", "4711"]),
    (v2("203.0.113.7", command=0x20), None),
])
@pytest.mark.parametrize("cut", [False, True])
def test_proxy_header(gateway, head, want, cut):
    port = gateway(PROXIED)
    with connect(port) as s:
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in ([head[i:i + 1] for i in range(len(head))] if cut else [head]):
            s.sendall(part)
        assert upgrade(s) == 101
        want = want or ["127.0.0.1", str(s.getsockname()[1])]
        assert where(s) == [*want, want[0]]


def test_proxy_header_and_request_in_one_segment_over_text(gateway):
    port = gateway(PROXIED, scheme="text")
    with connect(port) as s:
        s.sendall(b"PROXY TCP4 203.0.113.7 127.0.0.1 4711 80\r\nfirst\nsecond\n")
        assert read_exactly(s, 44) == b"203.0.113.7 4711 none\n" * 2


def test_bad_proxy_headers_are_closed(gateway):
    port = gateway(PROXIED + "\nhandshake_timeout = 1")
    for head in (b"GET / HTTP/1.1\r\n\r\n", b"PROXY TCP4 x y 1 2\r\n", V2 + b"\x21\x11\xff\xff", b"PROXY", b""):
        with connect(port) as s:
            s.sendall(head)
            try:
                assert s.recv(100) == b"", head
            except ConnectionResetError:
                pass
    with connect(port) as s:
        s.sendall(b"PROXY TCP4 203.0.113.7 127.0.0.1 4711 80\r\n")
        assert upgrade(s) == 101


def test_proxy_header_of_strangers(gateway):
    port = gateway("proxy_protocol = on\ntrusted_proxies = 10.0.0.0/8")
    with connect(port) as s:
        try:
            s.sendall(b"PROXY TCP4 203.0.113.7 127.0.0.1 4711 80\r\n")
            assert s.recv(100) == b""
        except ConnectionError:
            pass


def test_proxy_header_in_front_of_tls(gateway, tmp_path):
    ca = certs.Authority(tmp_path / "ca")
    cert, key = ca.issue("server", "localhost")
    port = gateway(PROXIED + f"\ntls_cert = {cert}\ntls_key = {key}")
    with connect(port) as raw:
        raw.sendall(v2("203.0.113.7", 4711))
        with ssl.create_default_context(cafile=ca.pem).wrap_socket(raw, server_hostname="localhost") as s:
            assert upgrade(s) == 101
            assert where(s) == ["203.0.113.7", "4711", "203.0.113.7"]


def test_check_wants_to_know_the_proxies(site):
    ports = Ports()
    for keys, words in (("proxy_protocol = on", "trusted_proxies"), ("trusted_proxies = localhost", "no address")):
        done = site(chat_conf(events=WHERE, registry=ports.registry, port=ports.port, inner=ports.inner,
                              gateway=keys)).command("check")
        assert done.returncode == 1 and words in done.stderr, done.stderr


# ---- IPv6 and unix sockets ----

def test_ipv6(gateway, site):
    ports = Ports()
    text = chat_conf(events=WHERE, registry=ports.registry, port=ports.port, inner=ports.inner)
    site(text.replace(f"websocket://127.0.0.1:{ports.port}", f"websocket://[::]:{ports.port}")).start(ports.port)
    with connect(ports.port, socket.AF_INET6) as s:
        assert upgrade(s, host="[::1]") == 101
        assert where(s) == ["::1", str(s.getsockname()[1]), "::1"]
        assert where(s)[0] == "::1"  # the session came back unharmed
    with connect(ports.port) as s:  # an IPv4 client of the same listener
        assert upgrade(s) == 101
        assert where(s)[0] == "127.0.0.1"


@pytest.mark.parametrize("is_ours", [False, True])
def test_ipv6_address_on_the_wire(site, is_ours):
    """docs/wire.md §3: a worker of PHP sees 0.0.0.0, one of ours 16 bytes in front of the session."""
    ports = Ports()
    site(f"[registry]\nlisten = text://127.0.0.1:{ports.registry}\n[gateway chat]\n"
         f"listen = text://[::1]:{ports.port}\nlan_ip = 127.0.0.1\nstart_port = {ports.inner}\n"
         f"register_address = 127.0.0.1:{ports.registry}\n").start(ports.inner)
    with connect(ports.port, socket.AF_INET6) as s:
        s.sendall(b"before the worker\n")
        worker = wire.Peer.connect(ports.inner, timeout=20 * SLOW)
        hello = {"worker_key": "w:0", "secret_key": "", **({"gatehouse": 1} if is_ours else {})}
        worker.send(wire.pack(200, body=json.dumps(hello).encode()))
        if is_ours:
            assert worker.packet().cmd == 220
        address = socket.inet_pton(socket.AF_INET6, "::1") if is_ours else b""
        first = worker.packet()
        worker.send(wire.pack(204, connection_id=first.connection_id, ext=b"a:0:{}"))
        events = [first, worker.packet()]
        assert [(e.cmd, e.client_ip, e.flag & 8, e.ext) for e in events] == [
            (cmd, 0, 8 if is_ours else 0, address) for cmd in (1, 3)]
        assert events[0].client_port == s.getsockname()[1]

        def session_came():
            s.sendall(b"again\n")
            return worker.packet().ext == address + b"a:0:{}"
        wait_until(session_came, 10, "the session behind the address")
        worker.close()


def test_unix_socket(site, tmp_path):
    ports = Ports()
    path = f"{tmp_path}/chat.sock"
    text = chat_conf(events=WHERE, registry=ports.registry, port=ports.port, inner=ports.inner, gateways=2,
                     gateway=f"listen = websocket://{path}\ntrusted_proxies = unix")
    server = site(text).start(ports.port)
    assert os.stat(path).st_mode & 0o777 == 0o666
    for _ in range(4):
        assert where_with(path, [], socket.AF_UNIX) == "0.0.0.0"
        assert where_with(path, ["203.0.113.7"], socket.AF_UNIX) == "203.0.113.7"
    assert where_with(ports.port, ["203.0.113.7"]) == "127.0.0.1"
    server.stop()
    assert not os.path.exists(path)


def test_web_on_a_unix_socket(site, tmp_path):
    path = f"{tmp_path}/web.sock"
    port = free_ports()
    site(f"[web]\nlisten = http://127.0.0.1:{port}\nlisten = http://{path}\ncount = 2\n"
         f"root = {ROOT}/apps/chat/web\n").start(port)
    done = subprocess.run(["curl", "-sS", "--unix-socket", path, "http://localhost/"], capture_output=True, check=True)
    assert done.stdout == (ROOT / "apps/chat/web/index.html").read_bytes()


# ---- nginx ----

needs_nginx = pytest.mark.skipif(not shutil.which("nginx", path="/usr/sbin:/usr/bin"), reason="nginx is not installed")


def documented(kind):
    """The nginx configuration that docs/nginx.md shows."""
    page = (ROOT / "docs" / "nginx.md").read_text()
    return re.search(rf"<!-- nginx.conf of the test: {kind} -->\n```nginx\n(.*?)```", page, re.S)[1]


@pytest.fixture
def nginx(tmp_path):
    """nginx(text) runs nginx with its files in the test's folder."""
    made = []

    def make(text, port):
        folder = tmp_path / "nginx"
        folder.mkdir()
        (folder / "nginx.conf").write_text(
            f"daemon off;\nmaster_process off;\npid {folder}/pid;\nerror_log {folder}/error.log;\n{text}")
        made.append(subprocess.Popen(["/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"),
                                      "-e", f"{folder}/error.log"], stdin=subprocess.DEVNULL))

        def is_up():
            assert made[-1].poll() is None, (folder / "error.log").read_text()
            with socket.socket() as s:
                return s.connect_ex(("127.0.0.1", port)) == 0

        wait_until(is_up, 20, "nginx")

    yield make
    for process in made:
        process.terminate()
        process.wait(timeout=20)


def temp_paths(folder):
    return "".join(f"{kind}_temp_path {folder}/{kind};\n"
                   for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))


@needs_nginx
def test_nginx_in_front(site, nginx, tmp_path):
    """The configuration of the page: wss below a path, pages beside it, addresses of clients."""
    ca = certs.Authority(tmp_path / "ca")
    cert, key = ca.issue("server", "chat.example")
    ports, front = Ports(), free_ports()
    text = chat_conf(events=WHERE, registry=ports.registry, port=ports.port, inner=ports.inner, web=ports.web,
                     gateway="trusted_proxies = 127.0.0.1")
    server = site(text + "trusted_proxies = 127.0.0.1\nwebsocket_url = /ws\n").start(ports.port, ports.web)
    conf = documented("http").replace("listen 443", f"listen 127.0.0.1:{front}").replace(":7272", f":{ports.port}")
    conf = conf.replace(":55151", f":{ports.web}").replace("/etc/ssl/chat/fullchain.pem", str(cert))
    conf = conf.replace("/etc/ssl/chat/privkey.pem", str(key))
    nginx(f"events {{}}\nhttp {{\naccess_log off;\n{temp_paths(tmp_path)}\n{conf}\n}}", front)
    context = ssl.create_default_context(cafile=ca.pem)

    for forwarded, want in (("", "127.0.0.1"), ("X-Forwarded-For: 6.6.6.6\r\n", "6.6.6.6")):
        with connect(front) as raw, context.wrap_socket(raw, server_hostname="chat.example") as s:
            s_extra = forwarded + "Origin: https://chat.example\r\n"
            assert upgrade(s, "/ws", s_extra, host="chat.example") == 101
            # nginx appends 127.0.0.1, which is a trusted address here: so what is in front of it counts.
            assert where(s)[0] == want
    with connect(front) as raw, context.wrap_socket(raw, server_hostname="chat.example") as s:
        assert upgrade(s, "/ws", "Origin: https://evil.example\r\n", host="chat.example") == 403
    done = subprocess.run(["curl", "-sS", "--cacert", ca.pem, "--resolve", f"chat.example:{front}:127.0.0.1",
                           f"https://chat.example:{front}/"], capture_output=True, check=True)
    assert done.stdout == (ROOT / "apps/chat/web/index.html").read_bytes()
    assert server.process.poll() is None


@needs_nginx
def test_nginx_does_not_let_clients_lie(site, nginx, tmp_path):
    """A client behind nginx that is no proxy itself is seen as what it is."""
    ports, front = Ports(), free_ports()
    path = f"{tmp_path}/chat.sock"
    site(chat_conf(events=WHERE, registry=ports.registry, port=ports.port, inner=ports.inner,
                   gateway=f"listen = websocket://{path}\ntrusted_proxies = unix")).start(ports.port)
    conf = re.sub(r"ssl_certificate.*\n", "", documented("http")).replace("listen 443 ssl", f"listen 127.0.0.1:{front}")
    conf = conf.replace("server 127.0.0.1:7272", f"server unix:{path}")
    nginx(f"events {{}}\nhttp {{\naccess_log off;\n{temp_paths(tmp_path)}\n{conf}\n}}", front)
    with connect(front) as s:
        assert upgrade(s, "/ws", "X-Forwarded-For: 6.6.6.6\r\n") == 101
        assert where(s)[0] == "127.0.0.1"


@needs_nginx
def test_the_fallback_behind_nginx(site, nginx, tmp_path):
    """Events and POSTs take the way that WebSockets take."""
    ports, front = Ports(), free_ports()
    site(chat_conf(events=WHERE, registry=ports.registry, port=ports.port, inner=ports.inner,
                   gateway="sse = true\ntrusted_proxies = 127.0.0.1")).start(ports.port)
    conf = re.sub(r"ssl_certificate.*\n", "", documented("http")).replace("listen 443 ssl", f"listen 127.0.0.1:{front}")
    nginx(f"events {{}}\nhttp {{\naccess_log off;\n{temp_paths(tmp_path)}\n{conf.replace(':7272', f':{ports.port}')}\n}}", front)
    with connect(front) as stream:
        stream.sendall(b"GET /ws/sse HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n")
        seen = b""
        while b"resume_ms" not in seen:
            seen += read_exactly(stream, 1)
        assert seen.startswith(b"HTTP/1.1 200 ")
        session = re.search(rb'"session":"(\w+)"', seen)[1].decode()
        with connect(front) as s:
            s.sendall(f"POST /ws/send?session={session}&n=1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n1t:?"
                      .encode())
            assert read_exactly(s, 13) == b"HTTP/1.1 204 "
        while b"6.6.6.6" not in seen.rpartition(b"event: open")[2]:
            seen += read_exactly(stream, 1)


STREAM = pathlib.Path("/usr/lib/nginx/modules/ngx_stream_module.so")


@needs_nginx
@pytest.mark.skipif(not STREAM.exists(), reason="nginx's stream module is not installed")
def test_nginx_with_proxy_protocol(gateway, nginx, tmp_path):
    ca = certs.Authority(tmp_path / "ca")
    cert, key = ca.issue("server", "localhost")
    port, front = gateway(PROXIED + f"\ntls_cert = {cert}\ntls_key = {key}", scheme="text"), free_ports()
    conf = documented("stream").replace("listen 443", f"listen 127.0.0.1:{front}").replace(":7273", f":{port}")
    nginx(f"load_module {STREAM};\nevents {{}}\n{conf}", front)
    with connect(front) as raw:
        me = raw.getsockname()[1]
        with ssl.create_default_context(cafile=ca.pem).wrap_socket(raw, server_hostname="localhost") as s:
            s.sendall(b"?\n")
            assert s.makefile("rb").readline() == f"127.0.0.1 {me} none\n".encode()
