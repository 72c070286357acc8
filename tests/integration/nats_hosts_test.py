"""Three hosts that only NATS connects: who got what, and once; questions; servers that die; logins and TLS. Each host is a
server of its own with its own registry, a gateway and a worker."""

import asyncio
import base64
import os
import signal
import time

import pytest

from certs import Authority
from harness import ROOT, SLOW, Ports, chat_conf, wait_until
from nats_jwt import Operator
from nats_server import NatsCluster, NatsServer, need_nats
from ws import Client

EVENTS = ROOT / "tests/integration/modules/cluster_probe.c"


class Person:
    """A client of one host, that tells the probe what to do."""

    @classmethod
    async def connect(cls, host):
        self = cls()
        self.host = host
        self.client = await Client.connect(host.ports.port)
        self.id = await self.ask("id")
        return self

    def say(self, text):
        self.client.send(text)

    async def next(self, seconds=20):
        return (await asyncio.wait_for(self.client.inbox.get(), seconds * SLOW)).decode()

    async def ask(self, text):
        """What the probe says to it; nothing else may come before."""
        self.say(text)
        answer = await self.next()
        word = "=" + text.split()[0] + " "
        assert answer.startswith(word), answer
        return answer[len(word):]

    async def until(self, text, expected, seconds=20):
        """Asks again until that is the answer."""
        deadline = time.monotonic() + seconds * SLOW
        while (answer := await self.ask(text)) != expected:
            assert time.monotonic() < deadline, f"{text}: {answer}, not {expected}"
            await asyncio.sleep(0.05)


class Host:
    """One server: its registry, gateways and worker, and a person on it."""

    def __init__(self, site, name, urls, cluster="", gateways=1, extra=""):
        self.name, self.gateways = name, gateways
        self.ports = Ports(gateways)
        text = chat_conf(gateways=gateways, workers=1, events=EVENTS, registry=self.ports.registry, port=self.ports.port,
                         inner=self.ports.inner, gateway="ping_interval = 0")
        text += "\n[cluster]\n" + "".join(f"nats = {url}\n" for url in urls) + cluster + "\n" + extra
        self.server = site(text, folder=name)
        self.server.start(self.ports.port, *range(self.ports.inner, self.ports.inner + gateways))

    @property
    def addresses(self):
        return [f"127.0.0.1:{self.ports.inner + i}" for i in range(self.gateways)]

    def log(self):
        return self.server.log()

    def wait_for_others(self, hosts):
        """Until its worker knows the gateways of all others."""
        for host in hosts:
            if host is not self:
                for at in host.addresses:
                    wait_until(lambda: f"gateway {at} of host" in self.log(), 20, f"{self.name} knows {at}")


def start(site, urls, n=3, cluster="", gateways=1, extra=""):
    hosts = [Host(site, "abc"[i], urls, cluster, gateways, extra) for i in range(n)]
    for host in hosts:
        host.wait_for_others(hosts)
    return hosts


async def people_of(hosts, each=2):
    return [await Person.connect(host) for host in hosts for _ in range(each)]


async def subscribed(nats_servers, subject, n):
    """Until so many gateways of the cluster are subscribed to it."""
    def count():
        alive = [s for s in nats_servers if s.process.poll() is None]
        return sum(subject in subjects for s in alive for _, subjects in s.connections())

    deadline = time.monotonic() + 20 * SLOW
    while (found := count()) != n:
        assert time.monotonic() < deadline, f"{subject}: {found} subscriptions, not {n}"
        await asyncio.sleep(0.05)


async def accounted(people, expected):
    """Everybody got exactly these texts, in this order: a last one to each, sent by everybody, ends the list."""
    for sender in people:
        for receiver in people:
            sender.say(f"to {receiver.id} end")
    for person in people:
        got, ends = [], 0
        while ends < len(people):
            text = await person.next()
            if text == "end":
                ends += 1
            else:
                got.append(text)
        assert got == expected.get(person, []), f"{people.index(person)}: {got}"
    await asyncio.sleep(0.1)
    assert all(person.client.inbox.empty() for person in people)


@pytest.fixture
def nats(tmp_path):
    need_nats()
    cluster = NatsCluster(tmp_path / "nats")
    yield cluster
    cluster.end()


def group_subject(name):
    return "gatehouse.g." + base64.urlsafe_b64encode(name.encode()).rstrip(b"=").decode()


def test_every_delivery_once(site, nats):
    async def main():
        hosts = start(site, nats.urls, gateways=2)
        people = await people_of(hosts)
        a1, a2, b1, b2, c1, c2 = people
        for person in (a1, b1, b2):
            person.say("join room")
        for person in (b2, c1):
            person.say("join hall")
        for person in (a2, c2):
            person.say("uid twin")
        c1.say("uid one")
        await a1.until("groups", "0 hall room")
        await a1.until("everybody", "0 one twin")
        holders = len({a1.id[:12], b1.id[:12], b2.id[:12]})
        await subscribed(nats.servers, group_subject("room"), holders)

        expected = {person: [] for person in people}

        async def send(sender, text, *receivers):
            sender.say(text)
            for receiver in receivers:
                expected[receiver].append(text.split()[-1])
            # One after the other, so that the order at each receiver is known.
            for receiver in set(receivers):
                while len(heard[receiver]) < len(expected[receiver]):
                    heard[receiver].append(await receiver.next())
                assert heard[receiver] == expected[receiver]

        heard = {person: [] for person in people}
        for i, sender in enumerate((a1, b1, c1)):
            await send(sender, f"group room r{i}", a1, b1, b2)
            await send(sender, f"group room,hall rh{i}", a1, b1, b2, b2, c1)
            await send(sender, f"group nobody n{i}")
            await send(sender, f"uids twin t{i}", a2, c2)
            await send(sender, f"uids one,twin ot{i}", a2, c1, c2)
            await send(sender, f"all all{i}", *people)
            await send(sender, f"but * but{i}", *(p for p in people if p is not sender))
            await send(sender, f"but room butr{i}", *(p for p in (a1, b1, b2) if p is not sender))
            await send(sender, f"only {a2.id},{b1.id},{c2.id} only{i}", a2, b1, c2)
            for receiver in people:
                await send(sender, f"to {receiver.id} to{i}", receiver)
        await accounted(people, {})

    asyncio.run(main())


def test_questions_and_receipts(site, nats):
    async def main():
        hosts = start(site, nats.urls)
        people = await people_of(hosts)
        a1, a2, b1, b2, c1, c2 = people
        for person in people:
            person.say("join everywhere")
        for person in (b1, c1):
            person.say("join room")
            person.say("uid twin")
        ids = sorted(person.id for person in people)
        twins = sorted((b1.id, c1.id))
        for asker in (a1, b1, c1):
            await asker.until("count", "6")
            await asker.until("members everywhere", "0 " + " ".join(ids))
            await asker.until("members room", "0 " + " ".join(twins))
            await asker.until("of twin", "0 " + " ".join(twins))
            assert await asker.ask("clients") == "0 " + " ".join(ids)
            assert await asker.ask("groups") == "0 everywhere room"
            assert await asker.ask("everybody") == "0 twin"
            for person in people:
                assert await asker.ask(f"online {person.id}") == "1"
            assert await asker.ask("online 7f00000100010000ffff") == "0"
        for person in people:
            person.client.inbox = asyncio.Queue()

        async def counted(sender, text, answer, *receivers):
            sender.say(text)
            told, wanted = [], [text.split()[-1]]
            while not told:
                got = await sender.next()
                if got.startswith("="):
                    told.append(got)
                else:
                    assert got in wanted and sender in receivers
            assert told == [f"={text.split()[0]} {answer}"]
            for receiver in receivers:
                if receiver is not sender:
                    assert await receiver.next() == wanted[0]
            # The sender's own copy may come behind the receipt.
            if sender in receivers and not sender.client.inbox.empty():
                assert await sender.next() == wanted[0]

        await counted(a1, "counted room hello", "0 2 of 3", b1, c1)
        await counted(a1, f"counted {c2.id} hello", "0 1 of 1", c2)
        await counted(a2, f"countedbut * hello", "0 5 of 3", a1, b1, b2, c1, c2)
        await counted(b1, f"countedbut room hello", "0 1 of 3", c1)

        # Who was put in by another host gets what is sent right behind: its gateway need not have subscribed yet.
        for i in range(50):
            a1.say(f"welcome {c2.id} new{i}")
            assert await c2.next() == f"new{i}"

        # Commands about a client of another host.
        a1.say(f"enlist {c2.id} club")
        await a1.until("members club", f"0 {c2.id}")
        a1.say("dissolve club")
        await b1.until("members club", "0")
        a1.say(f"kick {c2.id}")
        assert await c2.next() == "kicked"
        await asyncio.wait_for(c2.client.is_closed.wait(), 20 * SLOW)
        await b1.until("count", "5")
        await a1.until(f"online {c2.id}", "0")

    asyncio.run(main())


def counted(host, kind, what):
    """A number of `status --json`, of all processes of that kind. One that is busy tells none: it is asked again."""
    deadline = time.monotonic() + 20 * SLOW
    while True:
        rows = [row for row in host.server.status()["processes"] if row["kind"] == kind]
        if all(what in row for row in rows):
            return sum(row[what] for row in rows)
        assert time.monotonic() < deadline, rows
        time.sleep(0.2)


def test_a_message_is_published_once_and_comes_where_a_member_is(site, nats):
    async def main():
        hosts = start(site, nats.urls)
        a_host, b_host, c_host = hosts
        a, b, c = await people_of(hosts, each=1)
        for person in (a, b):
            person.say("join room")
        await c.until("members room", "0 " + " ".join(sorted((a.id, b.id))))
        await subscribed(nats.servers, group_subject("room"), 2)
        wait_until(lambda: counted(a_host, "worker", "beyond") == 2, 20, "two gateways beyond")
        places = [(a_host, "worker", "nats_out"), (b_host, "gateway", "nats_in"), (c_host, "gateway", "nats_in")]
        before = [counted(*place) for place in places]
        for i in range(200):
            a.say(f"group room {i}")
        assert [int(await b.next()) for _ in range(200)] == list(range(200))
        wait_until(lambda: counted(*places[1]) - before[1] >= 200, 20, "counted")
        assert [counted(*place) - n for place, n in zip(places, before)] == [200, 200, 0]
        assert counted(a_host, "worker", "nats_lost") == 0

    asyncio.run(main())


def test_a_server_is_killed_in_the_middle(site, nats):
    async def main():
        hosts = start(site, nats.urls)
        people = await people_of(hosts, each=1)
        a, b, c = people
        for person in people:
            person.say("join room")
        await a.until("members room", "0 " + " ".join(sorted(p.id for p in people)))
        await subscribed(nats.servers, group_subject("room"), 3)
        # The server that most connections are at.
        busiest = max(nats.servers, key=lambda s: len(s.connections()))
        sent = 0

        async def send(n):
            nonlocal sent
            for _ in range(n):
                sent += 1
                a.say(f"group room {sent}")
                await asyncio.sleep(0.002)

        await send(200)
        busiest.kill()
        await send(500)
        others = [s for s in nats.servers if s is not busiest]
        await subscribed(others, group_subject("room"), 3)
        healed = sent
        await send(200)
        got = {person: [] for person in people}
        for person in people:
            while not got[person] or got[person][-1] < sent:
                got[person].append(int(await person.next()))
            numbers = got[person]
            assert numbers == sorted(set(numbers)), "in order, nothing twice"
            assert numbers[:200] == list(range(1, 201)) or person is not a
            missing = set(range(1, sent + 1)) - set(numbers)
            assert all(n <= healed for n in missing), f"lost after it was healed: {sorted(missing)[-5:]}"
        assert got[a] == list(range(1, sent + 1)), "its own host does not need NATS"
        assert not any(person.client.is_closed.is_set() for person in people)
        for person in people:
            await person.until("count", "3")
        busiest.start()
        nats.wait()
        b.say("group room back")
        for person in people:
            assert await person.next() == "back"

    asyncio.run(main())


def test_all_servers_are_away_for_a_while(site, nats):
    async def main():
        a_host, b_host = start(site, nats.urls, n=2)
        a, b = await Person.connect(a_host), await Person.connect(b_host)
        for person in (a, b):
            person.say("join room")
        await a.until("members room", "0 " + " ".join(sorted((a.id, b.id))))
        await subscribed(nats.servers, group_subject("room"), 2)
        for server in nats.servers:
            server.kill()
        wait_until(lambda: a_host.log().count("lost NATS") >= 2 and b_host.log().count("lost NATS") >= 2, 20, "told")
        a.say("group room waits")
        assert await a.next() == "waits"
        assert await a.ask("count") in ("-1007", "-1013")
        for server in nats.servers:
            server.start()
        await subscribed(nats.servers, group_subject("room"), 2)
        await a.until("members room", "0 " + " ".join(sorted((a.id, b.id))))
        b.say("group room back")
        assert await a.next() == "back"
        # What waited was sent when its sender was back, which b's gateway may not have been: once or not at all.
        heard = [await b.next()]
        if heard == ["waits"]:
            heard.append(await b.next())
        assert heard[-1] == "back"
        await a.until("count", "2")

    asyncio.run(main())


def test_a_host_dies_and_comes_back(site, nats):
    async def main():
        hosts = start(site, nats.urls)
        people = await people_of(hosts, each=1)
        a, b, c = people
        await a.until("count", "3")
        (pid,) = hosts[2].server.pids("gateway")
        hosts[2].server.process.send_signal(signal.SIGSTOP)  # its master does not start another one
        os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        at = hosts[2].addresses[0]
        wait_until(lambda: f"gateway {at} of host" in hosts[0].log() and "it counts as gone" in hosts[0].log(), 20, "gone")
        assert time.monotonic() - killed < 10 * SLOW
        await a.until("count", "2")
        hosts[2].server.process.send_signal(signal.SIGCONT)
        wait_until(lambda: hosts[0].log().count(f"gateway {at} of host") >= 3, 20, "back")
        c = await Person.connect(hosts[2])
        await a.until("count", "3")
        a.say("all again")
        assert [await p.next() for p in (a, b, c)] == ["again"] * 3

    asyncio.run(main())


def test_password_token_and_tls(site, tmp_path):
    async def main():
        ca = Authority(tmp_path / "ca")
        cert, key = ca.issue("nats")
        mine, mine_key = ca.issue("host")
        tls = f'tls {{ cert_file: "{cert}", key_file: "{key}", ca_file: "{ca.pem}", verify: true }}\n'
        server = NatsServer(tmp_path / "nats", "locked", tls + "authorization { user: gate, password: \"s3 cret\" }",
                            scheme="tls")
        ways = f"tls_ca = {ca.pem}\ntls_cert = {mine}\ntls_key = {mine_key}\nuser = gate\n"
        try:
            hosts = start(site, [server.url], n=2, cluster=ways + "password = s3 cret")
            a, b = await people_of(hosts, each=1)
            await a.until("count", "2")
            for i, wrong in enumerate((ways + "password = wrong", "user = gate\npassword = s3 cret")):
                host = Host(site, f"wrong{i}", [server.url], wrong)
                wait_until(lambda: "NATS: " in host.log(), 20, "told why")
                alone = await Person.connect(host)
                assert await alone.ask("count") == "1"
                host.server.stop()
            assert "s3 cret" not in hosts[0].log()
        finally:
            server.kill()

    asyncio.run(main())


def test_token_and_nkey(site, tmp_path):
    async def main():
        server = NatsServer(tmp_path / "token", "token", 'authorization { token: "t0ken" }')
        try:
            (host,) = start(site, [server.url], n=1, cluster="token = t0ken")
            wait_until(lambda: len(server.connections()) == 2, 20, "gateway and worker are in")
        finally:
            server.kill()
        # The pair of the NATS documentation for nkeys (docs.nats.io, "NKeys").
        seed = tmp_path / "user.nk"
        seed.write_text("SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY\n")
        public = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
        server = NatsServer(tmp_path / "nkey", "nkey", f"authorization {{ users: [ {{ nkey: {public} }} ] }}")
        try:
            Host(site, "k", [server.url], f"nkey = {public}\nnkey_seed = {seed}")
            wait_until(lambda: len(server.connections()) == 2, 20, "gateway and worker are in")
        finally:
            server.kill()

    asyncio.run(main())


def test_credentials_of_an_operator(site, tmp_path):
    """A server in operator mode lets in whom its account vouches for, on all hosts, and nobody else."""
    operator, stranger = Operator(tmp_path / "op"), Operator(tmp_path / "stranger", "stranger")
    server = NatsServer(tmp_path / "jwt", "jwt", operator.conf())

    async def main():
        hosts = [Host(site, name, [server.url], f"credentials = {operator.credentials(name)}") for name in ("a", "b")]
        wait_until(lambda: len(server.connections()) == 4, 20, "gateways and workers are in")
        ann, bob = [await Person.connect(host) for host in hosts]
        await ann.until("count", "2")

    try:
        asyncio.run(main())
        Host(site, "c", [server.url], f"credentials = {stranger.credentials('c')}")
        log = tmp_path / "jwt" / "jwt.log"
        wait_until(lambda: "authentication error" in log.read_text(), 20, "the stranger is refused")
        assert len(server.connections()) == 4
    finally:
        server.kill()
