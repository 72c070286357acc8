"""TLS between registry, gateways and workers: who is let in, who is not, and what the log says of it."""

import json
import socket
import ssl
import subprocess

import certs
import php
import pytest
import wire
import ws
from harness import BINARY, ROOT, SLOW, Ports, chat_conf, wait_until

ECHO = ROOT / "examples" / "echo" / "echo.c"
IS_ONLINE, CLIENT_CONNECT = 11, 202


@pytest.fixture(scope="module")
def ca(tmp_path_factory):
    return certs.Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="module")
def member(ca):
    return ca.issue("member", "member.test")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """A certificate of a CA that nobody here trusts, and that CA."""
    other = certs.Authority(tmp_path_factory.mktemp("other"), "other")
    return other, other.issue("stranger", "member.test")


def keys(mode, ca, pair, name=None):
    text = f"inner_tls = {mode}\ninner_tls_cert = {pair[0]}\ninner_tls_key = {pair[1]}\ninner_tls_ca = {ca.pem}\n"
    return text + (f"inner_tls_name = {name}\n" if name else "")


def conf(ports, common, worker=None, web=""):
    """A config whose sections have `common`, a [worker] `worker` instead."""
    text = chat_conf(events=ECHO, registry=ports.registry, port=ports.port, inner=ports.inner,
                     gateway=common, worker=common if worker is None else worker)
    text = text.replace("[master]", "[master]\nready_timeout = 1")
    text = text.replace(f"listen = text://127.0.0.1:{ports.registry}\n",
                        f"listen = text://127.0.0.1:{ports.registry}\n{common}")
    return text + web


def echoes(port, payload=b"hello"):
    with socket.create_connection(("127.0.0.1", port), timeout=20 * SLOW) as s:
        s.sendall(ws.handshake(port))
        head = b""
        while b"\r\n\r\n" not in head:
            head += s.recv(1)
        s.sendall(ws.frame(payload))
        data = b""
        while len(data) < 2 + len(payload):
            more = s.recv(4096)
            assert more, data
            data += more
        return data[2:] == payload


def over_tls(port, ca, pair, host="127.0.0.1"):
    context = ssl.create_default_context(cafile=str(ca.pem))
    context.load_cert_chain(*map(str, pair))
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10 * SLOW), server_hostname=host)


def is_refused(port, first):
    """Whether a peer without TLS that begins like this hears nothing of the protocol before the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=20 * SLOW) as s:
        s.sendall(first)
        try:
            heard = s.recv(4096)
            while s.recv(4096):
                pass
        except ConnectionError:
            heard = heard if "heard" in locals() else b""
    return not heard or heard[0] == 21  # RFC 8446 §5.1: an alert


REGISTRY_LINE = b'{"event":"worker_connect","secret_key":""}\n'


def ask(peer):
    peer.send(wire.pack(CLIENT_CONNECT, body=b'{"secret_key":""}') + wire.pack(IS_ONLINE, connection_id=77))
    return peer.reply()


def push(*args):
    return subprocess.run([str(BINARY), "push", *map(str, args)], capture_output=True, text=True, timeout=60 * SLOW,
                          stdin=subprocess.DEVNULL)


def test_required(site, ca, member):
    ports = Ports()
    web = ("\n[api t]\ncalls = read\ntoken = " + "t" * 40 + f"\n[web]\nlisten = http://127.0.0.1:{ports.web}\nroot = {ROOT}/apps/chat/web\n"
           f"register_address = 127.0.0.1:{ports.registry}\n" + keys("required", ca, member))
    server = site(conf(ports, keys("required", ca, member), web=web)).start(ports.port, ports.web)
    assert echoes(ports.port, b"x" * 100)
    rows = [line for line in server.command("connections").stdout.splitlines() if "wire" in line]
    assert rows and all("tls" in row for row in rows), rows

    # The HTTP API's links, and the command below, are made the same way.
    done = subprocess.run(["curl", "-sS", "-H", "Authorization: Bearer " + "t" * 40,
                           f"http://127.0.0.1:{ports.web}/api/count"], capture_output=True, text=True)
    assert '"clients":0' in done.stdout, done

    # Plain peers are turned away by both ports, with a line that says why.
    assert is_refused(ports.registry, REGISTRY_LINE)
    assert is_refused(ports.inner, wire.pack(CLIENT_CONNECT, body=b'{"secret_key":""}'))
    wait_until(lambda: server.log().count("speaks without TLS") >= 2 or server.output().count("speaks without TLS") >= 2,
               what="lines about the peers without TLS\n" + server.output())

    # Members are let in.
    with over_tls(ports.registry, ca, member) as s:
        s.sendall(REGISTRY_LINE)
        assert json.loads(s.recv(4096))["addresses"] == [f"127.0.0.1:{ports.inner}"]
    with over_tls(ports.inner, ca, member) as s:
        assert ask(wire.Peer(s)) == b"i:0;"

    # The command line: as the config says, by options, without.
    files = ("--tls-ca", ca.pem, "--tls-cert", member[0], "--tls-key", member[1])
    where = ("--registry", f"127.0.0.1:{ports.registry}")
    for args in (("-c", server.conf), (*where, *files), (*where, *files, "--tls-name", "member.test")):
        done = push(*args, "--all", "hello")
        assert (done.returncode, done.stderr) == (0, ""), done
    for args in (where, (*where, *files, "--tls-name", "nobody.test"), (*where, *files[:4]),
                 (*where, "--tls-ca", ca.pem, "--tls-cert", member[0], "--tls-key", ca.pem)):
        done = push(*args, "--timeout", "5", "--all", "hello")
        assert done.returncode == 1 and done.stderr, done
    server.stop()


def test_peers_without_the_right_certificate(site, ca, member, stranger):
    """A worker of another CA, one that trusts another CA, one without the name: none gets through, each is told of."""
    other, pair = stranger
    ports = Ports()
    server = site(conf(ports, keys("required", ca, member), worker=keys("required", ca, pair)))
    server.process = None
    with open(server.out, "ab") as out:
        server.process = subprocess.Popen([str(BINARY), "start", "-c", str(server.conf)], stdin=subprocess.DEVNULL,
                                          stdout=out, stderr=subprocess.STDOUT)
    text = lambda: server.output() + server.log()
    wait_until(lambda: "no TLS connection: unable to get" in text() or "no TLS connection: self" in text(),
               what="the registry's line about a certificate of another CA")
    wait_until(lambda: "TLS ended by the other side" in text(), what="the worker's line about it")
    assert "secret_key is another one" not in text(), text()

    def refused(context_pair, trust):
        try:
            with over_tls(ports.inner, trust, context_pair) as s:
                ask(wire.Peer(s))
        except (ssl.SSLError, ConnectionError):
            return True
        return False

    assert refused(pair, ca)  # theirs is of another CA
    assert refused(member, other)  # ours is to them
    assert not refused(member, ca)
    # Without any certificate.
    context = ssl.create_default_context(cafile=str(ca.pem))

    def is_told():  # such lines come at a limited rate
        with pytest.raises((ssl.SSLError, ConnectionError)):
            raw = socket.create_connection(("127.0.0.1", ports.inner), timeout=10 * SLOW)
            with context.wrap_socket(raw, server_hostname="127.0.0.1") as s:
                ask(wire.Peer(s))
        return "peer did not return a certificate" in text()

    wait_until(is_told, what="a line about the missing certificate")
    server.stop()


def test_name(site, ca, member):
    """With inner_tls_name both sides must show that name, whatever address is dialled."""
    nameless = ca.issue("nameless", "else.test")
    ports = Ports()
    server = site(conf(ports, keys("required", ca, member, "member.test"))).start(ports.port)
    assert echoes(ports.port)
    with over_tls(ports.inner, ca, member) as s:
        assert ask(wire.Peer(s)) == b"i:0;"
    with pytest.raises((ssl.SSLError, ConnectionError)):
        with over_tls(ports.inner, ca, nameless) as s:
            ask(wire.Peer(s))
    wait_until(lambda: "hostname mismatch" in (server.output() + server.log()).lower(), what="a line about the name")
    server.stop()


def test_optional(site, ca, member):
    """Our own parts talk in TLS, and peers that know none, PHP ones for instance, are served beside them."""
    ports = Ports()
    server = site(conf(ports, keys("optional", ca, member))).start(ports.port)
    assert echoes(ports.port)
    rows = [line for line in server.command("connections").stdout.splitlines() if "wire" in line]
    assert rows and all("tls" in row for row in rows), rows
    with socket.create_connection(("127.0.0.1", ports.registry), timeout=10 * SLOW) as s:
        for byte in REGISTRY_LINE:
            s.sendall(bytes([byte]))
        assert json.loads(s.recv(4096))["addresses"] == [f"127.0.0.1:{ports.inner}"]
    peer = wire.Peer.connect(ports.inner, 10 * SLOW)
    assert ask(peer) == b"i:0;"
    peer.close()
    with over_tls(ports.inner, ca, member) as s:
        assert ask(wire.Peer(s)) == b"i:0;"
    done = push("--registry", f"127.0.0.1:{ports.registry}", "--all", "hello")
    assert (done.returncode, done.stderr) == (0, ""), done
    server.stop()


@php.needs_php
def test_the_original_beside_ours(site, ca, member, tmp_path):
    """GatewayClient in PHP knows no TLS; where that is optional it works as ever, and hears of a client."""
    ports = Ports()
    server = site(conf(ports, keys("optional", ca, member))).start(ports.port)
    client = php.GatewayClient(tmp_path / "php", ports.registry)
    try:
        assert client.call("Gateway::getAllClientIdCount()") == (b"i:0;", None)
        with socket.create_connection(("127.0.0.1", ports.port), timeout=20 * SLOW) as s:
            s.sendall(ws.handshake(ports.port))
            assert s.recv(4096).startswith(b"HTTP/1.1 101")
            assert client.call("Gateway::getAllClientIdCount()") == (b"i:1;", None)
            client.call("Gateway::sendToAll('from PHP')")
            assert b"from PHP" in s.recv(4096)
    finally:
        client.close()
    server.stop()


def test_new_certificates_by_reload(site, ca, tmp_path):
    """The ports show a renewed certificate after a reload; a broken one changes nothing."""
    into = (tmp_path / "host.pem", tmp_path / "host.key")
    pair = ca.issue("first", "member.test", into=into)
    ports = Ports()
    server = site(conf(ports, keys("required", ca, pair))).start(ports.port)

    def shown(port):
        with over_tls(port, ca, pair) as s:
            return dict(x[0] for x in s.getpeercert()["subject"])["commonName"]

    assert [shown(p) for p in (ports.registry, ports.inner)] == ["first", "first"]
    ca.issue("second", "member.test", into=into)
    assert server.command("reload").returncode == 0
    for port in (ports.registry, ports.inner):
        wait_until(lambda: shown(port) == "second", what="the renewed certificate")
    assert echoes(ports.port)
    good = into[0].read_bytes()
    into[0].write_text("no certificate")
    assert server.command("reload").returncode != 0
    into[0].write_bytes(good)
    assert shown(ports.inner) == "second"
    assert echoes(ports.port)
    server.stop()


@pytest.mark.parametrize("lines, complaint", [
    ("inner_tls = required\n", "needs inner_tls_cert, inner_tls_key and inner_tls_ca"),
    ("inner_tls_name = x\n", "is off, so the other"),
    ("inner_tls = required\ninner_tls_cert = no.pem\ninner_tls_key = no.key\ninner_tls_ca = no.pem\n", "No such file"),
])
def test_check(site, lines, complaint):
    ports = Ports()
    done = site(conf(ports, lines)).command("check")
    assert done.returncode == 1 and complaint in done.stdout + done.stderr, done
