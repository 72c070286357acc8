"""A gateway leaves: its clients come back elsewhere, a few at a time, and nobody else notices."""

import asyncio
import subprocess
import time

import ws
from harness import BINARY, ROOT, SLOW, Ports, chat_conf, wait_until
from sse_test import Stream
from ws import frame

MODULE = ROOT / "tests" / "integration" / "modules" / "counting.c"
CLIENTS = 500


class Client(ws.Client):
    """Answers a goodbye at once, as browsers do (RFC 6455 §5.5.1)."""

    def _frame(self, first, payload):
        super()._frame(first, payload)
        if first & 15 == 8:
            self.transport.write(frame(payload, opcode=8))


def gateways(server):
    return sorted((r for r in server.status()["processes"] if r["kind"] == "gateway"), key=lambda r: r["slot"])


def make_site(site, gateways=2, gateway=""):
    ports = Ports(gateways)
    text = chat_conf(gateways=gateways, events=MODULE, registry=ports.registry, port=ports.port, inner=ports.inner,
                     gateway=gateway)
    return site(text).start(ports.port, ports.registry, *range(ports.inner, ports.inner + gateways)), ports


async def talk(clients, stop):
    """Messages of two who stay reach each other all the time; how many."""
    n = 0
    while not stop.is_set():
        n += 1
        text = f"group xx {n}".encode()
        clients[0].transport.write(frame(text))
        for client in clients:
            assert await asyncio.wait_for(client.inbox.get(), 20 * SLOW) == text
        await asyncio.sleep(0.02)
    return n


async def come_back(client, port, codes):
    """As a page does: a client that is told to come back does so, without being refused."""
    await client.is_closed.wait()
    codes.append(client.close_code)
    return await Client.connect(port)


async def join_those_who_stay(clients):
    """Into the group that they talk in."""
    for client in clients:
        client.transport.write(frame(b"join xx"))
        assert await asyncio.wait_for(client.inbox.get(), 20 * SLOW) == b"joined"


def drain(server, *words):
    return subprocess.run([str(BINARY), "drain", *words, "-c", str(server.conf)], capture_output=True, text=True,
                          timeout=120 * SLOW)


def test_clients_of_a_drained_gateway_come_back_on_the_other(site):
    async def main(server, ports):
        port = ports.port
        before = {r["slot"]: r for r in gateways(server)}
        stayers = []
        while len(stayers) < 2:
            client = await Client.connect(port)
            await asyncio.to_thread(wait_until, lambda: sum(r["connections"] for r in gateways(server)) > 0)
            if gateways(server)[1]["connections"] > len(stayers):
                stayers.append(client)
            else:
                client.transport.close()
                await asyncio.to_thread(wait_until, lambda: gateways(server)[0]["connections"] == 0)
        await join_those_who_stay(stayers)
        clients = [await Client.connect(port) for _ in range(CLIENTS)]
        codes, stop = [], asyncio.Event()
        talking = asyncio.create_task(talk(stayers, stop))
        back = [asyncio.create_task(come_back(c, port, codes)) for c in clients]
        done = await asyncio.to_thread(drain, server, str(before[0]["pid"]), "--rate", "200")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "clients left" in done.stdout and "undrain" in done.stdout
        rows = gateways(server)
        assert [r["slot"] for r in rows] == [1]
        await asyncio.to_thread(wait_until, lambda: gateways(server)[0]["connections"] == CLIENTS + 2)
        assert 0 < len(codes) < CLIENTS and set(codes) == {1012}
        stop.set()
        assert await talking > 10
        # Nobody has lost a client's goodbye on the way, and nobody is counted twice.
        assert rows[0]["lost"] == 0
        assert server.command("undrain", "chat").returncode == 0
        await asyncio.to_thread(wait_until, lambda: len(gateways(server)) == 2)
        more = [await Client.connect(port) for _ in range(20)]
        await asyncio.to_thread(wait_until, lambda: gateways(server)[0]["connections"] > 0)
        for client in [*more, *stayers, *clients]:
            client.transport.close()
        for task in back:
            (await task).transport.close()

    server, ports = make_site(site)
    asyncio.run(main(server, ports))


def test_with_restart_a_new_process_follows(site):
    async def main(server, ports):
        clients = [await Client.connect(ports.port) for _ in range(20)]
        pids = {r["pid"] for r in gateways(server)}
        done = await asyncio.to_thread(drain, server, "--seconds", "1", "--restart")
        assert done.returncode == 0 and "a new process starts" in done.stdout, done.stdout + done.stderr
        for client in clients:
            await asyncio.wait_for(client.is_closed.wait(), 20 * SLOW)
            assert client.close_code == 1012
        await asyncio.to_thread(wait_until, lambda: server.is_ready() and len(gateways(server)) == 2)
        assert pids.isdisjoint(r["pid"] for r in gateways(server))
        client = await Client.connect(ports.port)
        client.transport.close()

    server, ports = make_site(site)
    asyncio.run(main(server, ports))


def test_nobody_is_refused_while_a_gateway_leaves(site):
    """Who comes while it does is served by it or by the other one: no connection is reset, no handshake unanswered."""
    async def come_and_go(port, is_over, codes):
        while not is_over.is_set():
            client = await Client.connect(port)
            await asyncio.sleep(0.02)
            codes.append(client.close_code)
            client.transport.close()

    async def main(server, ports):
        is_over, codes = asyncio.Event(), []
        guests = [asyncio.create_task(come_and_go(ports.port, is_over, codes)) for _ in range(10)]
        await asyncio.to_thread(wait_until, lambda: len(codes) > 20)
        done = await asyncio.to_thread(drain, server, str(gateways(server)[0]["pid"]), "--seconds", "1")
        assert done.returncode == 0, done.stdout + done.stderr
        before = len(codes)
        await asyncio.to_thread(wait_until, lambda: len(codes) > before + 20)
        is_over.set()
        await asyncio.gather(*guests)
        assert set(codes) <= {None, 1012}

    server, ports = make_site(site)
    asyncio.run(main(server, ports))


def test_pages_without_websocket_leave_at_the_same_pace(site):
    """Twenty, ten each second: that takes two seconds, and each hears why."""
    server, ports = make_site(site, gateways=1, gateway="sse = true")
    streams = [Stream(ports.port, path="/sse") for _ in range(20)]
    since = time.monotonic()
    leaving = subprocess.Popen([str(BINARY), "drain", "--rate", "10", "-c", str(server.conf)], stdout=subprocess.PIPE, text=True)
    for stream in streams:
        assert stream.event()[1:] == ("close", "1012 service restart")
        stream.close()
    took = time.monotonic() - since
    text, _ = leaving.communicate(timeout=60 * SLOW)
    assert leaving.returncode == 0, text
    assert took >= 1.9


def test_a_graceful_stop_overtakes_a_drain(site):
    """Whoever waits for the drain is told, and the clients that are left do not hold up the stop."""
    async def main(server, ports):
        clients = [await Client.connect(ports.port) for _ in range(20)]
        leaving = subprocess.Popen([str(BINARY), "drain", "--rate", "1", "-c", str(server.conf)], stdout=subprocess.PIPE,
                                   text=True)
        await asyncio.wait_for(asyncio.wait([asyncio.create_task(c.is_closed.wait()) for c in clients],
                                            return_when=asyncio.FIRST_COMPLETED), 20 * SLOW)
        stopped = await asyncio.to_thread(server.command, "stop", "-g")
        assert stopped.returncode == 0, stopped.stdout + stopped.stderr
        for client in clients:
            await asyncio.wait_for(client.is_closed.wait(), 20 * SLOW)
        assert {client.close_code for client in clients} == {1001, 1012}
        text, _ = await asyncio.to_thread(leaving.communicate, timeout=60 * SLOW)
        assert leaving.returncode == 1 and "ended with the server" in text, text

    server, ports = make_site(site, gateways=1)
    asyncio.run(main(server, ports))


def test_who_is_not_there_cannot_leave(site):
    server, _ = make_site(site)
    done = drain(server, "nobody")
    assert done.returncode == 1 and "no gateway has that name" in done.stdout
    assert drain(server, "--rate", "none").returncode == 2
    assert drain(server, "worker").returncode == 1
