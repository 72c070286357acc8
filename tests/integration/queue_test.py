"""Push orders from a real Redis: every call, wrong orders, at-least-once over kills of either side."""

import asyncio
import json
import signal
import os
import time

import pytest

from harness import ROOT, SLOW, Ports, chat_conf, wait_until
from redis_server import RedisServer
from ws import Client

KEY = "push:orders"


@pytest.fixture
def redis(tmp_path):
    server = RedisServer(tmp_path / "redis")
    yield server
    server.end()


class Feeder:
    """Writes orders as an application would: RPUSH of JSON to a list, XADD with one field to a stream."""

    def __init__(self, redis, kind):
        self.redis, self.kind = redis, kind

    def raw(self, text):
        if self.kind == "list":
            self.redis("RPUSH", KEY, text)
        else:
            self.redis("XADD", KEY, "*", "order", text)

    def __call__(self, call, **members):
        self.raw(json.dumps({"call": call, **members}))

    def left(self):
        """Orders not yet taken, and those in somebody's hand."""
        if self.kind == "list":
            return self.redis("LLEN", KEY) + sum(self.redis("LLEN", k) for k in self.redis("KEYS", KEY + ":processing:*"))
        return self.redis("XLEN", KEY)


def start(site, redis, kind, gateways=1, queue="", secret="", url=None):
    ports = Ports(gateways)
    key = f"secret_key = {secret}\n" if secret else ""
    text = chat_conf(gateways=gateways, workers=1, events=ROOT / "tests/integration/modules/storing.c",
                     registry=ports.registry, port=ports.port, inner=ports.inner, gateway=key,
                     worker=f"option = store=sqlite:var/s.db\n{key}")
    text = text.replace(f"listen = text://127.0.0.1:{ports.registry}\n",
                        f"listen = text://127.0.0.1:{ports.registry}\n{key}")
    text += (f"\n[queue orders]\nredis = {url or redis.url}\ntype = {kind}\nregister_address = 127.0.0.1:{ports.registry}\n"
             f"retry = 0.05\n{key}{queue}\n")
    server = site(text).start(ports.port, ports.registry, *range(ports.inner, ports.inner + gateways))
    return server, ports


class Visitor:
    @classmethod
    async def connect(cls, port):
        self = cls()
        self.client = await Client.connect(port)
        self.client.send("id")
        self.id = await self.next()
        return self

    async def next(self, seconds=10):
        return (await asyncio.wait_for(self.client.inbox.get(), seconds * SLOW)).decode()

    async def hears(self, *texts):
        for text in texts:
            assert await self.next() == text

    def heard_nothing(self):
        assert self.client.inbox.empty(), self.client.inbox


def queue_row(server):
    return next(r for r in server.status()["processes"] if r["kind"] == "queue")


async def settled(feed, seconds=10):
    deadline = time.monotonic() + seconds * SLOW
    while feed.left():
        assert time.monotonic() < deadline, "orders are left"
        await asyncio.sleep(0.02)


@pytest.mark.parametrize("kind", ["list", "stream"])
def test_every_call(site, redis, kind):
    server, ports = start(site, redis, kind, gateways=2, secret="s3cret")
    feed = Feeder(redis, kind)

    async def scenario():
        a, b, c = [await Visitor.connect(ports.port) for _ in range(3)]
        feed("sendToAll", message="all")
        feed("sendToAll", message="not b", exclude=b.id)
        feed("sendToAll", message="only a", client=[a.id])
        feed("sendToClient", client=a.id, message="你好")
        feed("sendToClient", client=[a.id, b.id], message="two")
        await a.hears("all", "not b", "only a", "你好", "two")
        await b.hears("all", "two")
        await c.hears("all", "not b")

        feed("bindUid", client=a.id, uid=42)
        feed("bindUid", client=b.id, uid="sieben")
        feed("sendToUid", uid=[42, "sieben", "nobody"], message={"type": "push", "n": [1, 2]})
        await a.hears('{"type":"push","n":[1,2]}')
        await b.hears('{"type":"push","n":[1,2]}')
        feed("unbindUid", client=b.id)
        feed("sendToUid", uid=["sieben", "42"], message="uids")
        await a.hears("uids")

        feed("joinGroup", client=[a.id, b.id, c.id], group=["news", 7])
        feed("sendToGroup", group="news", message="group", exclude=[c.id])
        feed("leaveGroup", client=a.id, group="news")
        feed("sendToGroup", group=["news", "7"], message="both")
        feed("ungroup", group="news")
        feed("sendToGroup", group="news", message="nobody is left")
        await a.hears("group", "both")
        # Whoever is in two of the groups hears it twice, as with GatewayWorker.
        await b.hears("group", "both", "both")
        await c.hears("both", "both")

        feed("setSession", client=a.id, session={"name": "x"})
        feed("updateSession", client=a.id, session={"age": 3})
        feed("closeClient", client=a.id, message="bye")
        feed("destroyClient", client=b.id)
        await a.hears("bye")
        await asyncio.wait_for(a.client.is_closed.wait(), 10 * SLOW)
        await asyncio.wait_for(b.client.is_closed.wait(), 10 * SLOW)
        await settled(feed)
        c.heard_nothing()
        assert not redis("EXISTS", KEY + ":failed")

    asyncio.run(scenario())
    # An order is gone from Redis a moment before it is counted.
    wait_until(lambda: queue_row(server)["total_request"] == 20, 10, "all are counted")
    assert queue_row(server)["send_fail"] == 0
    server.stop()


@pytest.mark.parametrize("kind", ["list", "stream"])
def test_wrong_orders_are_set_aside_with_the_reason(site, redis, kind):
    server, ports = start(site, redis, kind, queue="failed_max = 12\n")
    feed = Feeder(redis, kind)
    wrong = {
        "no json": "line 1",
        "[]": "an order is a JSON object",
        "{}": 'the member "call" is missing',
        '{"call":"rm -rf"}': '"rm -rf" is no call',
        '{"call":"sendToAll"}': 'sendToAll needs the member "message"',
        '{"call":"sendToGroup","message":"x"}': 'sendToGroup needs the member "group"',
        '{"call":"sendToGroup","group":"g","message":"x","exlude":["1"]}': 'sendToGroup takes no member "exlude"',
        '{"call":"sendToGroup","group":[["g"]],"message":"x"}': "group must be text of 1 to 255 bytes",
        '{"call":"sendToGroup","group":[],"message":"x"}': "group must be text",
        '{"call":"sendToClient","client":"abc","message":"x"}': "client: a client id has 20 hexadecimal digits",
        '{"call":"setSession","client":"7f0000010b5400000001","session":[1]}': "session must be an object",
        "\udcff\udcfe": "line 1",
    }

    async def scenario():
        a = await Visitor.connect(ports.port)
        for text in wrong:
            feed.raw(text.encode(errors="surrogateescape"))
        feed("sendToAll", message="still here")
        await a.hears("still here")
        await settled(feed)

    asyncio.run(scenario())
    failed = [json.loads(line) for line in redis("LRANGE", KEY + ":failed", 0, -1)]
    for (text, reason), line in zip(wrong.items(), failed):
        assert reason in line["reason"], line
        assert line["order"] == text if "order" in line else line["order_base64"] == "//4=", line
    assert len(failed) == len(wrong)
    wait_until(lambda: queue_row(server)["total_request"] == len(wrong) + 1, 10, "all are counted")
    assert queue_row(server)["send_fail"] == len(wrong)
    assert "an order is set aside in push:orders:failed" in server.log()
    feed.raw("one more")
    wait_until(lambda: "one more" in redis("LINDEX", KEY + ":failed", -1), 10, "it is set aside")
    wait_until(lambda: redis("LLEN", KEY + ":failed") == 12, 10, "the oldest goes")
    server.stop()


def test_an_entry_without_the_field_is_set_aside(site, redis):
    server, ports = start(site, redis, "stream", queue="delete = false\n")
    redis("XADD", KEY, "*", "payload", "x")
    wait_until(lambda: redis("LLEN", KEY + ":failed") == 1, 10, "it is set aside")
    assert 'no field \\"order\\"' in redis("LINDEX", KEY + ":failed", 0)
    wait_until(lambda: redis("XPENDING", KEY, "gatehouse")[0] == 0, 10, "it is acknowledged")
    assert redis("XLEN", KEY) == 1
    server.stop()


@pytest.mark.parametrize("kind", ["list", "stream"])
def test_nothing_is_lost_when_redis_or_the_consumer_dies(site, redis, kind):
    """1,000 numbered orders while redis-server is killed twice and the queue process three times."""
    server, ports = start(site, redis, kind, queue="batch = 50\nconsumer = one\n")
    feed = Feeder(redis, kind)

    def offer(n):
        for _ in range(400):
            try:
                return feed("sendToAll", message=str(n))
            except (OSError, RuntimeError):
                time.sleep(0.05)
        raise AssertionError("redis does not come back")

    async def scenario():
        a = await Visitor.connect(ports.port)
        seen = []
        a.client.on_text = lambda client, payload: seen.append(int(payload))
        for n in range(1000):
            if n in (200, 700):
                await asyncio.to_thread(redis.kill)
                await asyncio.to_thread(redis.start)
            if n in (100, 450, 850):
                wait_until(lambda: queue_row(server)["ready"], 20, "the queue process serves again")
                os.kill(queue_row(server)["pid"], signal.SIGKILL)
            await asyncio.to_thread(offer, n)
        await settled(feed, 30)
        deadline = time.monotonic() + 20 * SLOW
        while set(seen) != set(range(1000)):
            assert time.monotonic() < deadline, sorted(set(range(1000)) - set(seen))[:10]
            await asyncio.sleep(0.05)
        # At least once; what was in hand during a kill, and only that, may come again.
        assert len(seen) - 1000 <= 5 * 50, len(seen)

    asyncio.run(scenario())
    server.stop(expect=None)


@pytest.mark.parametrize("kind", ["list", "stream"])
def test_a_redis_that_hangs_delays_and_repeats_nothing(site, redis, kind):
    server, ports = start(site, redis, kind, url=redis.url + "?timeout_ms=300")
    feed = Feeder(redis, kind)

    async def scenario():
        a = await Visitor.connect(ports.port)
        feed("sendToAll", message="1")
        await a.hears("1")
        redis.freeze()
        await asyncio.sleep(2)
        redis.thaw()
        feed("sendToAll", message="2")
        await a.hears("2")
        await settled(feed)
        a.heard_nothing()

    asyncio.run(scenario())
    server.stop()


def test_orders_wait_for_gateways(site, redis):
    """A queue whose registry knows no gateway takes nothing; what waits is sent once one is there."""
    ports = Ports(1)
    feed = Feeder(redis, "list")
    queue = f"[queue]\nredis = {redis.url}\nregister_address = 127.0.0.1:{ports.registry}\n"
    alone = site(queue, name="queue.conf", folder="queue").start()
    feed("sendToAll", message="early")
    wait_until(lambda: "no gateway is connected" in alone.log(), 10, "the log tells why orders wait")
    assert feed.left() == 1
    rest = site(chat_conf(events=ROOT / "tests/integration/modules/storing.c", registry=ports.registry, port=ports.port,
                          inner=ports.inner, worker="option = store=sqlite:var/s.db"))
    rest.start(ports.port, ports.registry)
    wait_until(lambda: feed.left() == 0, 10, "it was sent")
    alone.stop()
    rest.stop()


def test_what_another_consumer_left_behind_is_taken_over(site, redis):
    redis("XGROUP", "CREATE", KEY, "gatehouse", "0", "MKSTREAM")
    redis("XADD", KEY, "*", "order", '{"call":"sendToAll","message":"left behind"}')
    redis("XREADGROUP", "GROUP", "gatehouse", "dead", "COUNT", 10, "STREAMS", KEY, ">")
    server, ports = start(site, redis, "stream", queue="visibility = 1\n")

    async def scenario():
        a = await Visitor.connect(ports.port)
        await settled(Feeder(redis, "stream"))
        a.heard_nothing() if a.client.inbox.empty() else await a.hears("left behind")

    asyncio.run(scenario())
    wait_until(lambda: queue_row(server)["total_request"] == 1, 10, "it is counted")
    server.stop()


@pytest.mark.parametrize("line, complaint", [
    ("redis = sqlite:x.db", "orders come from Redis only"),
    ("redis = redis://", "the host is missing"),
    ("register_address = 10.0.0.1:1236", "is on another host; set secret_key"),
    ("type = zset", "type"),
])
def test_check_names_what_is_wrong(site, line, complaint):
    done = site(f"[queue a]\n{line}\n").command("check")
    assert done.returncode != 0
    assert complaint in done.stdout + done.stderr, done.stdout + done.stderr
