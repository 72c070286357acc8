"""TLS on every listener: Python's ssl, openssl s_client and curl against gateway and web."""

import asyncio
import os
import socket
import ssl
import struct
import subprocess
import time

import certs
import pytest
import ws
from harness import ROOT, SLOW, Ports, chat_conf, wait_until

ECHO = ROOT / "examples" / "echo" / "echo.c"


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return certs.Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def pair(ca):
    return ca.issue("server", "localhost", "chat.test")


@pytest.fixture
def gateway(site, pair):
    """gateway(keys, scheme) starts gateway and worker with TLS; gateway.server is the site."""

    def make(keys="", scheme="websocket", pair=pair, web=False, gateways=1):
        ports = Ports()
        text = chat_conf(events=ECHO, registry=ports.registry, port=ports.port, inner=ports.inner, scheme=scheme,
                         gateways=gateways, gateway=f"tls_cert = {pair[0]}\ntls_key = {pair[1]}\n{keys}",
                         web=ports.web if web else None)
        if web:
            text += f"tls_cert = {pair[0]}\ntls_key = {pair[1]}\n"
        make.server = site(text).start(ports.port, *([ports.web] if web else []))
        make.ports = ports
        return ports.port

    return make


def client_context(ca, version=None, cert=None, tickets=True):
    context = ssl.create_default_context(cafile=str(ca.pem))
    if version:
        context.minimum_version = context.maximum_version = version
    if cert:
        context.load_cert_chain(*map(str, cert))
    if not tickets:
        context.options |= ssl.OP_NO_TICKET
    return context


def connect(port, context, host="localhost", **how):
    raw = socket.create_connection(("127.0.0.1", port), timeout=20 * SLOW)
    try:
        return context.wrap_socket(raw, server_hostname=host, **how)
    except BaseException:
        raw.close()
        raise


def read_exactly(s, n):
    data = b""
    while len(data) < n:
        part = s.recv(n - len(data))
        assert part, f"the end after {len(data)} of {n} bytes"
        data += part
    return data


def upgrade(s, port):
    s.sendall(ws.handshake(port))
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += read_exactly(s, 1)
    assert head.startswith(b"HTTP/1.1 101 "), head


def ws_message(s):
    head = read_exactly(s, 2)
    n = head[1]
    if n == 126:
        n = struct.unpack(">H", read_exactly(s, 2))[0]
    elif n == 127:
        n = struct.unpack(">Q", read_exactly(s, 8))[0]
    return head[0] & 15, read_exactly(s, n)


def ws_echo(s, payload):
    s.sendall(ws.frame(payload))
    assert ws_message(s) == (1, payload)


def common_name(s):
    return dict(x[0] for x in s.getpeercert()["subject"])["commonName"]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_wss(gateway, ca, version):
    port = gateway()
    with connect(port, client_context(ca, version)) as s:
        upgrade(s, port)
        for size in (0, 1, 125, 126, 16383, 16384, 16385, 70000, 900000):
            ws_echo(s, b"x" * size)
        rows = gateway.server.command("connections").stdout
        assert any("tls" in line and "websocket" in line for line in rows.splitlines()), rows
    assert "ssl" in gateway.server.output(), gateway.server.output()


def test_one_byte_per_record(gateway, ca):
    port = gateway()
    with connect(port, client_context(ca)) as s:
        for byte in ws.handshake(port):
            s.sendall(bytes([byte]))
        assert b"101" in s.recv(4096)
        for byte in ws.frame(b"slow"):
            s.sendall(bytes([byte]))
        assert ws_message(s) == (1, b"slow")


def test_text_over_tls(gateway, ca):
    port = gateway(scheme="text")
    with connect(port, client_context(ca)) as s:
        s.sendall(b"hello\nworld\n")
        assert read_exactly(s, 12) == b"hello\nworld\n"


def test_tcp_over_tls_and_half_close(gateway, ca):
    port = gateway(scheme="tcp")
    with connect(port, client_context(ca)) as s:
        s.sendall(b"bytes")
        assert read_exactly(s, 5) == b"bytes"
        s.unwrap()  # our close_notify, answered by theirs


def test_https(gateway, ca, tmp_path):
    gateway(web=True)
    port = gateway.ports.web
    done = subprocess.run(["curl", "-sS", "--cacert", ca.pem, "-w", "%{http_code} %{ssl_verify_result} %{http_version}",
                           "-o", tmp_path / "page", f"https://localhost:{port}/"], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("200 0 1.1", "")
    assert (tmp_path / "page").read_bytes() == (ROOT / "apps/chat/web/index.html").read_bytes()
    done = subprocess.run(["curl", "-sS", f"https://localhost:{port}/"], capture_output=True, text=True)
    assert done.returncode == 60, done.stderr  # nobody knows this CA


def test_large_file_over_https(site, ca, pair, tmp_path):
    root = tmp_path / "www"
    root.mkdir()
    content = os.urandom(1 << 20) * 12
    (root / "index.html").write_bytes(content)
    port = Ports().web
    site(f"[web]\nlisten = http://127.0.0.1:{port}\nroot = {root}\ntls_cert = {pair[0]}\ntls_key = {pair[1]}\n").start(port)
    done = subprocess.run(["curl", "-sS", "--cacert", ca.pem, f"https://localhost:{port}/"], capture_output=True)
    assert done.stdout == content, done.stderr
    done = subprocess.run(["curl", "-sS", "--cacert", ca.pem, "-r", "1000000-5000000", f"https://localhost:{port}/"],
                          capture_output=True)
    assert done.stdout == content[1000000:5000001], done.stderr


def test_s_client(gateway, ca):
    port = gateway("tls_min_version = 1.3")
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", ca.pem, "-alpn", "h2,http/1.1",
                           "-servername", "chat.test", "-verify_hostname", "chat.test"],
                          input="", capture_output=True, text=True, timeout=30 * SLOW)
    for words in ("Verify return code: 0 (ok)", "TLSv1.3", "ALPN protocol: http/1.1"):
        assert words in done.stdout, done.stdout + done.stderr
    done = subprocess.run(["openssl", "s_client", "-tls1_2", "-connect", f"127.0.0.1:{port}"],
                          input="", capture_output=True, text=True, timeout=30 * SLOW)
    assert "alert protocol version" in done.stderr, done.stderr


def test_certificate_by_name(gateway, ca):
    other = ca.issue("other", "other.test", "*.wild.test")
    port = gateway(f"tls_cert = {other[0]}\ntls_key = {other[1]}")
    for host, names in (("other.test", "other"), ("a.wild.test", "other"), ("chat.test", "server")):
        with connect(port, client_context(ca), host) as s:
            assert common_name(s) == names
    context = client_context(ca)
    context.check_hostname = False
    with connect(port, context, "unknown.test") as s:
        assert common_name(s) == "server"


@pytest.mark.parametrize("version, tickets", [(ssl.TLSVersion.TLSv1_3, True), (ssl.TLSVersion.TLSv1_2, True),
                                              (ssl.TLSVersion.TLSv1_2, False)])
def test_sessions_are_resumed(gateway, ca, version, tickets):
    # With tickets by whichever of the processes; from a cache by the one that has it.
    port = gateway(gateways=2 if tickets else 1)
    context = client_context(ca, version, tickets=tickets)
    session, resumed = None, []
    for _ in range(9):
        with connect(port, context, session=session) as s:
            upgrade(s, port)
            ws_echo(s, b"x")
            resumed.append(s.session_reused)
            session = s.session
    assert resumed == [False] + [True] * 8


def test_client_certificates(gateway, ca, tmp_path):
    port = gateway(f"tls_verify = required\ntls_client_ca = {ca.pem}")
    good = ca.issue("visitor", "visitor.test")
    bad = certs.Authority(tmp_path / "bad", "bad").issue("intruder", "intruder.test")

    def talk(cert):
        with connect(port, client_context(ca, cert=cert)) as s:
            upgrade(s, port)
            ws_echo(s, b"x")

    talk(good)
    for cert in (None, bad):
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            talk(cert)
    talk(good)


def test_certificate_swap_under_load(gateway, ca, tmp_path):
    """200 clients talk on while the certificate changes: none is lost, new ones see the new one."""
    pair = ca.issue("first", "localhost", into=(tmp_path / "live.pem", tmp_path / "live.key"))
    port = gateway(pair=pair)
    server = gateway.server

    def name_now():
        with connect(port, client_context(ca)) as s:
            return common_name(s)

    async def scenario():
        context = client_context(ca)
        how = {"ssl": context, "server_hostname": "localhost"}
        clients = [await ws.Client.connect(port, timeout=60 * SLOW, **how) for _ in range(200)]
        done = asyncio.Event()

        async def talk(c, n):
            while not done.is_set():
                c.transport.write(ws.frame(b"%d" % n))
                got = await asyncio.wait_for(c.inbox.get(), 20 * SLOW)
                assert got == b"%d" % n
                await asyncio.sleep(0.05)

        talks = [asyncio.ensure_future(talk(c, n)) for n, c in enumerate(clients)]
        await asyncio.sleep(0.3)
        ca.issue("second", "localhost", into=pair)
        answer = await asyncio.to_thread(server.command, "reload")
        assert answer.returncode == 0, answer.stdout + answer.stderr
        await asyncio.to_thread(wait_until, lambda: name_now() == "second", 10, "the new certificate")

        # A key that does not belong to it: said, and the good one stays.
        pair[1].write_text((ca.folder / "server.key").read_text())
        answer = await asyncio.to_thread(server.command, "reload")
        assert answer.returncode == 1
        assert "the key does not belong to the certificate" in answer.stdout + answer.stderr, answer
        assert str(pair[1]) in answer.stdout + answer.stderr
        assert await asyncio.to_thread(name_now) == "second"

        await asyncio.sleep(0.3)
        done.set()
        await asyncio.gather(*talks)
        assert not any(c.is_closed.is_set() for c in clients)
        for c in clients:
            c.transport.abort()

    asyncio.run(scenario())


def check(site, pair, keys=""):
    ports = Ports()
    text = chat_conf(events=ECHO, registry=ports.registry, port=ports.port, inner=ports.inner,
                     gateway=f"tls_cert = {pair[0]}\ntls_key = {pair[1]}\n{keys}")
    done = site(text).command("check")
    return done.returncode, done.stdout + done.stderr


def test_check_names_what_is_wrong(site, ca, pair, tmp_path):
    stranger = ca.issue("stranger", "stranger.test")
    locked = tmp_path / "locked.key"
    subprocess.run(["openssl", "ec", "-in", pair[1], "-aes256", "-passout", "pass:x", "-out", locked],
                   check=True, capture_output=True)
    expired = ca.issue("expired", "localhost", days=0)  # one that ends before it begins is not to be had
    time.sleep(2)
    ending = ca.issue("ending", "localhost", days=3)
    table = [
        (pair, "", 0, "fine"),
        ((pair[0], stranger[1]), "", 1, "tls_key: " + str(stranger[1]) + ": the key does not belong to the certificate"),
        ((pair[0], locked), "", 1, "the key is encrypted"),
        ((pair[1], pair[1]), "", 1, "no certificate in PEM form"),
        ((pair[0], pair[0]), "", 1, "no private key in PEM form"),
        ((tmp_path / "none.pem", pair[1]), "", 1, "No such file or directory"),
        (pair, f"tls_cert = {pair[0]}", 1, "each tls_cert needs a tls_key"),
        (pair, "tls_verify = required", 1, "needs tls_client_ca"),
        (pair, f"tls_verify = required\ntls_client_ca = {pair[1]}", 1, "tls_client_ca"),
        (pair, "tls_ciphers = NONSENSE", 1, "tls_ciphers"),
        (pair, "tls_ciphersuites = NONSENSE", 1, "tls_ciphersuites"),
        (expired, "", 0, "expired"),
        (ending, "", 0, "ending.pem expires in "),
    ]
    for files, keys, code, words in table:
        got, text = check(site, files, keys)
        assert (got, words in text) == (code, True), f"{files} {keys}: {got}\n{text}"


def test_slow_handshake_ends_at_the_deadline(gateway, ca):
    port = gateway("handshake_timeout = 2")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = client_context(ca).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        tls.do_handshake()
    hello = outgoing.read()
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", port)) as s:
        s.settimeout(0.5)
        for byte in hello:
            try:
                s.sendall(bytes([byte]))
                if s.recv(100) == b"":
                    break
            except TimeoutError:
                continue
            except ConnectionError:
                break
        else:
            raise AssertionError("still open")
    assert time.monotonic() - begun < 6 * SLOW
    with connect(port, client_context(ca)) as s:  # the others did not suffer
        upgrade(s, port)


def test_plain_client_at_a_tls_port(gateway):
    port = gateway()
    with socket.create_connection(("127.0.0.1", port), timeout=20 * SLOW) as s:
        s.sendall(ws.handshake(port))
        answer = s.makefile("rb").read()
    assert answer.startswith(b"HTTP/1.1 400 ") and b"TLS port" in answer, answer
    wait_until(lambda: "it speaks HTTP without TLS" in gateway.server.output() + gateway.server.log(), 5, "a log line")


@pytest.mark.parametrize("scheme", ["websocket", "text", "http"])
def test_tls_client_at_a_plain_port(site, scheme):
    ports = Ports()
    site(chat_conf(events=ECHO, registry=ports.registry, port=ports.port, inner=ports.inner, web=ports.web,
                   scheme="text" if scheme == "http" else scheme)).start(ports.port, ports.web)
    context = ssl.create_default_context()
    context.check_hostname = False
    with pytest.raises(ssl.SSLError, match="(?i)alert.handshake.failure|HANDSHAKE_FAILURE"):
        connect(ports.web if scheme == "http" else ports.port, context)


def test_workers_do_not_hold_the_key(gateway, pair):
    gateway()
    key = pair[1].read_bytes().split(b"\n")[1]
    assert key in memory_of(gateway.server.process.pid)  # the master keeps it for the next process
    for kind in ("worker", "registry"):
        for pid in gateway.server.pids(kind):
            assert key not in memory_of(pid), kind


def memory_of(pid):
    content = b""
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for line in maps:
            span, rights = line.split()[:2]
            first, last = (int(x, 16) for x in span.split("-"))
            if "rw" not in rights or last - first > 1 << 28:
                continue
            try:
                mem.seek(first)
                content += mem.read(last - first)
            except (OSError, ValueError):
                continue
    return content
