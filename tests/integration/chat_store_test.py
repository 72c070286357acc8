"""The chat with a store: history and counters in SQLite and in Redis, and a Redis that is away."""

import asyncio
import json
import time

import pytest

from harness import ROOT, SLOW, Ports, chat_conf
from redis_server import RedisServer
from ws import Client


@pytest.fixture
def redis(tmp_path):
    server = RedisServer(tmp_path / "redis")
    yield server
    server.end()


def chat(site, store, workers=2):
    ports = Ports(2)
    server = site(chat_conf(gateways=2, workers=workers, events=ROOT / "apps/chat/events.c", registry=ports.registry,
                            port=ports.port, inner=ports.inner, worker=f"option = store={store}"))
    server.start(ports.port, ports.registry, ports.inner)
    return server, ports.port


class Member:
    @classmethod
    async def join(cls, port, name, room="1"):
        self = cls()
        self.heard = []
        self.client = await Client.connect(port, lambda client, payload: self.heard.append(json.loads(payload)))
        self.send(type="login", client_name=name, room_id=room)
        await self.until(lambda: [m for m in self.of("login") if "client_list" in m])
        return self

    def send(self, **message):
        self.client.send(json.dumps(message))

    def say(self, content):
        self.send(type="say", to_client_id="all", content=content)

    def of(self, kind):
        return [m for m in self.heard if m["type"] == kind]

    def said(self):
        return [m["content"] for m in self.of("say")]

    def history(self):
        return [m["content"] for h in self.of("history") for m in h["messages"]]

    async def until(self, check, seconds=10):
        deadline = time.monotonic() + seconds * SLOW
        while not check():
            assert time.monotonic() < deadline, self.heard[-3:]
            await asyncio.sleep(0.01)


async def talk(port, room):
    """60 messages of one, then others come: the last 50 in order, the counters, private words kept from everybody."""
    ann = await Member.join(port, "Ann", room)
    await ann.until(lambda: ann.of("stats"))
    assert ann.of("stats")[-1] == {"type": "stats", "room_id": room, "views": 1, "visitors": 1}
    assert not ann.of("history"), "an empty room has none"
    for n in range(60):
        ann.say(f"<{n}>")
    ann.send(type="say", to_client_id=ann.of("login")[0]["client_id"], content="private")
    await ann.until(lambda: len(ann.of("say")) == 62)
    bob = await Member.join(port, "Bob", room)
    await bob.until(lambda: bob.of("stats"))
    assert bob.history() == [f"&lt;{n}&gt;" for n in range(10, 60)]
    assert bob.of("history")[0]["messages"] == [m for m in ann.of("say") if m["to_client_id"] == "all"][10:], \
        "word for word what was said, with the same ids"
    assert len({m["id"] for m in bob.of("history")[0]["messages"]}) == 50
    assert bob.of("stats")[-1] == {"type": "stats", "room_id": room, "views": 2, "visitors": 2}
    await ann.until(lambda: ann.of("stats")[-1]["views"] == 2)
    again = await Member.join(port, "Bob", room)
    await again.until(lambda: again.of("stats"))
    assert again.of("stats")[-1] == {"type": "stats", "room_id": room, "views": 3, "visitors": 2}
    other = await Member.join(port, "Ann", room + "b")
    await other.until(lambda: other.of("stats"))
    assert other.of("stats")[-1]["views"] == 1 and not other.history()


def test_history_and_counters_in_sqlite(site):
    server, port = chat(site, "sqlite:var/chat.db")
    asyncio.run(talk(port, "lobby"))
    server.stop()


def test_history_and_counters_in_redis(site, redis):
    server, port = chat(site, redis.url)
    asyncio.run(talk(port, "lobby"))
    assert redis("HGET", "PV:ROOM:lobby", "ROOM_TOTAL_PV") == "3", "where GatewayWorker's manual counts"
    assert redis("LLEN", "HISTORY:ROOM:lobby") == 50
    server.stop()


@pytest.mark.parametrize("store", ["sqlite", "redis"])
def test_whoever_comes_in_the_middle_misses_nothing(site, redis, store):
    """One talks without a pause while 20 come in: history and what they hear, joined by id, have no gap."""
    server, port = chat(site, redis.url if store == "redis" else "sqlite:var/chat.db", workers=4)

    async def scenario():
        ann = await Member.join(port, "Ann")
        talking = asyncio.ensure_future(say_all(ann))
        guests = []
        for i in range(20):
            guests.append(await Member.join(port, f"g{i}"))
        await talking
        for guest in guests:
            await guest.until(lambda: "m399" in guest.history() + guest.said())
            by_id = {m["id"]: m["content"] for h in guest.of("history") for m in h["messages"]}
            by_id.update({m["id"]: m["content"] for m in guest.of("say")})
            numbers = sorted(int(c[1:]) for c in by_id.values())
            assert numbers == list(range(numbers[0], 400)), "no gap and nothing twice"

    async def say_all(ann):
        for n in range(400):
            ann.say(f"m{n}")
            await asyncio.sleep(0.002)

    asyncio.run(scenario())
    server.stop()


def test_a_redis_that_is_away_costs_history_and_counters_only(site, redis):
    server, port = chat(site, redis.url + "?timeout_ms=500")

    async def heard(ann, bob, text, seconds):
        begun = time.monotonic()
        ann.say(text)
        await bob.until(lambda: text in bob.said())
        assert time.monotonic() - begun < seconds * SLOW, text

    async def scenario():
        ann, bob = await Member.join(port, "Ann"), await Member.join(port, "Bob")
        await bob.until(lambda: bob.of("stats"))
        await heard(ann, bob, "with", 1)

        await asyncio.to_thread(redis.kill)
        for n in range(20):
            await heard(ann, bob, f"killed {n}", 1)
        cid = await Member.join(port, "Cid")
        await heard(cid, bob, "from Cid", 1)
        assert not cid.history() and not cid.of("stats")

        await asyncio.to_thread(redis.start)
        deadline = time.monotonic() + 15 * SLOW
        n = 0
        while redis("LLEN", "HISTORY:ROOM:1") < 2:
            assert time.monotonic() < deadline
            await heard(ann, bob, f"back {(n := n + 1)}", 1)
            await asyncio.sleep(0.1)

        redis.freeze()
        await heard(ann, bob, "frozen", 2)  # one deadline
        for n in range(20):
            await heard(ann, bob, f"still frozen {n}", 1)
        redis.thaw()
        assert len(bob.said()) == len(set(bob.said())), "nothing twice"

    asyncio.run(scenario())
    assert server.log().count("is away") >= 1
    server.stop()
