"""The chat with 200 clients in 10 rooms on 2 gateways and 4 workers: who gets what, once and in order."""

import asyncio
import json
import time

from harness import ROOT, SLOW, Ports, chat_conf
from ws import Client


class Member:
    """One visitor and everything the server told it."""

    def __init__(self, name, room):
        self.name = name
        self.room = room
        self.client = None
        self.id = None
        self.heard = []

    def on_text(self, client, payload):
        message = json.loads(payload)
        if message["type"] == "login" and "client_list" in message:
            self.id = message["client_id"]
        self.heard.append(message)

    async def join(self, port):
        self.client = await Client.connect(port, self.on_text)
        self.say(type="login", client_name=self.name, room_id=self.room)
        await self.until(lambda: self.id)

    def say(self, **message):
        self.client.send(json.dumps(message))

    def of(self, kind):
        return [m for m in self.heard if m["type"] == kind]

    async def until(self, check, seconds=20):
        deadline = time.monotonic() + seconds * SLOW
        while not check():
            assert time.monotonic() < deadline, f"{self.name} heard only {self.heard[-3:]}"
            await asyncio.sleep(0.01)


async def quiet(members, kind, expected, seconds=60):
    """Waits until as much of that kind was heard in all as expected, and a moment longer for what is too much."""
    deadline = time.monotonic() + seconds * SLOW
    while (now := sum(len(m.of(kind)) for m in members)) < expected:
        assert time.monotonic() < deadline, f"{now} of {expected} times {kind}"
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.3)


def test_two_hundred_clients_in_ten_rooms(site):
    ports = Ports(2)
    server = site(chat_conf(gateways=2, workers=4, events=ROOT / "apps/chat/events.c", registry=ports.registry,
                            port=ports.port, inner=ports.inner)).start(ports.port, ports.registry, ports.inner)

    async def scenario():
        rooms = {f"room{r}": [Member(f"m{r}-{i}", f"room{r}") for i in range(20)] for r in range(10)}
        everybody = [m for room in rooms.values() for m in room]
        for i in range(20):
            await asyncio.gather(*(room[i].join(ports.port) for room in rooms.values()))
        await quiet(everybody, "login", 10 * (20 + 190))
        assert len({m.id for m in everybody}) == 200
        assert len({m.id[8:12] for m in everybody}) == 2, "both gateways hold clients"
        for room in rooms.values():
            ids = {m.id for m in room}
            for at, m in enumerate(room):
                own = [x for x in m.of("login") if "client_list" in x][-1]
                assert set(own["client_list"]) == {x.id for x in room[:at + 1]}
                seen = [x["client_id"] for x in m.of("login") if "client_list" not in x and x["client_id"] != m.id]
                assert sorted(seen) == sorted(x.id for x in room[at + 1:]), "a newcomer is announced once"
                assert set(seen) < ids

        # Ten messages from everybody: 200 × 10 × 20 deliveries.
        for n in range(10):
            for m in everybody:
                m.say(type="say", to_client_id="all", content=f"{m.name} {n}")
        await quiet(everybody, "say", 200 * 200)
        for room in rooms.values():
            for m in room:
                for sender in room:
                    got = [x["content"] for x in m.of("say") if x["from_client_id"] == sender.id]
                    assert got == [f"{sender.name} {n}" for n in range(10)], (m.name, sender.name, got)
                assert len(m.of("say")) == 200

        # A private message reaches its addressee and, as an echo, its sender.
        for m in everybody:
            m.heard.clear()
        for room in rooms.values():
            room[0].say(type="say", to_client_id=room[7].id, to_client_name=room[7].name, content="secret <b>")
        await quiet(everybody, "say", 10 * 2)
        for room in rooms.values():
            for at, m in enumerate(room):
                assert len(m.of("say")) == (1 if at in (0, 7) else 0), (m.name, m.heard)
            assert "secret &lt;b&gt;" in room[7].of("say")[0]["content"]
            assert room[7].of("say")[0]["from_client_id"] == room[0].id

        # Leaving: a closed and a killed connection are both told to the rest, once.
        for m in everybody:
            m.heard.clear()
        for room in rooms.values():
            room[3].client.close()
            room[4].client.drop()
        await quiet(everybody, "logout", 10 * 18 * 2)
        for room in rooms.values():
            for at, m in enumerate(room):
                if at not in (3, 4):
                    left = sorted(x["from_client_id"] for x in m.of("logout"))
                    assert left == sorted([room[3].id, room[4].id]), (m.name, m.heard)
            assert room[3].client.close_code == 1000

    asyncio.run(scenario())
    server.stop()
