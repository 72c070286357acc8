"""Stores under a worker: SQLite and a real redis-server that is killed, frozen and started again."""

import asyncio
import sqlite3
import subprocess
import time

import pytest

from harness import ROOT, SLOW, Ports, chat_conf
from redis_server import RedisServer
from ws import Client

EAWAY, ETIMEOUT, EREFUSED, ENOTFOUND = "error -1017", "error -1006", "error -1016", "error -1011"


@pytest.fixture
def redis(tmp_path):
    server = RedisServer(tmp_path / "redis")
    yield server
    server.end()


def storing(site, store, workers=1):
    ports = Ports(1)
    server = site(chat_conf(workers=workers, events=ROOT / "tests/integration/modules/storing.c",
                            registry=ports.registry, port=ports.port, inner=ports.inner,
                            worker=f"option = store={store}"))
    server.start(ports.port, ports.registry)
    return server, ports


class Asker:
    """A client whose messages are answered one by one."""

    @classmethod
    async def connect(cls, port):
        self = cls()
        self.client = await Client.connect(port)
        return self

    async def __call__(self, text):
        self.client.send(text)
        return (await asyncio.wait_for(self.client.inbox.get(), 15 * SLOW)).decode()


async def use_everything(ask):
    assert await ask("incr PV:ROOM:1 ROOM_TOTAL_PV 1") == "1"
    assert await ask("incr PV:ROOM:1 ROOM_TOTAL_PV 41") == "42"
    assert await ask("get PV:ROOM:1 ROOM_TOTAL_PV") == "42"
    assert await ask("get PV:ROOM:1 nothing") == ENOTFOUND
    assert await ask("set PV:ROOM:1 name lobby") == "ok"
    assert await ask("incr PV:ROOM:1 name 1") == EREFUSED
    assert await ask("count PV:ROOM:1") == "2"
    assert await ask("count none") == "0"
    assert await ask("last L 5") == "0"
    for n in range(7):
        assert await ask(f"append L m{n} 5") == "ok"
    assert await ask("last L 50") == "5 m2 m3 m4 m5 m6"
    assert await ask("last L 2") == "2 m5 m6"


def test_sqlite_keeps_values_across_processes_and_restarts(site):
    server, ports = storing(site, "sqlite:var/store.db", workers=2)

    async def first():
        asks = [await Asker.connect(ports.port) for _ in range(8)]
        await use_everything(asks[0])
        assert await asks[0]("redis PING") == "error -95"
        # Eight clients on two processes count on one key; no step is lost.
        await asyncio.gather(*(count(ask, 25) for ask in asks))
        assert await asks[0]("get shared n") == "200"

    async def count(ask, n):
        for _ in range(n):
            assert not (await ask("incr shared n 1")).startswith("error")

    async def again():
        ask = await Asker.connect(ports.port)
        assert await ask("get shared n") == "200"
        assert await ask("last L 2") == "2 m5 m6"

    asyncio.run(first())
    server.stop()
    with sqlite3.connect(server.folder / "var/store.db") as db:
        assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert db.execute("SELECT CAST(value AS TEXT) FROM fields WHERE key = CAST('shared' AS BLOB)").fetchall() == \
            [("200",)]
    server.start(ports.port, ports.registry)
    asyncio.run(again())
    server.stop()


async def overtakes(other, ask, text, want):
    """Whether other is answered while ask waits; on a busy machine the short wait may be over first, not every time."""
    for _ in range(5):
        waiting = asyncio.ensure_future(ask(text))
        await asyncio.sleep(0.02)
        assert await other("ping") == "pong"
        is_first = not waiting.done()
        assert await waiting == want
        if is_first:
            return True
    return False


def test_a_locked_sqlite_file_costs_the_call_only(site):
    server, ports = storing(site, "sqlite:var/store.db")

    async def scenario():
        ask, other = await Asker.connect(ports.port), await Asker.connect(ports.port)
        assert await ask("incr k f 1") == "1"
        db = sqlite3.connect(server.folder / "var/store.db", isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        assert await overtakes(other, ask, "incr k f 1", "error -16"), "the loop is held up"
        db.execute("ROLLBACK")
        db.close()
        assert await ask("incr k f 1") == "2"

    asyncio.run(scenario())
    log = server.log()
    assert log.count("fails: Device or resource busy") == 1 and log.count("works again") == 1, log
    server.stop()


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 256 KiB, where the kernel lets the test make one."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_costs_the_calls_only(site, tiny_disk):
    server, ports = storing(site, f"sqlite:{tiny_disk}/store.db")

    async def scenario():
        ask = await Asker.connect(ports.port)
        assert await ask("incr k f 1") == "1"
        answers = [await ask(f"set k f{n} {'x' * 400}") for n in range(400)]
        assert answers[0] == "ok" and "error -28" in answers, set(answers)
        assert set(answers) <= {"ok", "error -28", "error -5", EAWAY}, set(answers)
        assert await ask("get k f") == "1", "what was kept can be read"
        subprocess.run(["mount", "-o", "remount,size=4m", str(tiny_disk)], check=True)
        deadline = time.monotonic() + 10 * SLOW
        while await ask("incr k f 1") != "2":
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)

    asyncio.run(scenario())
    log = server.log()
    assert "No space left on device" in log and "works again" in log, log
    server.stop()


def test_redis_is_used_as_the_manual_shows(site, redis):
    server, ports = storing(site, redis.url)

    async def scenario():
        ask = await Asker.connect(ports.port)
        await use_everything(ask)
        assert await ask("redis PING") == "2 PONG"
        assert redis("HGET", "PV:ROOM:1", "ROOM_TOTAL_PV") == "42"
        assert redis("LRANGE", "L", "0", "-1") == ["m2", "m3", "m4", "m5", "m6"]

    asyncio.run(scenario())
    server.stop()


def test_redis_with_a_password_and_a_database(site, tmp_path):
    redis = RedisServer(tmp_path / "secret", "--requirepass", "pa ss@word")
    try:
        server, ports = storing(site, f"redis://:pa%20ss%40word@127.0.0.1:{redis.port}/3")

        async def scenario():
            ask = await Asker.connect(ports.port)
            assert await ask("incr k f 5") == "5"

        asyncio.run(scenario())
        assert "pa ss" not in server.log() and "pa%20ss" not in server.log()
        server.stop()
    finally:
        redis.end()


@pytest.mark.parametrize("url", ["redis+unix://{folder}/r.sock?db=2", "redis://localhost:{port}/2"])
def test_redis_by_unix_socket_and_by_name(site, tmp_path, url):
    redis = RedisServer(tmp_path / "r", "--unixsocket", str(tmp_path / "r/r.sock"))
    try:
        server, ports = storing(site, url.format(folder=tmp_path / "r", port=redis.port))

        async def scenario():
            ask = await Asker.connect(ports.port)
            assert await ask("incr k f 5") == "5"

        asyncio.run(scenario())
        assert redis("INFO", "keyspace").splitlines()[1].startswith("db2:keys=1")
        server.stop()
    finally:
        redis.end()


def test_redis_killed_and_frozen_costs_the_calls_only(site, redis):
    server, ports = storing(site, redis.url + "?timeout_ms=2000")

    async def until(ask, text, want):
        deadline = time.monotonic() + 15 * SLOW
        while (answer := await ask(text)) != want:
            assert answer in (EAWAY, ETIMEOUT) and time.monotonic() < deadline, answer
            await asyncio.sleep(0.05)

    async def scenario():
        ask, other = await Asker.connect(ports.port), await Asker.connect(ports.port)
        assert await ask("set k f 1") == "ok"

        redis.kill()
        assert await ask("set k f 2") == EAWAY
        begun = time.monotonic()
        for _ in range(50):
            assert await ask("set k f 2") == EAWAY
        assert time.monotonic() - begun < 1 * SLOW, "fails at once while it is away"
        redis.start()
        await until(ask, "get k f", "1")

        redis.freeze()
        waiting = asyncio.ensure_future(ask("set k f 3"))
        await asyncio.sleep(0.05)
        assert await other("ping") == "pong"
        assert not waiting.done(), "the loop is held up"
        assert await waiting == ETIMEOUT
        begun = time.monotonic()
        for _ in range(20):
            assert await ask("get k f") == EAWAY
        assert time.monotonic() - begun < 20, "one deadline is all that a stuck server costs"
        redis.thaw()
        await until(ask, "get k f", "3")

    asyncio.run(scenario())
    log = server.log()
    assert 1 <= log.count("is away") <= 2, log  # one line each time it goes, at most one a second
    assert 1 <= log.count("is back") <= 2, log
    server.stop()


def test_a_redis_that_is_not_there_at_the_start_is_found_later(site, redis):
    redis.kill()
    server, ports = storing(site, redis.url)

    async def scenario():
        ask = await Asker.connect(ports.port)
        assert await ask("incr k f 1") == EAWAY
        redis.start()
        deadline = time.monotonic() + 15 * SLOW
        while await ask("incr k f 1") == EAWAY:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        assert redis("HGET", "k", "f") == "1"

    asyncio.run(scenario())
    server.stop()
