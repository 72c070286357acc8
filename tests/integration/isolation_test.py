"""A gateway or a worker that is stuck is noticed, and holds up nobody else."""

import asyncio
import os
import signal
import time

from harness import ROOT, SLOW, Ports, chat_conf, wait_until
from ws import Client, frame

MODULE = ROOT / "tests" / "integration" / "modules" / "counting.c"
NOTICED_S = 10


def rows(server, kind):
    return sorted((r for r in server.status()["processes"] if r["kind"] == kind), key=lambda r: r["slot"])


def said(server, text):
    return text in server.log() + server.output()


async def ask(client, text, answer):
    client.transport.write(frame(text))
    got = await asyncio.wait_for(client.inbox.get(), 30 * SLOW)
    assert got.endswith(answer), got


async def one_on_each(server, port):
    """A client on each of two gateway processes; the kernel chooses, so there may be more."""
    clients = []
    while not all(r["connections"] > 0 for r in rows(server, "gateway")):
        clients.append(await Client.connect(port))
        assert len(clients) < 200
    return clients


def make_site(site, workers):
    ports = Ports(2)
    text = chat_conf(gateways=2, workers=workers, events=MODULE, registry=ports.registry, port=ports.port,
                     inner=ports.inner, gateway="ping_interval = 0")
    return site(text).start(ports.port, ports.registry, ports.inner, ports.inner + 1), ports



async def who_still_answers(clients):
    for client in clients:
        client.transport.write(frame(b"here?"))
    done = await asyncio.gather(*(asyncio.wait_for(c.inbox.get(), 5 * SLOW) for c in clients), return_exceptions=True)
    return [c for c, got in zip(clients, done) if not isinstance(got, Exception)]


def test_a_stuck_gateway_is_noticed_and_holds_up_nobody(site):
    async def main(server, ports):
        clients = await one_on_each(server, ports.port)
        for client in clients:
            await ask(client, b"join xx", b"joined")
        stuck = rows(server, "gateway")[0]
        os.kill(stuck["pid"], signal.SIGSTOP)
        try:
            since = time.monotonic()
            alive = await who_still_answers(clients)
            assert 0 < len(alive) < len(clients)
            # While nobody has noticed yet, and afterwards, messages between the others go on.
            while not said(server, "has said nothing for"):
                assert time.monotonic() - since < (NOTICED_S + 1) * SLOW
                alive[0].transport.write(frame(b"group xx"))
                for client in alive:
                    assert await asyncio.wait_for(client.inbox.get(), 5 * SLOW) == b"group xx"
                await asyncio.sleep(0.2)
            assert said(server, f"gateway 127.0.0.1:{ports.inner} has said nothing")
            await asyncio.to_thread(wait_until, lambda: rows(server, "worker")[0]["unheard"] == 1)
            alive[0].transport.write(frame(b"group xx again"))
            for client in alive:
                assert await asyncio.wait_for(client.inbox.get(), 5 * SLOW) == b"group xx again"
        finally:
            os.kill(stuck["pid"], signal.SIGCONT)
        await asyncio.to_thread(wait_until, lambda: said(server, f"gateway 127.0.0.1:{ports.inner} is back"))
        await asyncio.to_thread(wait_until, lambda: rows(server, "worker")[0]["unheard"] == 0)
        # What was queued for it was not lost.
        for client in set(clients) - set(alive):
            while await asyncio.wait_for(client.inbox.get(), 30 * SLOW) != b"group xx again":
                pass
        for client in clients:
            client.transport.close()

    server, ports = make_site(site, 1)
    asyncio.run(main(server, ports))


def test_a_stuck_worker_is_noticed_and_gets_nobody_new(site):
    async def main(server, ports):
        stuck = rows(server, "worker")[0]
        os.kill(stuck["pid"], signal.SIGSTOP)
        try:
            await asyncio.to_thread(wait_until, lambda: all(r["unheard"] == 1 for r in rows(server, "gateway")),
                                    NOTICED_S + 1)
            assert said(server, "has said nothing for")
            clients = [await Client.connect(ports.port) for _ in range(8)]
            for client in clients:
                await ask(client, b"who is there", b"who is there")
        finally:
            os.kill(stuck["pid"], signal.SIGCONT)
        await asyncio.to_thread(wait_until, lambda: all(r["unheard"] == 0 for r in rows(server, "gateway")))
        for client in clients:
            client.transport.close()

    server, ports = make_site(site, 2)
    asyncio.run(main(server, ports))
