"""A message to a group or uid goes to the gateways that hold a member, and to no other."""

import asyncio
import random

from harness import ROOT, SLOW, Ports, chat_conf, wait_until
from ws import Client, frame

GATEWAYS, CLIENTS, ROOMS = 16, 64, 200
MODULE = ROOT / "tests" / "integration" / "modules" / "counting.c"


def rows(server, kind):
    return sorted((r for r in server.status()["processes"] if r["kind"] == kind), key=lambda r: r["slot"])


def gateways(server):
    return rows(server, "gateway")


def sends(server):
    return [row["sends"] for row in gateways(server)]


def name(i):
    """Two bytes, as the module has it."""
    return chr(ord("A") + i // 20) + chr(ord("a") + i % 20)


def make_site(site, gateway="", gateways_n=GATEWAYS, workers_n=1):
    ports = Ports(gateways_n)
    text = chat_conf(gateways=gateways_n, workers=workers_n, events=MODULE, registry=ports.registry, port=ports.port,
                     inner=ports.inner, gateway=gateway)
    server = site(text).start(ports.port, ports.registry, *range(ports.inner, ports.inner + gateways_n))
    wait_until(lambda: [r["links"] for r in gateways(server)] == [workers_n] * gateways_n,
               what="each worker on all gateways")
    return server, ports


async def say(client, text, answer):
    client.transport.write(client_frame(text))
    assert await asyncio.wait_for(client.inbox.get(), 30) == answer


def client_frame(text):
    return frame(text.encode())


async def come_in(server, port, clients_n=CLIENTS):
    """Clients one after another, so that the counts of the processes tell where each is."""
    clients = []
    before = [row["connections"] for row in gateways(server)]
    for _ in range(clients_n):
        client = await Client.connect(port)
        now = await asyncio.to_thread(wait_until, lambda: changed(server, before), what="the client counted")
        client.at = next(i for i in range(len(now)) if now[i] != before[i])
        before = now
        clients.append(client)
    return clients


def changed(server, before):
    now = [row["connections"] for row in gateways(server)]
    return now if now != before else None


async def join_some(clients, rng):
    members = {}
    for i in range(ROOMS):
        room = name(i)
        members[room] = rng.sample(clients, rng.choice((0, 1, 1, 2, 5)))
        for client in members[room]:
            await say(client, f"join {room}", b"joined")
    return members


async def copies_of(server, sender, room, members):
    """How many copies each gateway got of one message; each member has heard it once."""
    text = f"group {room}"
    before = sends(server)
    sender.transport.write(client_frame(text))
    for client in members:
        assert await asyncio.wait_for(client.inbox.get(), 30) == text.encode()
    # The answer to what comes behind it on every link shows that the message was sent, to whomever.
    sender.transport.write(client_frame("?"))
    while (await asyncio.wait_for(sender.inbox.get(), 30))[-1:] != b"?":
        pass
    after = await asyncio.to_thread(sends, server)
    copies = [b - a for a, b in zip(before, after)]
    copies[sender.at] -= 1  # that answer
    return copies


def test_copies_per_message_are_the_gateways_that_hold_members(site):
    async def main(server, port):
        rng = random.Random(16)
        clients = await come_in(server, port)
        members = await join_some(clients, rng)
        sender = clients[0]
        for room in rng.sample(sorted(members), 40):
            heard = [c for c in members[room] if c is not sender]
            copies = await copies_of(server, sender, room, heard)
            holders = {c.at for c in members[room]}
            assert copies == [int(i in holders) for i in range(GATEWAYS)], room
        # Who has left is not sent anything any more: the gateway's word.
        room = next(r for r in members if len(members[r]) == 1 and members[r][0] is not sender)
        members[room][0].transport.close()
        await asyncio.to_thread(wait_until, lambda: sum(r["connections"] for r in gateways(server)) == CLIENTS - 1)
        assert await copies_of(server, sender, room, []) == [0] * GATEWAYS
        worker = next(r for r in server.status()["processes"] if r["kind"] == "worker")
        assert 0 < worker["interest_bytes"] < 64 * 1024
        for client in clients:
            client.transport.close()

    server, ports = make_site(site)
    asyncio.run(main(server, ports.port))


def test_a_gateway_with_too_many_names_gets_everything(site):
    async def main(server, port):
        one, two = await Client.connect(port), await Client.connect(port)
        for i in range(8):
            await say(one, f"join {name(i)}", b"joined")
        await say(two, f"join {name(0)}", b"joined")
        for client in (one, two):
            client.transport.write(client_frame(f"group {name(0)}"))
            for heard in (one, two):
                assert await asyncio.wait_for(heard.inbox.get(), 30) == f"group {name(0)}".encode()
        one.transport.close()
        two.transport.close()

    server, ports = make_site(site, "interest_max = 3")
    asyncio.run(main(server, ports.port))


async def worker_of(client):
    client.send("?")
    return int((await asyncio.wait_for(client.inbox.get(), 10 * SLOW)).split()[0])


def test_who_is_confirmed_in_a_group_hears_a_worker_that_has_not_read_of_it(site, tmp_path):
    """A worker is busy while a gateway tells it of the group's first member there. Meanwhile a message for the group comes
    from another gateway, in front of which the worker finds nothing but what came earlier still on that link."""
    held = tmp_path / "held"

    async def main(server, port):
        clients = await come_in(server, port, 24)
        for client in clients:
            client.worker = await worker_of(client)
        first = clients[0]
        holder, sender = [c for c in clients if (c.at, c.worker) == (first.at, first.worker)][:2]
        other = next(c for c in clients if c.at == first.at and c.worker != first.worker)
        member = next(c for c in clients if c.at != first.at and c.worker != first.worker)
        holder.send(f"hold {held}")
        await asyncio.to_thread(wait_until, held.exists, what="the worker held up")
        holder.send("early")
        await worker_of(other)  # behind it at the gateway, which thus has written it to the worker
        await say(member, "join xx", b"joined")
        sender.send("group xx")
        await worker_of(other)
        held.unlink()
        assert await asyncio.wait_for(member.inbox.get(), 10 * SLOW) == b"group xx"
        for client in clients:
            client.transport.close()

    server, ports = make_site(site, gateways_n=2, workers_n=2)
    asyncio.run(main(server, ports.port))
