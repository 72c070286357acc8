"""kill -9 of the processes that no chatter is connected with: web, service and queue. What it costs is told by who calls
them all the while."""

import asyncio
import functools
import json
import os
import shutil
import signal
import socket
import threading
import time

from chaos.stage import Fault, Limit, Stage
from harness import ROOT, SLOW, free_ports, wait_until
from redis_server import RedisServer
from ws import Client

CALL_EVERY_S = 0.01
CALLS_S = 1.0  # before and after the strike
ORDERS_N, ORDER_EVERY_S = 400, 0.005
KEY = "push:orders"


class Callers:
    """Calls one after the other over HTTP, each on a connection of its own; on a thread, so that a strike may block."""

    def __init__(self, port, path):
        self.port, self.path = port, path
        self.failed_n, self.waits = 0, []
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self):
        self.thread.start()
        time.sleep(CALLS_S)
        return self

    def __exit__(self, *_):
        time.sleep(CALLS_S)
        self.is_over.set()
        self.thread.join()

    def _run(self):
        while not self.is_over.wait(CALL_EVERY_S):
            begun = time.monotonic()
            try:
                with socket.create_connection(("127.0.0.1", self.port), 10 * SLOW) as s:
                    s.sendall(f"GET {self.path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                    answer = s.recv(64)
            except OSError:
                answer = b""
            self.failed_n += not answer.startswith(b"HTTP/1.1 200 ")
            self.waits.append(time.monotonic() - begun)

    def words(self):
        return f"of {len(self.waits)} calls {self.failed_n} got no answer; the slowest took {max(self.waits):.2f} s"


class Served(Stage):
    """A stage with one more process, of `section`, which is text with the port in it."""

    def __init__(self, folder, section):
        self.port = free_ports()
        super().__init__(folder, more=section.format(port=self.port))
        wait_until(self.is_whole, 20, "all serve")


def _replace(stage, kind):
    """Kills the only one and waits for its successor."""
    before = stage.site.pids(kind)
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: stage.has_successor(kind, before), 20, f"a new {kind}")


def _kill_called(kind, path):
    """Twice, so that calls are under way at one of them."""
    def strike(stage):
        with Callers(stage.port, path) as callers:
            _replace(stage, kind)
            _replace(stage, kind)
        assert callers.failed_n <= 2, "who is served is cut off, nobody else"
        return callers.words() + "; killed twice"
    return strike


class Queued(Stage):
    """A stage whose queue process takes orders out of a Redis of its own."""

    def __init__(self, folder):
        self.redis = RedisServer(folder / "redis")
        super().__init__(folder, more=f"\n[queue orders]\nredis = {self.redis.url}\nregister_address = "
                                      "127.0.0.1:{registry}\n")
        wait_until(self.is_whole, 20, "all serve")

    def end(self):
        super().end()
        self.redis.end()


def _kill_queue(stage):
    """An application orders and orders; somebody counts what arrives."""
    seen = []

    def order():
        for n in range(ORDERS_N):
            message = json.dumps({"type": "order", "n": n})
            stage.redis("RPUSH", KEY, json.dumps({"call": "sendToAll", "message": message}))
            time.sleep(ORDER_EVERY_S)

    def hear(_, payload):
        message = json.loads(payload)
        if message["type"] == "order":
            seen.append((message["n"], time.monotonic()))

    async def scenario():
        client = await Client.connect(stage.ports.port, hear)
        ordering = asyncio.create_task(asyncio.to_thread(order))
        for _ in range(2):
            await asyncio.sleep(ORDERS_N * ORDER_EVERY_S / 4)
            await asyncio.to_thread(_replace, stage, "queue")
        await ordering
        await asyncio.to_thread(wait_until, lambda: len({n for n, _ in seen}) == ORDERS_N, 30, "every order is carried out")
        client.drop()

    asyncio.run(scenario())
    pause = max(b - a for (_, a), (_, b) in zip(seen, seen[1:]))
    return (f"killed twice: of {ORDERS_N} orders none is lost, {len(seen) - ORDERS_N} were carried out twice, "
            f"and {pause:.2f} s was the longest pause")


WEB = f"\n[web]\nlisten = http://127.0.0.1:{{port}}\nroot = {ROOT}/apps/chat/web\n"
SERVICE = f"\n[service hello]\nlisten = http://127.0.0.1:{{port}}\nmodule = {ROOT}/examples/http-hello/hello.c\n"

FAULTS = [
    Fault("`kill -9` of the web process", _kill_called("web", "/health"), Limit(),
          functools.partial(Served, section=WEB)),
    Fault("`kill -9` of a service", _kill_called("service", "/"), Limit(), functools.partial(Served, section=SERVICE)),
    *([Fault("`kill -9` of the queue process", _kill_queue, Limit(), Queued)] if shutil.which("redis-server") else []),
]
