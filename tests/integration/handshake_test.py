"""Who may come in: the module's on_handshake, tokens by config; and goodbyes with codes, both ways."""

import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import struct
import subprocess
import time

import pytest
from harness import ROOT, SLOW, Ports, chat_conf
from ws import handshake
from ws_strict_test import CLOSE, TEXT, Wire, answer, goodbye, text

DOORMAN = ROOT / "tests/integration/modules/doorman.c"
ECHO = ROOT / "examples/echo/echo.c"
SECRET = "a secret that has more than 32 bytes"


def start(site, events, gateway="", **more):
    p = Ports(gateways=1)
    one = site(chat_conf(events=events, registry=p.registry, port=p.port, inner=p.inner, gateway=gateway, **more))
    one.start(p.port)
    return one, p


def ask(port, path, extra=""):
    """The answer to a handshake that is refused, with its status and text."""
    data = answer(port, handshake(port, path, extra))
    head, body = data.split(b"\r\n\r\n", 1)
    return int(head.split()[1]), body.decode().strip(), head.decode()


def come_in(port, path, extra=""):
    return Wire(port, extra, path)


# --- a module's word --------------------------------------------------------------------------------------------------

def test_module_judges(site):
    one, p = start(site, DOORMAN, "handshake_timeout = 1.5\n")
    assert ask(p.port, "/")[:2] == (401, "Say who you are.")
    assert "WWW-Authenticate: Bearer" in ask(p.port, "/")[2]
    assert ask(p.port, "/?who=banned")[:2] == (403, "Not you.")
    assert ask(p.port, "/?who=odd")[0] == 403

    door = come_in(p.port, "/?who=me", "Sec-WebSocket-Protocol: other, doorman.v1\r\n")
    assert "X-Doorman: 1 1" in door.head and "X-Worse" not in door.head and "h2c" not in door.head
    assert "Sec-WebSocket-Protocol: doorman.v1" in door.head
    assert door.told() == (TEXT, b"welcome doorman.v1")
    door.close()

    before = time.monotonic()
    slow = come_in(p.port, "/?who=slow")
    assert time.monotonic() - before >= 0.3
    assert slow.told() == (TEXT, b"welcome -")
    slow.close()
    before = time.monotonic()
    status, body, _ = ask(p.port, "/?who=silent")
    assert status == 503 and body
    assert 1.2 < time.monotonic() - before < 2.5 * SLOW


def test_what_is_sent_before_the_answer_waits(site):
    """A client that does not wait for the 101, and one that goes away meanwhile."""
    one, p = start(site, DOORMAN)
    with socket.create_connection(("127.0.0.1", p.port), timeout=10 * SLOW) as s:
        s.sendall(handshake(p.port, "/?who=slow") + text(b"early"))
        data = b""
        while b"early" not in data:
            more = s.recv(65536)
            assert more, data
            data += more
    assert data.index(b" 101 ") < data.index(b"welcome") < data.index(b"early")
    with socket.create_connection(("127.0.0.1", p.port), timeout=10 * SLOW) as s:
        s.sendall(handshake(p.port, "/?who=slow"))
    door = come_in(p.port, "/?who=me")
    assert door.told() == (TEXT, b"welcome -")
    door.close()


def read_until(s, end):
    data = b""
    while end not in data:
        more = s.recv(65536)
        assert more, data
        data += more
    return data


def test_the_judge_dies(site):
    """Its verdict never comes: 503 in time, and the next client meets the next worker."""
    one, p = start(site, DOORMAN, "handshake_timeout = 1.5\n")
    with socket.create_connection(("127.0.0.1", p.port), timeout=10 * SLOW) as s:
        s.sendall(handshake(p.port, "/?who=silent"))
        time.sleep(0.3)
        os.kill(one.pids("worker")[0], signal.SIGKILL)
        assert read_until(s, b"\n").startswith(b"HTTP/1.1 503 ")
    door = come_in(p.port, "/?who=me")
    assert door.told() == (TEXT, b"welcome -")
    door.close()


def test_reload_meanwhile(site):
    """The old worker finishes what it has begun to judge."""
    one, p = start(site, DOORMAN)
    with socket.create_connection(("127.0.0.1", p.port), timeout=10 * SLOW) as s:
        s.sendall(handshake(p.port, "/?who=slow"))
        assert one.command("reload").returncode == 0
        assert read_until(s, b"welcome").startswith(b"HTTP/1.1 101 ")
        s.sendall(text(b"still here"))
        read_until(s, b"still here")


def test_auth_by_worker_needs_one_that_judges(site):
    one, p = start(site, ECHO, "auth = worker\n")
    status, body, _ = ask(p.port, "/?who=me")
    assert (status, bool(body)) == (503, True)


def test_modules_without_the_callback_are_not_asked(site):
    one, p = start(site, ECHO)
    wire = Wire(p.port)
    wire.send(text(b"hi"))
    assert wire.told() == (TEXT, b"hi")
    wire.close()


# --- goodbyes ---------------------------------------------------------------------------------------------------------

def test_codes_both_ways(site):
    one, p = start(site, DOORMAN)
    watcher = come_in(p.port, "/?who=watcher")
    assert watcher.told() == (TEXT, b"welcome -")

    def come():
        door = come_in(p.port, "/?who=me")
        assert door.told() == (TEXT, b"welcome -")
        return door

    door = come()
    door.send(goodbye(4001, "tschüß".encode()))
    assert door.told() == (CLOSE, 4001)
    assert watcher.told() == (TEXT, "gone 4001 tschüß".encode())
    door.close()
    door = come()
    door.send(b"\x88\x80\0\0\0\0")
    assert watcher.told() == (TEXT, b"gone 1005 ")
    door.close()
    come().close()  # the end of TCP without a word
    assert watcher.told() == (TEXT, b"gone 1006 ")

    door = come()
    door.send(text("close 4002 enough für heute".encode()))
    first, payload = door.frame()
    assert first == 0x88 and payload == struct.pack(">H", 4002) + "enough für heute".encode()
    assert watcher.told() == (TEXT, b"gone 1006 ")
    door.send(goodbye(4002))
    assert door.told() == "end"
    door.close()
    door = come()
    for bad in (b"close 1005 x", b"close 999 x", b"close 4000 " + b"x" * 124):
        door.send(text(bad))
        assert door.told()[0] == TEXT  # the error's text
    door.close()
    watcher.close()


# --- tokens -----------------------------------------------------------------------------------------------------------

def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(claims, alg="HS256", sign=None, header=None):
    head = {"typ": "JWT", "alg": alg, **(header or {})}
    signed = b64(json.dumps(head).encode()) + "." + b64(json.dumps(claims).encode())
    sign = sign or (lambda data: hmac.new(SECRET.encode(), data, hashlib.sha256).digest())
    return signed + "." + b64(sign(signed.encode()))


def in_an_hour():
    return int(time.time()) + 3600


def claims_of(port, path="/", extra=""):
    door = come_in(port, path, extra)
    door.send(text(b"session"))
    while True:  # behind the welcome, and what is told about clients that went before
        kind, message = door.told()
        if message.startswith(b"{"):
            door.close()
            return json.loads(message)


def test_jwt(site):
    one, p = start(site, DOORMAN, f"""auth = jwt
auth_key = {SECRET}
auth_from = query:token
auth_from = header:Authorization
auth_from = cookie:session
auth_audience = chat
auth_uid_claim = sub
""")
    good = {"sub": "user-7", "aud": ["web", "chat"], "exp": in_an_hour(), "name": "Jürgen", "roles": [1, {"a": None}]}
    token = jwt(good)
    assert claims_of(p.port, f"/?who=me&token={token}") == good
    assert claims_of(p.port, "/?who=me", f"Authorization: Bearer {token}\r\n") == good
    assert claims_of(p.port, "/?who=me", f"Cookie: a=b; session={token}\r\n") == good
    assert ask(p.port, f"/?token={token}")[:2] == (401, "Say who you are.")  # the module has its say, too

    def refused(claims, status=401, **how):
        got = ask(p.port, f"/?who=me&token={jwt(claims, **how)}")
        assert got[0] == status and got[1], got
        return got[1]

    assert ask(p.port, "/?who=me")[0] == 401
    assert ask(p.port, "/?who=me&token=a.b.c")[0] == 401
    assert "signature" in refused(good, sign=lambda data: bytes(32))
    assert "expired" in refused({**good, "exp": int(time.time()) - 1})
    assert "not valid yet" in refused({**good, "nbf": in_an_hour()})
    assert "aud" in refused({**good, "aud": "other"})
    assert "exp" in refused({"sub": "a", "aud": "chat"})
    refused(good, alg="none", sign=lambda data: b"")
    refused(good, alg="HS512")
    refused(good, header={"crit": ["exp"]})
    refused({"aud": "chat", "exp": in_an_hour()}, status=403)  # no sub
    assert "a secret" not in one.log() and token not in one.log()


def openssl(*args, data=None):
    return subprocess.run(["openssl", *args], input=data, capture_output=True, check=True).stdout


@pytest.mark.parametrize("alg,kind", [
    ("RS256", ["RSA", "-pkeyopt", "rsa_keygen_bits:2048"]), ("ES256", ["EC", "-pkeyopt", "ec_paramgen_curve:P-256"])])
def test_jwt_by_public_key(site, tmp_path, alg, kind):
    private, public = tmp_path / "private.pem", tmp_path / "public.pem"
    openssl("genpkey", "-algorithm", *kind, "-out", str(private))
    openssl("pkey", "-in", str(private), "-pubout", "-out", str(public))

    def sign(data):
        der = openssl("dgst", "-sha256", "-sign", str(private), data=data)
        if alg == "RS256":
            return der
        numbers, at = [], 2  # SEQUENCE { INTEGER r, INTEGER s }
        for _ in range(2):
            n = der[at + 1]
            numbers.append(int.from_bytes(der[at + 2:at + 2 + n], "big"))
            at += 2 + n
        return b"".join(n.to_bytes(32, "big") for n in numbers)

    one, p = start(site, DOORMAN, f"auth = jwt\nauth_key_file = {public}\n")
    good = {"exp": in_an_hour()}
    assert claims_of(p.port, f"/?who=me&token={jwt(good, alg, sign)}") == good
    assert ask(p.port, f"/?who=me&token={jwt(good, alg, lambda d: sign(d + b'x'))}")[0] == 401
    # the public key as a secret, the oldest of tricks
    trick = jwt(good, "HS256", lambda d: hmac.new(public.read_bytes(), d, hashlib.sha256).digest())
    assert ask(p.port, f"/?who=me&token={trick}")[0] == 401


def test_hmac(site):
    one, p = start(site, DOORMAN, f"auth = hmac\nauth_key = {SECRET}\nauth_uid_claim = sub\n")

    def token(uid, expires):
        signed = f"{uid}.{expires}"
        return f"{signed}.{hmac.new(SECRET.encode(), signed.encode(), hashlib.sha256).hexdigest()}"

    end = in_an_hour()
    assert claims_of(p.port, f"/?who=me&token={token('a.b', end)}") == {"exp": end, "sub": "a.b"}
    assert ask(p.port, f"/?who=me&token={token('a', 1)}")[:2] == (401, "The token has expired.")
    good = token("a", end)
    last = "1" if good[-1] == "0" else "0"
    assert ask(p.port, f"/?who=me&token={good[:-1]}{last}")[0] == 401
    assert ask(p.port, f"/?who=me&token=b{token('a', end)}")[0] == 401
    assert ask(p.port, f"/?who=me&token={end}")[0] == 401


@pytest.mark.parametrize("lines,complaint", [
    ("auth = jwt", "auth_key"), ("auth = hmac\nauth_key = short", "32 bytes"), ("auth = none\nauth_from = body:x", "auth_from"),
    ("subprotocol = a b", "subprotocol"), ("deflate_window_bits = 8", "deflate_window_bits")])
def test_bad_keys_of_config(site, lines, complaint):
    p = Ports(gateways=1)
    one = site(chat_conf(events=ECHO, registry=p.registry, port=p.port, inner=p.inner, gateway=lines))
    done = one.command("check")
    assert done.returncode != 0
    assert complaint in done.stdout + done.stderr
