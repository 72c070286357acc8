"""The people of a chat: who comes, talks, listens, stays away, and reads slowly."""

import asyncio
import json
import random
import ssl
import time

from ws import Client

LOGIN_S = 30  # a gateway that was killed is back long before


class Lines(asyncio.Protocol):
    """A client of a text listener, with the face of ws.Client."""

    def __init__(self, on_text):
        self.on_text, self.data, self.transport = on_text, b"", None
        self.is_closed = asyncio.Event()

    @classmethod
    async def connect(cls, port, on_text):
        loop = asyncio.get_running_loop()
        _, self = await loop.create_connection(lambda: cls(on_text), "127.0.0.1", port)
        return self

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        *lines, self.data = (self.data + data).split(b"\n")
        for text in lines:
            self.on_text(self, text)

    def connection_lost(self, exc):
        self.is_closed.set()

    def send(self, text):
        self.transport.write(text.encode() + b"\n")

    def drop(self):
        self.transport.abort()


def trusting():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


class Session:
    """One connection of a person, from its login to its end."""

    def __init__(self):
        self.is_in = False
        self.client = None
        self.logged_in = asyncio.get_running_loop().create_future()


class Person:
    """Stays in one room over as many connections as it takes; says numbered messages there."""

    def __init__(self, crowd, name, room, kind, stays_s):
        self.crowd, self.name, self.room, self.kind, self.stays_s = crowd, name, room, kind, stays_s
        self.session = None
        self.number = 0
        self.is_leaving = False

    async def connect(self, on_text):
        port = self.crowd.ports[self.kind]
        if self.kind == "text":
            return await Lines.connect(port, on_text)
        how = {"ssl": self.crowd.tls, "server_hostname": "localhost"} if self.kind == "tls" else {}
        return await Client.connect(port, on_text, timeout=LOGIN_S, **how)

    def hear(self, session, text):
        message = json.loads(text)
        kind = message.get("type")
        if kind == "ping":
            session.client.send('{"type":"pong"}')
        elif kind == "login" and "client_list" in message and not session.logged_in.done():
            session.logged_in.set_result(True)
        elif kind == "say" and message["content"].startswith("#"):
            sender, number = message["content"][1:].split(" ")[:2]
            self.crowd.ledger.hear(session, sender, int(number))

    async def visit(self):
        """One connection: its seconds without one are counted from the loss of the last."""
        session = Session()
        early = []  # what comes before connect() has returned

        def on_text(client, text):
            if session.client is None:
                early.append(text)
            else:
                self.hear(session, text)

        client = session.client = await asyncio.wait_for(self.connect(on_text), LOGIN_S)
        for text in early:
            self.hear(session, text)
        try:
            client.send(json.dumps({"type": "login", "client_name": self.name, "room_id": self.room}))
            closed = asyncio.ensure_future(client.is_closed.wait())
            await asyncio.wait([closed, session.logged_in], timeout=LOGIN_S, return_when=asyncio.FIRST_COMPLETED)
            if not session.logged_in.done():
                raise ConnectionError("no login")
            session.is_in, self.session = True, session
            self.crowd.came_n += 1
            await asyncio.wait([closed], timeout=self.stays_s() if self.stays_s else None)
            if not client.is_closed.is_set():
                self.is_leaving = True
        finally:
            closed.cancel()
            session.is_in, self.session = False, None
            self.crowd.ledger.forget(session)
            client.drop()

    async def live(self):
        while not self.crowd.is_over:
            self.is_leaving = False
            try:
                await self.visit()
            except (OSError, ConnectionError, asyncio.TimeoutError, AssertionError):
                self.crowd.failed_n += 1
            lost_at = time.monotonic()
            if not self.is_leaving:
                self.crowd.cut_n += 1
                await asyncio.sleep(random.uniform(0.1, 1))
            self.crowd.away_s = max(self.crowd.away_s, time.monotonic() - lost_at)

    def say(self, filler=""):
        """A message that everybody in the room is to get, oneself too."""
        if not self.session:
            return
        self.number += 1
        self.crowd.ledger.say(self.name, self.number,
                              [p.session for p in self.crowd.rooms[self.room] if p.session])
        self.session.client.send(json.dumps({"type": "say", "to_client_id": "all",
                                             "content": f"#{self.name} {self.number} {filler}"}))


class Slow(Person):
    """Reads nothing for a while, then leaves: what is sent meanwhile waits in the gateway, up to its limit."""

    async def visit(self):
        client = await asyncio.wait_for(self.connect(lambda client, text: None), LOGIN_S)
        try:
            client.send(json.dumps({"type": "login", "client_name": self.name, "room_id": self.room}))
            client.transport.pause_reading()
            await asyncio.sleep(random.uniform(10, 30))
            self.is_leaving = True
        finally:
            client.drop()


class Flooder(Person):
    """Says so much for ten seconds in each minute that who does not read runs full."""

    async def flood(self):
        while not self.crowd.is_over:
            await asyncio.sleep(50)
            for _ in range(100):
                for _ in range(15):
                    self.say("x" * 4000)
                await asyncio.sleep(0.1)


class Crowd:
    """`ports` by kind: ws, text, tls."""

    def __init__(self, ledger, ports, stayers_n, churners_n, slow_n, rooms_n, messages_per_s):
        self.ledger, self.ports, self.messages_per_s = ledger, ports, messages_per_s
        self.tls = trusting()
        self.is_over = False
        self.came_n = self.cut_n = self.failed_n = 0
        self.away_s = 0.0
        self.rooms = {}
        kinds = ("ws", "ws", "text", "tls")
        make = [(Person, "s", None)] * stayers_n + [(Person, "c", lambda: random.uniform(1, 20))] * churners_n
        for i, (kind, letter, stays_s) in enumerate(make):
            room = f"room{i % rooms_n}"
            self.rooms.setdefault(room, []).append(kind(self, f"{letter}{i}", room, kinds[i // rooms_n % 4], stays_s))
        self.talkers = [p for room in self.rooms.values() for p in room if p.stays_s is None]
        self.flooder = Flooder(self, "f0", "flood", "ws", None)
        self.rooms["flood"] = [self.flooder]
        self.rooms["flood"] += [Slow(self, f"z{i}", "flood", kinds[i % 4], None) for i in range(slow_n)]
        self.people = [p for room in self.rooms.values() for p in room]

    def in_n(self):
        return sum(1 for p in self.people if p.session)

    async def talk(self):
        while not self.is_over:
            random.choice(self.talkers).say("x" * random.choice((0, 20, 200, 2000)))
            self.ledger.settle()
            await asyncio.sleep(random.expovariate(self.messages_per_s))

    async def come(self):
        self.lives = [asyncio.ensure_future(p.live()) for p in self.people]

    async def go(self):
        self.is_over = True
        for life in self.lives:
            life.cancel()
        await asyncio.gather(*self.lives, return_exceptions=True)
