"""One gateway and NATS, with messages written by hand as docs/cluster.md has them: orders, questions, presence, and what
the gateway is subscribed to."""

import asyncio
import base64
import struct
import time

import pytest

import wire
from harness import SLOW, Ports, wait_until
from nats_server import NatsClient, NatsServer
from ws import Client

SEND_TO_ONE, SEND_TO_ALL, SEND_TO_GROUP, COUNT_BY_GROUP, COUNTS_BY_GROUPS, RECEIPT = 5, 6, 22, 24, 28, 227
BIND_UID, JOIN_GROUP, LEAVE_GROUP, SELECT, REPLY, WORKER_CONNECT = 12, 20, 21, 25, 226, 200
ON_WEBSOCKET_CONNECT = 205
ORDER, ANSWER, HERE, LEFT, WHO = 1, 2, 3, 4, 5


@pytest.fixture
def nats(tmp_path):
    server = NatsServer(tmp_path / "nats")
    yield server
    server.kill()


def envelope(kind, *packets, question=0, spared=()):
    """spared: (ip, port) of gateways that do not take it."""
    head = struct.pack(">BBHI", 1, kind, len(spared), question)
    return head + b"".join(struct.pack(">IH", ip, port) for ip, port in spared) + b"".join(packets)


def safe(name):
    return base64.urlsafe_b64encode(name).rstrip(b"=").decode()


class Host:
    """A gateway without workers; its clients join by the inner port."""

    def __init__(self, site, nats, cluster="", secret="s3cret", urls=None):
        self.ports = Ports(1)
        text = (f"[master]\n[registry]\nlisten = text://127.0.0.1:{self.ports.registry}\nsecret_key = {secret}\n"
                f"[gateway g]\nlisten = websocket://127.0.0.1:{self.ports.port}\nlan_ip = 127.0.0.1\n"
                f"start_port = {self.ports.inner}\nregister_address = 127.0.0.1:{self.ports.registry}\n"
                f"secret_key = {secret}\nping_interval = 0\n[cluster]\n")
        text += "".join(f"nats = {url}\n" for url in urls or [nats.url]) + cluster
        self.server = site(text)
        self.server.start(self.ports.port, self.ports.inner)
        self.at = f"7f000001{self.ports.inner:04x}"
        self.peer = wire.Peer.connect(self.ports.inner, 10 * SLOW)
        self.peer.send(wire.pack(WORKER_CONNECT, body=b'{"worker_key":"t","secret_key":"%s"}' % secret.encode()))

    def subjects(self, nats):
        """What the gateway is subscribed to."""
        return set(dict(nats.connections()).get("gatehouse gateway g #0", []))

    def wait(self, nats, *subjects):
        wait_until(lambda: set(subjects) <= self.subjects(nats), 20, f"subscribed to {subjects}")

    def command(self, *packets):
        self.peer.send(b"".join(packets))

    async def client(self, *groups, uid=None):
        client = await Client.connect(self.ports.port)
        while (event := self.peer.packet()).cmd != ON_WEBSOCKET_CONNECT:
            pass
        client.id = event.connection_id
        self.command(*(wire.pack(JOIN_GROUP, connection_id=client.id, ext=g) for g in groups))
        if uid:
            self.command(wire.pack(BIND_UID, connection_id=client.id, ext=uid))
        return client


async def text(client):
    return await asyncio.wait_for(client.inbox.get(), 10 * SLOW)


def group_packet(group, body):
    return wire.pack(SEND_TO_GROUP, ext=b'{"group":["%s"],"exclude":null}' % group, body=body)


def test_gateway_announces_itself(site, nats):
    me = NatsClient(nats.port)
    me.subscribe("gatehouse.parts")
    host = Host(site, nats)
    subject, _, data = me.next()
    assert subject == "gatehouse.parts"
    version, kind, spared_n, question, ip, port, life = struct.unpack_from(">BBHIIHQ", data)
    assert (version, kind, spared_n, question) == (1, HERE, 0, 0)
    assert (ip, port) == (0x7f000001, host.ports.inner)
    host.wait(nats, "gatehouse.all")
    me.publish("gatehouse.all", envelope(WHO))
    assert me.next()[2][:8 + 14] == data[:8 + 14]
    assert me.next()[2] == data, "the next beat"
    host.server.stop()
    while (data := me.next()[2])[1] == HERE:
        pass
    assert struct.unpack_from(">BBHIIHQ", data) == (1, LEFT, 0, 0, ip, port, life)
    me.close()


def test_orders_reach_clients(site, nats):
    async def main():
        host = Host(site, nats)
        a, b = await host.client(b"room.1 *", uid=b"\xff\x00>"), await host.client()
        host.wait(nats, "gatehouse.all", f"gatehouse.at.{host.at}", "gatehouse.g." + safe(b"room.1 *"),
                  "gatehouse.u." + safe(b"\xff\x00>"))
        me = NatsClient(nats.port)
        me.publish("gatehouse.g." + safe(b"room.1 *"), envelope(ORDER, group_packet(b"room.1 *", b"to the room")))
        me.publish("gatehouse.all", envelope(ORDER, wire.pack(SEND_TO_ALL, body=b"to all")))
        me.publish("gatehouse.all", envelope(ORDER, wire.pack(SEND_TO_ALL, body=b"not here"),
                                             spared=[(1, 2), (0x7f000001, host.ports.inner)]))
        me.publish(f"gatehouse.at.{host.at}", envelope(ORDER, wire.pack(SEND_TO_ONE, connection_id=b.id, body=b"to b"),
                                                       wire.pack(SEND_TO_ONE, connection_id=a.id, body=b"to a")))
        assert [await text(a) for _ in range(3)] == [b"to the room", b"to all", b"to a"]
        assert [await text(b) for _ in range(2)] == [b"to all", b"to b"]
        assert a.inbox.empty() and b.inbox.empty()
        me.close()

    asyncio.run(main())


def test_questions_are_answered_in_parts(site, nats):
    async def main():
        host = Host(site, nats)
        clients = [await host.client(b"g") for _ in range(3)]
        host.wait(nats, "gatehouse.all", "gatehouse.g." + safe(b"g"))
        me = NatsClient(nats.port)
        me.subscribe("mine.>")
        me.publish("gatehouse.all", envelope(ORDER, group_packet(b"g", b"hello"), wire.pack(RECEIPT), question=7),
                   reply="mine.a")
        me.publish("gatehouse.all", envelope(ORDER, wire.pack(COUNT_BY_GROUP), question=8), reply="mine.b")
        for subject, question, value in (("mine.a", 7, b"i:3;"), ("mine.b", 8, b"i:3;")):
            got, _, data = me.next()
            assert got == subject
            assert struct.unpack_from(">BBHIIH", data) == (1, ANSWER, 0, question, 0x7f000001, host.ports.inner)
            packet = wire.Packet(data[14:])
            assert (packet.cmd, packet.body) == (REPLY, value)
        for client in clients:
            assert await text(client) == b"hello"
        me.close()

    asyncio.run(main())


def test_bad_question_costs_nobody_else_an_answer(site, nats):
    """An array among the groups: refused at once, while the questions around it, which share its way, are answered."""
    host = Host(site, nats)
    host.wait(nats, "gatehouse.all")
    me = NatsClient(nats.port)
    me.subscribe("mine")
    good, bad = wire.pack(COUNT_BY_GROUP), wire.pack(COUNTS_BY_GROUPS, ext=b'["a",["b"]]')
    asked = [good, bad, good, bad, good] * 20
    for question, packet in enumerate(asked, 1):
        me.publish("gatehouse.all", envelope(ORDER, packet, question=question), reply="mine")
    for question, packet in enumerate(asked, 1):
        data = me.next()[2]
        assert struct.unpack_from(">BBHI", data) == (1, ANSWER, 0, question)
        answer = wire.Packet(data[14:])
        assert (answer.cmd, answer.flag, answer.body) == ((REPLY, 0, b"i:0;") if packet is good else (REPLY, 1, b""))
    assert "a query of inner peer" in host.server.log()
    me.close()


def test_nonsense_is_ignored(site, nats):
    async def main():
        host = Host(site, nats)
        a = await host.client()
        host.wait(nats, "gatehouse.all")
        me = NatsClient(nats.port)
        me.subscribe("mine")
        hello = wire.pack(SEND_TO_ALL, body=b"hello")
        for data in (b"", b"\x01", b"\x02" + envelope(ORDER, hello)[1:], envelope(9, hello), envelope(ORDER, hello)[:-1],
                     envelope(ORDER, hello, b"\0\0\0"), envelope(ORDER, wire.pack(WORKER_CONNECT, body=b"{}")),
                     envelope(ORDER, wire.pack(COUNT_BY_GROUP)), envelope(ORDER, hello, question=3),
                     envelope(ORDER, wire.pack(COUNT_BY_GROUP), wire.pack(COUNT_BY_GROUP), question=4),
                     struct.pack(">BBHI", 1, ORDER, 65535, 0) + hello, envelope(ANSWER), envelope(HERE)):
            me.publish("gatehouse.all", data, reply="mine")
        me.publish("gatehouse.all", envelope(ORDER, wire.pack(SEND_TO_ALL, body=b"sound")))
        me.publish("gatehouse.all", envelope(ORDER, wire.pack(COUNT_BY_GROUP), question=5), reply="mine")
        assert await text(a) == b"sound"
        assert struct.unpack_from(">BBHI", me.next()[2]) == (1, ANSWER, 0, 5)
        assert "not sound" in host.server.log()
        me.close()

    asyncio.run(main())


def test_churn_costs_few_subscriptions(site, nats):
    """Ten thousand joins and as many leaves, again and again in the same hundred groups."""
    async def main():
        host = Host(site, nats)
        clients = [await host.client() for _ in range(10)]
        names = [b"churn%d" % i for i in range(100)]
        host.wait(nats, "gatehouse.all")
        before = nats.look("subsz")
        began = time.monotonic()
        changes = 0
        for _ in range(10):
            for client in clients:
                for cmd in (JOIN_GROUP, LEAVE_GROUP):
                    host.command(*(wire.pack(cmd, connection_id=client.id, ext=name) for name in names))
                    changes += len(names)
        assert changes == 20000
        host.command(wire.pack(JOIN_GROUP, connection_id=clients[0].id, ext=b"last"))
        host.wait(nats, "gatehouse.g." + safe(b"last"))
        took = time.monotonic() - began
        after = nats.look("subsz")
        added = after["num_inserts"] - before["num_inserts"]
        # Each name once per second at most: what was let go stays for that long.
        assert added <= 100 * (took + 1) + 1, f"{added} subscriptions in {took:.1f} s for {changes} joins and leaves"
        wait_until(lambda: "gatehouse.g." + safe(b"churn7") not in host.subjects(nats), 20, "unsubscribed in the end")

    asyncio.run(main())


def test_server_comes_back(site, nats):
    async def main():
        host = Host(site, nats)
        a = await host.client(b"before")
        host.wait(nats, "gatehouse.all", "gatehouse.g." + safe(b"before"))
        nats.kill()
        wait_until(lambda: "lost NATS" in host.server.log(), 20, "the loss is told")
        host.command(wire.pack(JOIN_GROUP, connection_id=a.id, ext=b"meanwhile"),
                     wire.pack(LEAVE_GROUP, connection_id=a.id, ext=b"before"))
        nats.start()
        host.wait(nats, "gatehouse.all", f"gatehouse.at.{host.at}", "gatehouse.g." + safe(b"meanwhile"))
        me = NatsClient(nats.port)
        me.publish("gatehouse.g." + safe(b"meanwhile"), envelope(ORDER, group_packet(b"meanwhile", b"back")))
        assert await text(a) == b"back"
        me.close()

    asyncio.run(main())


def test_works_alone_without_a_server(site, nats):
    async def main():
        nats.kill()
        host = Host(site, nats)
        wait_until(lambda: "no server can be reached yet" in host.server.log(), 20, "it is told")
        a = await host.client(b"g")
        host.command(group_packet(b"g", b"hello"))
        assert await text(a) == b"hello"
        nats.start()
        host.wait(nats, "gatehouse.all", "gatehouse.g." + safe(b"g"))

    asyncio.run(main())


@pytest.mark.parametrize("line, word", [
    ("nats = http://127.0.0.1", "nats://host:4222"),
    ("nats = nats://127.0.0.1\nname = a b", "letters, digits"),
    ("nats = nats://127.0.0.1\nname = a..b", "letters, digits"),
    ("nats = nats://127.0.0.1\npassword = x", "needs user"),
    ("nats = nats://127.0.0.1\ntls_ca = nowhere.pem", "cannot be read"),
    ("nats = nats://127.0.0.1\ntls_cert = nowhere.pem", "needs tls_key"),
    ("nats = nats://127.0.0.1\nnkey = UABC", "needs nkey_seed"),
    ("name = a", "nats"),
])
def test_wrong_keys_are_named(site, line, word):
    done = site(f"[registry]\nlisten = text://127.0.0.1:1\n[cluster]\n{line}\n").command("check")
    assert done.returncode != 0
    assert word in done.stdout + done.stderr and "[cluster]" in done.stdout + done.stderr
