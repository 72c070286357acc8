"""People in one room of the chat who talk all the time, come back when they are cut off, and remember all they hear.

They live on a thread of their own, so that whoever makes the faults may block.
"""

import asyncio
import json
import socket
import threading
import time

from chaos.account import Stay, cost, missing
from harness import SLOW
from ws import Client

ROOM = "1"
SAY_EVERY_S = 0.1
COME_BACK_S = 0.1  # between two tries
CONNECT_S = 5.0
LOGIN_S = 3.0  # who got no answer by then leaves and comes again: the login may have died with a worker


class Person:
    """Says a numbered message every tenth of a second while connected."""

    def __init__(self, crowd, name, host, address, port):
        self.crowd, self.name, self.host, self.address, self.port = crowd, name, host, address, port
        self.stay = None
        self.said_n = 0

    async def live(self):
        while True:
            try:
                await self._visit()
            except (OSError, asyncio.TimeoutError):
                pass  # nobody answers: that is what is measured
            await asyncio.sleep(COME_BACK_S)

    async def _visit(self):
        """From connecting until the connection is closed."""
        stay = Stay(self.name, since=None)
        client = await self._connect(lambda client, text: self._hear(stay, json.loads(text)))
        try:
            client.send(json.dumps({"type": "login", "client_name": self.name, "room_id": ROOM}))
            await self._until(lambda: stay.since is not None or client.is_closed.is_set(), LOGIN_S)
            while stay.since is not None and not client.is_closed.is_set():
                if self.crowd.is_talking:
                    self._say(client)
                await asyncio.sleep(SAY_EVERY_S)
        finally:
            if stay.since is not None and self.crowd.is_watched:
                stay.until = time.monotonic()
            client.drop()

    async def _connect(self, on_text):
        with self.host.inside():
            sock = socket.socket()
        sock.setblocking(False)
        try:
            await asyncio.wait_for(self.crowd.loop.sock_connect(sock, (self.address, self.port)), CONNECT_S * SLOW)
        except BaseException:
            sock.close()
            raise
        return await Client.connect(self.port, on_text, sock=sock, timeout=CONNECT_S * SLOW)

    @staticmethod
    async def _until(check, seconds):
        deadline = time.monotonic() + seconds * SLOW
        while not check() and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    def _say(self, client):
        self.said_n += 1
        key = f"{self.name} {self.said_n}"
        self.crowd.said[key] = time.monotonic()
        client.send(json.dumps({"type": "say", "to_client_id": "all", "content": key}))

    def _hear(self, stay, message):
        now = time.monotonic()
        if message["type"] == "say":
            stay.hear(message["content"], now)
        elif message["type"] == "login" and "client_list" in message and stay.since is None:
            stay.since = now
            self.crowd.stays.append(stay)


class Crowd:
    """`seats`: for each person the host, and the address and port that it connects with."""

    def __init__(self, seats):
        self.said, self.stays = {}, []
        self.is_talking = self.is_watched = True
        self.people = [Person(self, f"p{n}", *seat) for n, seat in enumerate(seats)]
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        asyncio.set_event_loop(self.loop)
        tasks = [self.loop.create_task(person.live()) for person in self.people]
        self.loop.run_forever()
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.close()

    def _look(self, fn):
        """fn's result, computed on the thread of the crowd while nothing changes."""
        done = asyncio.run_coroutine_threadsafe(self._call(fn), self.loop)
        return done.result(60 * SLOW)

    @staticmethod
    async def _call(fn):
        return fn()

    def present_n(self):
        return self._look(lambda: sum(stay.until is None for stay in self.stays))

    def heard_n(self):
        return self._look(lambda: sum(len(stay.heard) for stay in self.stays))

    def is_all_heard(self):
        return self._look(lambda: not missing(self.said, self.stays))

    def hush(self):
        """Nobody says anything from now on."""
        self._look(lambda: setattr(self, "is_talking", False))
        return time.monotonic()

    def cost(self, begun, ended):
        return self._look(lambda: cost(self.said, self.stays, begun, ended))

    def end(self):
        self.is_watched = False
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
