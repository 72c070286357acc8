"""A site with the HTTP API, and who calls it."""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import urllib.parse

import pytest

from cluster import Cluster
from harness import ROOT, SLOW, free_ports, wait_until
from openapi import Document

ADMIN, READER, NEWS, SLOWLY = ("token-of-" + n.ljust(16, "x") for n in ("admin", "reader", "news", "slowly"))
DOCUMENT = Document()


class Api:
    """A cluster with a web role; its calls are checked against docs/openapi.json."""

    def __init__(self, site, tmp_path, web="", keys="", secret="s3cret \"/é"):
        self.port = free_ports()
        token_file = tmp_path / "news.token"
        token_file.write_text(NEWS + "\n")
        os.environ["API_TEST_TOKEN"] = READER
        text = f"""
[web]
listen = http://127.0.0.1:{self.port}
root = {ROOT}/apps/chat/web
secret_key = {secret}
{web}
[api admin]
token = {ADMIN}
calls = *
rate = 0
[api reader]
token = ${{API_TEST_TOKEN}}
calls = read
[api news]
token_file = {token_file}
calls = send, join, groups, online
calls = kick
groups = news-*, sport
[api slowly]
token = {SLOWLY}
calls = count
rate = 2
{keys}
"""

        def make(conf):
            register = next(line for line in conf.splitlines() if line.startswith("register_address"))
            return site(conf + text.replace("[api admin]", register + "\n[api admin]", 1))

        self.cluster = Cluster(make, secret)
        wait_until(lambda: self.is_up(), what="the web role")
        self.join = self.cluster.join

    def is_up(self):
        with socket.socket() as s:
            return s.connect_ex(("127.0.0.1", self.port)) == 0

    def raw(self, method, target, body=None, headers=None, timeout=30):
        """Status, headers, bytes."""
        conn = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout * SLOW)
        conn.request(method, target, body=body, headers=headers or {})
        answer = conn.getresponse()
        data = answer.read()
        conn.close()
        return answer.status, answer.headers, data

    def ask(self, method, path, body=None, token=ADMIN, query=None):
        """Status and value; the answer fits the document."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        target = path + ("?" + urllib.parse.urlencode(query, doseq=True) if query else "")
        status, got, data = self.raw(method, target, None if body is None else json.dumps(body), headers)
        assert got["Content-Type"] == "application/json" and got["Cache-Control"] == "no-store"
        value = json.loads(data)
        DOCUMENT.check(DOCUMENT.answer(path, method, status), value)
        return status, value

    async def post(self, call, token=ADMIN, **body):
        return await asyncio.to_thread(self.ask, "POST", f"/api/{call}", body, token)

    async def get(self, call, token=ADMIN, **query):
        return await asyncio.to_thread(self.ask, "GET", f"/api/{call}", None, token, query)

    @contextlib.contextmanager
    def stopped(self, names):
        """Meanwhile the processes of these gateways do not run."""
        pids = [self.cluster.server.pids("gateway")["ab".index(name)] for name in names]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)


@pytest.fixture
def api(site, tmp_path):
    return Api(site, tmp_path)


def fault(answer):
    """Status, code and field of an error."""
    status, value = answer
    return status, value["error"]["code"], value["error"].get("field")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One server for the tests that change nothing in it."""
    import harness
    made = []
    folder = tmp_path_factory.mktemp("shared")

    def site(text):
        made.append(harness.Site(folder / "site", text))
        return made[-1]

    yield Api(site, folder, web="api_origin = https://app.example\nbody_timeout = 0.5\napi_max_body = 64k")
    made[0].stop(expect=None)


def talk(port, data, timeout=20):
    """Sends bytes and reads until the other side closes."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout * SLOW) as s:
        s.sendall(data)
        out = b""
        while chunk := s.recv(65536):
            out += chunk
        return out


def request(body, path="/api/send", more="", method="POST", close=False):
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = (f"{method} {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {ADMIN}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(text)}\r\n{more}" + ("Connection: close\r\n" if close else ""))
    return head.encode() + b"\r\n" + text
