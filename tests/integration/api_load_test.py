"""The HTTP API under load and beside gateways that hang: bodies, pipelines, calls under way, ends."""

import asyncio
import contextlib
import os
import signal
import socket
import time

from api_site import ADMIN, Api, api, fault, request, shared, talk  # noqa: F401 (fixtures are used by name)
from harness import SLOW, wait_until


def test_bodies_slow_large_and_chunked(shared):
    port = shared.port
    began = time.monotonic()
    slow = talk(port, request({"uid": "1", "message": "x"})[:-3])
    assert slow.startswith(b"HTTP/1.1 408 ") and b'"too_slow"' in slow and time.monotonic() - began < 5 * SLOW

    # Known to be too large: refused before it is read. Not known: as soon as it is.
    large = request(b" " * 70000)
    assert talk(port, large + b"GET /health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").startswith(b"HTTP/1.1 413 ")
    head = request(b"", more="Transfer-Encoding: chunked\r\n").replace(b"Content-Length: 0\r\n", b"")
    answer = talk(port, head + b"10000\r\n" + b" " * 65536 + b"\r\n1\r\n \r\n0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ") and b"Connection: close" in answer
    body = b'{"uid":"1","message":"x"}'
    chunks = b"".join(b"%x\r\n%s\r\n" % (1, body[i:i + 1]) for i in range(len(body)))
    answer = talk(port, head + chunks + b"0\r\n\r\n" + request(body, close=True))
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    assert talk(port, head + b"zz\r\n").startswith(b"HTTP/1.1 400 ")

    # Who waits for a word before the body gets it, or the refusal instead.
    with socket.create_connection(("127.0.0.1", port), timeout=20 * SLOW) as s:
        whole = request(body, more="Expect: 100-continue\r\n", close=True)
        s.sendall(whole[:-len(body)])
        assert s.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        s.sendall(body)
        assert s.recv(4096).startswith(b"HTTP/1.1 200 OK")
    stranger = whole.replace(ADMIN.encode(), b"x" * len(ADMIN))[:-len(body)]
    answer = talk(port, stranger)
    assert answer.startswith(b"HTTP/1.1 401 ") and b"Connection: close" in answer


def test_pipelined_calls_are_answered_in_order(shared):
    """Calls that wait for gateways, pages and errors in one write: each answer in its turn."""
    parts, wanted = [], []
    for i in range(50):
        parts.append(request(b"", f"/api/uids?uid=u{i}", method="GET"))
        wanted.append(b'"u%d"' % i)
        parts.append(b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n")
        wanted.append(b"\r\n\r\nok")
        parts.append(request({"uid": "1", "message": "x", f"field{i}": 1}))
        wanted.append(b'"field%d"' % i)
    parts.append(request(b"", "/api/count", method="GET", close=True))
    wanted.append(b'"uids"')
    for size in (1 << 20, 100):
        with socket.create_connection(("127.0.0.1", shared.port), timeout=20 * SLOW) as s:
            data = b"".join(parts)
            for at in range(0, len(data), size):
                s.sendall(data[at:at + size])
            with s.makefile("rb") as stream:
                answers = stream.read().split(b"HTTP/1.1 ")[1:]
        assert len(answers) == len(wanted)
        for answer, want in zip(answers, wanted):
            assert want in answer, (want, answer)


def test_a_caller_who_leaves_does_not_matter(api):
    with api.stopped("ab"):
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", api.port)) as s:
                s.sendall(request(b"", "/api/online", method="GET"))
    assert api.ask("GET", "/api/count")[0] in (200, 207, 504)


@contextlib.contextmanager
def call_under_way(api):
    """A connection whose call waits for a gateway that does not run."""
    with api.stopped("b"), socket.create_connection(("127.0.0.1", api.port), timeout=30 * SLOW) as s:
        s.sendall(b"GET /health HTTP/1.1\r\nHost: h\r\n\r\n" + request(b"", "/api/online", method="GET"))
        with s.makefile("rb") as stream:
            while stream.readline() != b"\r\n":
                pass
            assert stream.read(2) == b"ok"  # both came in one turn: the call has begun
            yield stream


def test_a_process_that_drains_ends_its_calls(api):
    (pid,) = api.cluster.server.pids("web")
    with call_under_way(api) as stream:
        os.kill(pid, signal.SIGTERM)
        answer = stream.read()
    assert answer.startswith(b"HTTP/1.1 207 ") and b"Connection: close\r\n" in answer and b'"timeout"' in answer
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), what="the process is gone")
    api.cluster.server.stop()


def test_a_stop_does_not_wait_for_calls(api):
    (pid,) = api.cluster.server.pids("web")
    began = time.monotonic()
    with call_under_way(api) as stream:
        api.cluster.server.process.send_signal(signal.SIGTERM)
        assert stream.read() == b""
        wait_until(lambda: not os.path.exists(f"/proc/{pid}"), what="the process is gone")
        assert time.monotonic() - began < 4 * SLOW
    api.cluster.server.stop(expect=None)


def test_calls_under_way_are_bounded(site, tmp_path):
    api = Api(site, tmp_path, web="api_max_calls = 5")
    with api.stopped("ab"):
        sockets = [socket.create_connection(("127.0.0.1", api.port), timeout=30 * SLOW) for _ in range(12)]
        for s in sockets:
            s.sendall(request(b"", "/api/online", method="GET", close=True))
        began = time.monotonic()
        assert api.raw("GET", "/health")[0] == 200 and time.monotonic() - began < 2 * SLOW  # nobody else waits
        answers = [b"".join(iter(lambda s=s: s.recv(65536), b"")) for s in sockets]
        for s in sockets:
            s.close()
    starts = sorted(a[9:12] for a in answers)
    assert starts == [b"503"] * 7 + [b"504"] * 5, starts
    assert all(b"Retry-After: 1\r\n" in a for a in answers if a[9:12] == b"503")


def test_a_gateway_that_hangs_costs_its_own_share(api):
    async def scene():
        a1 = await api.join("a", uid="u", groups=["g"])
        b1 = await api.join("b", uid="u", groups=["g"])
        late = f"127.0.0.1:{api.cluster.inner['b']}"
        with api.stopped("b"):
            status, value = await api.post("send", uid="u", message="half")
            assert (status, value["receivers"]) == (207, 1)
            assert [(f["gateway"], f["code"]) for f in value["failures"]] == [(late, "timeout")]
            assert await a1.text(10 * SLOW) == b"half"

            # It was late once: it is not waited for again at once.
            began = time.monotonic()
            status, value = await api.get("online")
            assert (status, value["clients"]) == (207, [a1.id]) and time.monotonic() - began < 2 * SLOW
            assert [f["gateway"] for f in value["failures"]] == [late]
            status, value = await api.get("count", group=["g", "h"])
            assert status == 207 and value["groups"][0] == {"group": "g", "clients": 1, "uids": 1}
            status, value = await api.post("join", client=[a1.id, b1.id], group="h")
            assert (status, value["applied"]) == (207, 1)
            assert [(f["client"], f["code"]) for f in value["failures"]] == [(b1.id, "timeout")]
            assert fault(await api.post("join", client=b1.id, group="h")) == (504, "timeout", None)
            assert (await api.get("client", client=a1.id))[0] == 200
            status, results = await asyncio.to_thread(
                api.ask, "POST", "/api/batch", [{"call": "online"}, {"call": "client", "client": a1.id}])
            assert (status, [r["status"] for r in results]) == (207, [207, 200])
        await asyncio.sleep(2.5)

        async def is_whole():
            status, value = await api.get("online")
            return status == 200 and sorted(value["clients"]) == sorted([a1.id, b1.id])

        for _ in range(100):
            if await is_whole():
                break
            await asyncio.sleep(0.1)
        assert await is_whole()

    asyncio.run(scene())
