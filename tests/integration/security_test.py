"""The threats of docs/security.md that no other scenario tries: each test names its own."""

import base64
import json
import os
import pathlib
import pwd
import shutil
import socket
import stat
import struct
import subprocess
import tempfile

import certs
import pytest
import wire
import ws
from harness import BINARY, ROOT, SLOW, Ports, Site, chat_conf, free_ports, wait_until
from ws_strict_test import answer

ECHO = ROOT / "examples" / "echo" / "echo.c"
INJECTOR = ROOT / "tests/integration/modules/injector.c"
DOORMAN = ROOT / "tests/integration/modules/doorman.c"
SECRET = "only-registry-gateways-and-workers-know"
TOKEN = "bearer-of-the-http-api-0123456789"
AUTH_KEY = "signs-tokens-of-handshakes-0123456789"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")


def conf(ports, events=ECHO, gateway="", master="", worker="", web="",
         api=f"token = {TOKEN}"):
    key = f"secret_key = {SECRET}\n"
    text = chat_conf(events=events, registry=ports.registry, port=ports.port, inner=ports.inner, web=ports.web,
                     gateway=key + gateway, worker=key + worker, master=master)
    text = text.replace(f"listen = text://127.0.0.1:{ports.registry}\n", f"listen = text://127.0.0.1:{ports.registry}\n{key}")
    return text + f"{key}register_address = 127.0.0.1:{ports.registry}\n{web}\n[api a]\ncalls = *\n{api}\n"


def http(port, text, timeout=20):
    """Everything that is answered until the connection ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout * SLOW) as s:
        s.sendall(text.encode() if isinstance(text, str) else text)
        data = b""
        try:
            while more := s.recv(65536):
                data += more
        except ConnectionError:
            pass
    return data


def call_api(port, method="GET", path="/api/count", body="", token=TOKEN):
    return http(port, f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n"
                      f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}")


def echoes(port):
    with socket.create_connection(("127.0.0.1", port), timeout=20 * SLOW) as s:
        s.sendall(ws.handshake(port))
        data = b""
        while b"\r\n\r\n" not in data:
            data += s.recv(1)
        s.sendall(ws.frame(b"hello"))
        data = b""
        while len(data) < 7:
            more = s.recv(100)
            assert more, data
            data += more
    return data[2:] == b"hello"


# ---- who takes a process over ----


def has_sandbox(folder):
    probe = Site(folder, "[master]\nsandbox = on\n[registry]\nlisten = text://127.0.0.1:1\n")
    return probe.command("check").returncode == 0


def confinement(pid):
    fields = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
                  if ":\t" in line)
    return fields["Seccomp"], fields["NoNewPrivs"]


def test_processes_are_confined_and_not_hurt(site, tmp_path):
    """Each role runs under its filter, and goes on under it through names, TLS, log, certificates, reload and drain. (At
    every stop the harness looks for refused calls in the log, after all other scenarios as well.)"""
    if not has_sandbox(tmp_path / "probe"):
        pytest.skip("no sandbox in this build")
    ports = Ports()
    ca = certs.Authority(tmp_path / "ca")
    cert, key = ca.issue("server", "localhost")
    inner = f"inner_tls = optional\ninner_tls_cert = {cert}\ninner_tls_key = {key}\ninner_tls_ca = {ca.pem}\n"
    text = conf(ports, master="sandbox = on", gateway=f"{inner}\nsse = true\n", web=inner)
    text = text.replace(f"register_address = 127.0.0.1:{ports.registry}", f"register_address = localhost:{ports.registry}")
    text = text.replace("[worker chat]", f"[worker chat]\n{inner}").replace("[registry]", f"[registry]\n{inner}")
    server = site(text).start(ports.port, ports.web)
    kinds = [(row["kind"], row["pid"]) for row in server.status()["processes"]]
    assert {kind for kind, _ in kinds} == {"registry", "gateway", "worker", "web"}
    for kind, pid in kinds:
        assert confinement(pid) == ("2", "1"), kind
    assert echoes(ports.port)
    assert b'"clients":' in call_api(ports.web)
    assert b" 200 " in http(ports.web, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    log = next(server.folder.rglob("*.log"))
    log.rename(log.with_name("old.log"))
    ca.issue("server", "localhost", into=(cert, key))
    assert server.command("reload").returncode == 0
    wait_until(log.exists, what="a new log")
    assert echoes(ports.port)
    assert server.command("stop", "-g").returncode == 0
    server.stop()


def test_a_sandbox_that_only_logs(site, tmp_path):
    """The same filters, of which nothing is felt; tests/unit/proc/sandbox_test.c looks for what the kernel writes down."""
    if not has_sandbox(tmp_path / "probe"):
        pytest.skip("no sandbox in this build")
    ports = Ports()
    server = site(conf(ports, master="sandbox = log")).start(ports.port, ports.web)
    rows = server.status()["processes"]
    assert {confinement(row["pid"]) for row in rows} == {("2", "1")}
    assert echoes(ports.port)
    assert server.command("reload").returncode == 0
    assert echoes(ports.port)
    assert {row["pid"] for row in rows if row["kind"] != "worker"} <= {row["pid"] for row in server.status()["processes"]}
    server.stop()


def test_sandbox_off(site):
    ports = Ports()
    server = site(conf(ports, master="sandbox = off")).start(ports.port)
    assert {confinement(pid) for kind in ("gateway", "worker") for pid in server.pids(kind)} == {("0", "1")}
    server.stop()


# ---- who reads what is lying about ----


def test_secrets_are_in_no_log_status_or_title(site, tmp_path):
    """Keys of every kind, shown rightly and wrongly at every door; then everything that others may read is searched."""
    ports = Ports()
    key_file = tmp_path / "auth.key"
    key_file.write_text(AUTH_KEY)
    guess = "guess-of-somebody-0123456789-0123456789"
    server = site(conf(ports, events=DOORMAN, master="log_level = debug",
                       gateway=f"auth = hmac\nauth_key_file = {key_file}\n")).start(ports.port, ports.web)
    # Wrong keys at the registry, the inner port, the API, the handshake and the command line.
    http(ports.registry, json.dumps({"event": "worker_connect", "secret_key": guess}) + "\n")
    http(ports.registry, f'{{"event":"gateway_connect","address":"1.2.3.4:5","secret_key":"{guess}"}}\n')
    http(ports.inner, wire.pack(202, body=json.dumps({"secret_key": guess}).encode()))
    http(ports.inner, wire.pack(200, body=json.dumps({"worker_key": "w", "secret_key": guess}).encode()))
    assert b" 401 " in call_api(ports.web, token=guess)
    assert b" 401 " in answer(ports.port, ws.handshake(ports.port, f"/?who=me&token=u.99999999999.{guess}", ""))
    for secret, code in ((guess, 1), (SECRET, 0)):
        done = subprocess.run([str(BINARY), "query", "--registry", f"127.0.0.1:{ports.registry}", "count"], text=True,
                              capture_output=True, env={**os.environ, "GATEHOUSE_SECRET": secret}, timeout=60 * SLOW)
        assert done.returncode == code, done
        assert secret not in done.stdout + done.stderr
    # Right ones, through calls that fail for another reason.
    peer = wire.Peer.connect(ports.inner, 10 * SLOW)
    peer.send(wire.pack(202, body=json.dumps({"secret_key": SECRET}).encode()) + wire.pack(99))
    peer.is_closed()
    peer.close()
    assert b" 404 " in call_api(ports.web, path="/api/nothing")
    # A key that is no key, named by check.
    broken = Site(tmp_path / "broken", server.conf.read_text().replace(f"token = {TOKEN}", f"token = {TOKEN} x"))
    done = broken.command("check")
    assert done.returncode == 1 and TOKEN not in done.stdout + done.stderr, done
    shown = [server.log(), server.output(), server.command("status").stdout, server.command("status", "--json").stdout,
             server.command("connections").stdout]
    pids = [server.process.pid] + [row["pid"] for row in server.status()["processes"]]
    shown += [pathlib.Path(f"/proc/{pid}/{name}").read_text(errors="replace") for pid in pids for name in ("cmdline", "comm")]
    for secret in (SECRET, TOKEN, AUTH_KEY, guess):
        for text in shown:
            assert secret not in text and base64.b64encode(secret.encode()).decode() not in text
    server.stop()


@pytest.fixture
def open_folder():
    """A folder that every user may enter, which those of pytest and of a whole run are not."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-test-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@needs_root
def test_keys_for_root_alone_serve_another_user(open_folder, monkeypatch):
    """auth_key_file, token_file and private keys are read before the processes become another user."""
    ports, folder = Ports(), open_folder
    # That user compiles the module, and may not be able to enter the source tree.
    shutil.copy(DOORMAN, folder)
    shutil.copytree(ROOT / "include", folder / "include")
    monkeypatch.setenv("GATEHOUSE_INCLUDE", str(folder / "include"))
    ca = certs.Authority(folder / "ca")
    cert, key = ca.issue("server", "localhost")
    (folder / "www").mkdir()
    for name, content in (("auth.key", AUTH_KEY), ("token", TOKEN), ("www/index.html", "hello")):
        (folder / name).write_text(content)
    for path in (folder / "auth.key", folder / "token", key):
        path.chmod(0o600)
    tls = f"inner_tls = required\ninner_tls_cert = {cert}\ninner_tls_key = {key}\ninner_tls_ca = {ca.pem}\n"
    text = conf(ports, events=folder / DOORMAN.name, master="user = nobody", api=f"token_file = {folder}/token", web=tls,
                gateway=f"{tls}auth = hmac\nauth_key_file = {folder}/auth.key\n", worker=tls)
    text = text.replace("[registry]", f"[registry]\n{tls}").replace(f"root = {ROOT}/apps/chat/web", f"root = {folder}/www")
    server = Site(folder / "site", text).start(ports.port, ports.web)
    try:
        uid = str(pwd.getpwnam("nobody").pw_uid)
        for row in server.status()["processes"]:
            lines = pathlib.Path(f"/proc/{row['pid']}/status").read_text().splitlines()
            assert next(line for line in lines if line.startswith("Uid:")).split()[1:] == [uid] * 4, row
        assert b'"clients":' in call_api(ports.web)
        assert b" 401 " in answer(ports.port, ws.handshake(ports.port, "/?who=me&token=x", ""))
        (folder / "auth.key").write_text("short")  # a reload reads it again
        done = server.command("reload")
        assert done.returncode != 0 and "at least 32 bytes" in done.stdout + done.stderr, done
    finally:
        server.stop()


# ---- who writes where the server writes ----


def test_a_link_in_place_of_the_pid_file_is_not_followed(site, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    link = tmp_path / "shared.pid"
    link.symlink_to(victim)
    ports = Ports()
    done = site(conf(ports, master=f"pid_file = {link}")).command("start", "-d")
    assert done.returncode == 1 and "shared.pid" in done.stdout + done.stderr, done
    assert victim.read_text() == "precious"


def test_the_control_socket_is_for_its_user(site):
    ports = Ports()
    server = site(conf(ports)).start(ports.port)
    sock = next(p for p in server.folder.rglob("*.sock"))
    assert stat.S_IMODE(sock.stat().st_mode) == 0o600
    for log in server.folder.rglob("*.log"):
        assert not stat.S_IMODE(log.stat().st_mode) & 0o007, log
    if os.geteuid() == 0:
        pid = os.fork()
        if pid == 0:
            os.setuid(pwd.getpwnam("nobody").pw_uid)
            s = socket.socket(socket.AF_UNIX)
            try:
                s.connect(str(sock))
            except OSError:
                os._exit(0)
            os._exit(1)
        assert os.waitpid(pid, 0)[1] == 0
    server.stop()


# ---- who reaches an inner port without the key ----


def memory_kb(pid):
    return int(next(line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
                    if line.startswith("VmRSS")).split()[1])


def test_strangers_are_heard_for_a_few_bytes_only(site):
    """Before the key is shown, a packet or line above 16 KiB ends the connection by its announcement, and a command that
    is no greeting ends it too."""
    ports = Ports()
    server = site(conf(ports)).start(ports.port)
    pid = server.pids("gateway")[0]
    before = memory_kb(pid)
    for head in (struct.pack(">IB", 1 << 28, 202), struct.pack(">IB", 16 * 1024 + 1, 200), struct.pack(">IB", 5, 200)):
        assert http(ports.inner, head) == b""
    for cmd in (11, 16, 25, 209, 220, 222):
        assert http(ports.inner, wire.pack(cmd)) == b"", cmd
    assert len(http(ports.registry, b"x" * 40000)) < 2048
    # And many of them at once, each just below the limit, for whatever the gateway keeps of them.
    half = struct.pack(">IB", 16 * 1024, 202) + b" " * 8000
    many = [socket.create_connection(("127.0.0.1", ports.inner)) for _ in range(100)]
    for s in many:
        s.sendall(half)
    assert echoes(ports.port)
    assert memory_kb(pid) - before < 64 * 1024
    for s in many:
        s.close()
    server.stop()


# ---- what is said in two ways, or nested without end ----


FRAMINGS = ("Content-Length: 2\r\nContent-Length: 30", "Content-Length: 2\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding: xchunked", "Content-Length: +2",
            "Content-Length : 2", "X: a\r\n Content-Length: 2")


def test_no_smuggling_past_the_http_api(site):
    ports = Ports()
    server = site(conf(ports)).start(ports.port, ports.web)
    hidden = f"GET /api/count HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    for framing in FRAMINGS:
        got = http(ports.web, f"POST /api/send HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
                              f"Content-Type: application/json\r\n{framing}\r\n\r\n{{}}{hidden}")
        assert got.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 501 ")), (framing, got)
        assert got.count(b"HTTP/1.1 ") == 1 and b'"clients"' not in got, (framing, got)
    server.stop()


def test_deep_values_end_nothing_but_their_call(site):
    """JSON to the API and PHP values to the inner port, nested far deeper than a stack bears."""
    ports = Ports()
    server = site(conf(ports)).start(ports.port, ports.web)
    before = server.pids("gateway") + server.pids("web")
    deep = "[" * 200000 + "]" * 200000
    for body in (deep, '{"all":true,"message":"x","client":' + deep + "}"):
        assert call_api(ports.web, "POST", "/api/send", body).split(b" ")[1] in (b"400", b"413")
    peer = wire.Peer.connect(ports.inner, 10 * SLOW)
    nested = b"a:1:{i:0;" * 100000 + b"N;" + b"}" * 100000
    peer.send(wire.pack(202, body=json.dumps({"secret_key": SECRET}).encode())
              + wire.pack(203, connection_id=1, ext=nested) + wire.pack(25, ext=deep.encode(), flag=0, body=nested))
    peer.is_closed()
    peer.close()
    assert echoes(ports.port)
    assert server.pids("gateway") + server.pids("web") == before
    server.stop()


# ---- what a module passes on ----


def test_modules_cannot_be_made_to_write_headers(site):
    """Whatever a client got into a redirect, a cookie or the name of an event stays in its line."""
    port = free_ports()
    server = site(f"[service s]\nlisten = http://127.0.0.1:{port}\nmodule = {INJECTOR}\n").start(port)
    got = http(port, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert b"7 refused" in got and b"X-Forged" not in got, got
    got = http(port, "GET /events HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    body = got.split(b"\r\n\r\n", 1)[1]
    assert b"data: 1 1\n" in body and b"data: event: forged\n" in body, body
    assert all(line.startswith(b"data: ") for line in body.strip().splitlines() if line), body
    server.stop()
