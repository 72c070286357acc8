"""gatehouse push and gatehouse query against two real gateways."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import time

import pytest

from cluster import Cluster, nothing
from harness import BINARY, SLOW, free_ports


@pytest.fixture
def cluster(site):
    return Cluster(site)


def told(done, messages, deliveries):
    """The exit status is 0 and the line on stdout has these numbers."""
    assert (done.returncode, done.stderr) == (0, b"")
    words = done.stdout.decode().split()
    assert (words[0], words[2]) == (str(messages), str(deliveries)), done.stdout


def test_every_target(cluster):
    async def scene():
        a1 = await cluster.join("a", uid="42", groups=["red", "blue"])
        a2 = await cluster.join("a", groups=["blue"])
        b1 = await cluster.join("b", uid="42")
        b2 = await cluster.join("b", uid="é", groups=["red"])
        everybody = (a1, a2, b1, b2)

        async def push(args, text, *expected):
            told(await cluster.run("push", *args, text), 1, len(expected))
            for client in expected:
                assert await client.text() == text.encode()
            await nothing(*everybody)

        await push(["--uid", "42"], "by uid", a1, b1)
        await push(["--uid", "42", "--uid", "é"], "by uids", a1, b1, b2)
        await push(["--uid", "nobody"], "to nobody")
        await push(["--group", "red"], "by group", a1, b2)
        await push(["--group", "blue", "--exclude", a1.id], "but one", a2)
        await push(["--client", a2.id], "by id", a2)
        await push(["--client", a2.id.upper(), "--client", b1.id], "by ids", a2, b1)
        await push(["--all"], "to all", *everybody)
        await push(["--all", "--exclude", a1.id, "--exclude", b2.id], "all but two", a2, b1)
        await push(["--all"], "", *everybody)

        told(await cluster.run("push", "--uid", "é", "--group", "blue", "several kinds"), 1, 3)
        for client in (a1, a2, b2):
            assert await client.text() == b"several kinds"
        quiet = await cluster.run("push", "-q", "--all", "quiet")
        assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, b"", b"")

    asyncio.run(scene())


def test_raw_and_binary(cluster):
    async def scene():
        kinds = []
        a1 = await cluster.join("a", uid="u")
        inner = a1._frame
        a1._frame = lambda first, payload: (kinds.append(first), inner(first, payload))
        told(await cluster.run("push", "--uid", "u", "text"), 1, 1)
        told(await cluster.run("push", "--uid", "u", "--binary", "binary"), 1, 1)
        told(await cluster.run("push", "--uid", "u", "--raw", stdin=b"\x82\x02hi"), 1, 1)
        assert [await a1.text() for _ in range(3)] == [b"text", b"binary", b"hi"]
        assert kinds == [0x81, 0x82, 0x82]

    asyncio.run(scene())


def test_ten_thousand_lines_of_a_pipe(cluster):
    async def scene():
        a1 = await cluster.join("a", groups=["g"])
        b1 = await cluster.join("b", groups=["g"])
        lines = [f"line {i}".encode() for i in range(10000)]
        told(await cluster.run("push", "--group", "g", stdin=b"\n".join(lines)), 10000, 20000)
        for client in (a1, b1):
            assert [await client.text() for _ in lines] == lines
        await nothing(a1, b1)

    asyncio.run(scene())


def test_a_line_is_sent_as_soon_as_it_is_there(cluster):
    async def scene():
        a1 = await cluster.join("a")
        push = await asyncio.create_subprocess_exec(
            str(BINARY), "push", "-c", str(cluster.server.conf), "--all",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
        for text in (b"first", b"second"):
            push.stdin.write(text + b"\n")
            await push.stdin.drain()
            assert await a1.text(10 * SLOW) == text
        push.stdin.write(b"without end")
        push.stdin.close()
        assert await a1.text(10 * SLOW) == b"without end"
        assert (await push.stdout.read()).startswith(b"3 messages, 3 deliveries")
        assert await push.wait() == 0

    asyncio.run(scene())


def test_where_the_secret_comes_from(cluster):
    async def scene():
        at = ["--registry", f"127.0.0.1:{cluster.registry}"]
        wrong = cluster.server.folder / "wrong"
        wrong.write_text("wrong")

        async def push(options, **env):
            return await cluster.run("push", "--all", "x", options=options, env=env)

        told(await push(at, GATEHOUSE_SECRET=cluster.secret), 1, 0)
        told(await push(["-c", str(cluster.server.conf)]), 1, 0)
        told(await push(at + ["-c", str(cluster.server.conf)]), 1, 0)
        for options in (at, at + ["--secret-file", str(wrong)]):
            done = await push(options)
            assert done.returncode == 1 and b"wrong or missing secret" in done.stderr, done.stderr
            assert done.stdout == b""
        missing = await push(at + ["--secret-file", str(wrong) + "no"])
        assert missing.returncode == 1 and b"--secret-file" in missing.stderr

    asyncio.run(scene())


def test_no_registry_and_one_registry_of_two(cluster):
    async def scene():
        secret = ["--secret-file", str(cluster.secret_file)]
        nobody = f"127.0.0.1:{free_ports()}"
        done = await cluster.run("push", "--all", "x", options=["--registry", nobody, *secret])
        assert done.returncode == 1 and b"no registry answered" in done.stderr.lower(), done.stderr
        both = ["--registry", f"{nobody},127.0.0.1:{cluster.registry}", *secret]
        told(await cluster.run("push", "--all", "x", options=both), 1, 0)

    asyncio.run(scene())


@contextlib.contextmanager
def stopped(cluster, names):
    """Meanwhile the processes of these gateways do not run."""
    pids = [cluster.server.pids("gateway")["ab".index(name)] for name in names]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_a_gateway_that_hangs_costs_its_own_share(cluster):
    async def scene():
        a1 = await cluster.join("a", uid="u", groups=["g"])
        b1 = await cluster.join("b", uid="u", groups=["g"])
        late = f"gateway 127.0.0.1:{cluster.inner['b']}: ".encode()
        with stopped(cluster, "b"):
            began = time.monotonic()
            done = await cluster.run("push", "--timeout", "1", "--uid", "u", "half")
            assert time.monotonic() - began < 3 * SLOW
            assert done.returncode == 1 and done.stderr.startswith(late), done.stderr
            assert done.stdout.startswith(b"1 message, 1 delivery")
            assert await a1.text() == b"half"

            online = await cluster.run("query", "--timeout", "1", "online")
            assert online.returncode == 1 and online.stderr.startswith(late), online.stderr
            assert a1.id.encode() in online.stdout and b1.id.encode() not in online.stdout
            asked = await cluster.run("query", "--timeout", "1", "groups", "--json")
            told_json = json.loads(asked.stdout)
            assert asked.returncode == 1 and told_json["groups"] == [{"group": "g", "clients": 1}]
            assert [f["gateway"] for f in told_json["failures"]] == [f"127.0.0.1:{cluster.inner['b']}"]

            # The hung gateway costs one deadline, not one for each line.
            began = time.monotonic()
            done = await cluster.run("push", "--timeout", "2", "--group", "g", stdin=b"x\n" * 1000)
            assert time.monotonic() - began < 4 * SLOW
            assert done.returncode == 1 and done.stdout.startswith(b"1000 messages, 1000 deliveries"), done.stdout
            assert [await a1.text() for _ in range(1000)] == [b"x"] * 1000
        told(await cluster.run("push", "--uid", "u", "whole"), 1, 2)
        assert await a1.text() == b"whole"

    asyncio.run(scene())


def test_when_no_gateway_takes_it_the_pipe_is_not_read_on(cluster):
    async def scene():
        with stopped(cluster, "ab"):
            done = await cluster.run("push", "--timeout", "0.5", "--all", stdin=b"x\n" * 1000)
            assert done.returncode == 1 and done.stdout == b""
            assert b"stopped after 0 messages" in done.stderr, done.stderr

    asyncio.run(scene())


@pytest.mark.parametrize("args, says", [
    (["x"], b"nobody is named"),
    (["--uid", "", "x"], b"1 to 255 bytes"),
    (["--group", "g" * 256, "x"], b"1 to 255 bytes"),
    (["--client", "7f", "x"], b"20 hex digits"),
    (["--uid", "u", "--exclude", "7f0000010af000000001", "x"], b"--exclude goes with"),
    (["--all", "two", "texts"], b"one text at a time"),
    (["--all", "--secret", "x", "y"], b"list of processes"),
    (["--all", "--timeout", "soon", "x"], b"no number of seconds"),
])
def test_wrong_usage_of_push(args, says):
    done = subprocess.run([str(BINARY), "push", *args], capture_output=True, stdin=subprocess.DEVNULL, timeout=20 * SLOW)
    assert done.returncode == 2 and says in done.stderr, done.stderr


@pytest.mark.parametrize("args", [[], ["nonsense"], ["client"], ["client", "7f"], ["groups", "--group", "g"],
                                  ["online", "x"]])
def test_wrong_usage_of_query(args):
    done = subprocess.run([str(BINARY), "query", *args], capture_output=True, stdin=subprocess.DEVNULL, timeout=20 * SLOW)
    assert done.returncode == 2 and done.stderr


def test_query_tables_and_json(cluster):
    async def scene():
        session = b'a:2:{s:4:"name";s:3:"Ann";s:4:"room";i:7;}'
        a1 = await cluster.join("a", uid="42", groups=["red", "5"], session=session)
        a2 = await cluster.join("a", uid="ü\x1b[31m")
        b1 = await cluster.join("b", uid="42", groups=["red"])

        async def query(*args):
            done = await cluster.run("query", *args, "--json")
            assert (done.returncode, done.stderr) == (0, b"")
            out = json.loads(done.stdout)
            assert out["failures"] == []
            return sorted(out[args[0]], key=json.dumps)

        def rows(*expected):
            return sorted(expected, key=json.dumps)

        at = {n: f"127.0.0.1:{cluster.inner[n]}" for n in "ab"}
        ann = {"name": "Ann", "room": 7}
        assert await query("online") == rows(
            {"client": a1.id, "gateway": at["a"]}, {"client": a2.id, "gateway": at["a"]},
            {"client": b1.id, "gateway": at["b"]})
        assert await query("online", "--group", "5") == rows({"client": a1.id, "gateway": at["a"]})
        assert await query("sessions", "--group", "red") == rows(
            {"client": a1.id, "session": ann}, {"client": b1.id, "session": {}})
        assert len(await query("sessions")) == 3
        assert await query("groups") == rows({"group": "red", "clients": 2}, {"group": "5", "clients": 1})
        assert await query("uids") == rows({"uid": "42", "clients": 2}, {"uid": "ü\x1b[31m", "clients": 1})
        assert await query("uids", "--group", "5") == rows({"uid": "42", "clients": 2})
        assert await query("count") == rows({"group": "(all)", "clients": 3, "uids": 2})
        assert await query("count", "--group", "red", "--group", "5") == rows(
            {"group": "red", "clients": 2, "uids": 1}, {"group": "5", "clients": 1, "uids": 1})
        gone = cluster.id("b", 99)
        assert await query("client", a1.id, gone) == rows(
            {"client": a1.id, "online": True, "uid": "42", "groups": ["red", "5"], "session": ann},
            {"client": gone, "online": False, "uid": "", "groups": [], "session": None})

        table = (await cluster.run("query", "uids")).stdout.decode().splitlines()
        assert table[0].split() == ["UID", "CLIENTS"]
        assert "ü\\x1b[31m" in table[1] + table[2], "what clients choose must not reach the terminal"
        assert len({len(line) for line in table}) == 1, f"not aligned: {table}"

    asyncio.run(scene())


def test_the_secret_is_not_in_the_process_list(cluster):
    async def scene():
        push = await asyncio.create_subprocess_exec(
            str(BINARY), "push", "-c", str(cluster.server.conf), "--all", stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL)
        with open(f"/proc/{push.pid}/cmdline", "rb") as line:
            assert b"s3cret" not in line.read()
        push.stdin.close()
        assert await push.wait() == 0

    asyncio.run(scene())
