"""What docs/scale.md calculates is what runs, with 3 hosts and with 16: links, copies and bytes of messages to groups, in the
mesh and with NATS. A host is a registry (with NATS), a gateway and a worker with addresses of their own; all are
processes of one master, which is no part of any path."""

import asyncio
import collections
import random
import re
import socket
import sys
import time

import pytest

from harness import ROOT, SLOW, Site, free_ports, wait_until
from nats_hosts_test import EVENTS, group_subject
from nats_server import NatsCluster, NatsServer, need_nats
from ws import Client

sys.path.insert(0, str(ROOT / "bench"))

import scale  # noqa: E402

GROUPS, MEMBERS, NAME, PAYLOAD, REGISTRIES = 60, {3: 3, 16: 8}, 8, 128, 2


def close_to(measured, calculated, percent=4):
    return abs(measured / calculated - 1) < percent / 100


class Hosts:
    """So many of them, one client on each, and groups whose members are on gateways by chance."""

    def __init__(self, site, hosts_n, nats=()):
        self.n, self.nats = hosts_n, nats
        self.args = scale.parse_args(["--members", str(MEMBERS[hosts_n]), "--name", str(NAME), "--payload",
                                      str(PAYLOAD), "--registries", str(REGISTRIES), "--servers", str(len(nats) or 1)])
        self.sizes = scale.Sizes(self.args)
        self.registry, self.public, self.inner = free_ports(), free_ports(), free_ports()
        self.addresses = [f"127.0.0.{11 + i}" for i in range(hosts_n)]
        self.server = site(self.text())
        self.server.start()
        beyond = hosts_n - 1 if nats else 0
        wait_until(lambda: all(row["links"] == hosts_n - beyond and row.get("beyond", 0) == beyond
                               for row in self.rows("worker")), 40, "everybody knows everybody")

    def text(self):
        registries = self.addresses if self.nats else self.addresses[:REGISTRIES]
        text = "[master]\n"
        for at in registries:
            text += f"\n[registry {at}]\nlisten = text://{at}:{self.registry}\n"
        for at in self.addresses:
            own = [at] if self.nats else registries
            known = "".join(f"register_address = {one}:{self.registry}\n" for one in own)
            text += (f"\n[gateway {at}]\nlisten = websocket://{at}:{self.public}\nlan_ip = {at}\n"
                     f"start_port = {self.inner}\n{known}\n[worker {at}]\nevents = {EVENTS}\n{known}")
        return text + ("\n[cluster]\n" + "".join(f"nats = {s.url}\n" for s in self.nats) if self.nats else "")

    def rows(self, kind):
        """Those of `status --json`; a process that is busy has no numbers, and is asked again."""
        def told():
            rows = [row for row in self.server.status()["processes"] if row["kind"] == kind]
            return rows if all("connections" in row for row in rows) else None
        return wait_until(told, 20, f"numbers of every {kind}")

    @property
    def holding(self):
        """The gateways with a member, of one group."""
        return sum(map(len, self.holders.values())) / GROUPS

    def total(self, kind, what):
        return sum(row[what] for row in self.rows(kind))

    def links(self):
        n = self.total("worker", "links") + self.total("registry", "connections")
        if self.nats:
            n += sum(len(s.connections()) for s in self.nats) + len(self.nats) * (len(self.nats) - 1) // 2
        return n

    # ---- its clients ----

    async def populate(self):
        self.heard = [0] * self.n
        self.answers = [asyncio.Queue() for _ in range(self.n)]
        self.people = [await self.connect(i) for i in range(self.n)]
        chance = random.Random(1)
        self.holders = {f"group{i:03}": {chance.randrange(self.n) for _ in range(self.args.members)}
                        for i in range(GROUPS)}
        for name, holders in self.holders.items():
            for i in holders:
                self.people[i].send(f"join {name}")
        await self.settle()
        if self.nats:
            await self.subscribed()
        # Whatever anybody was told of the groups lies in front of these answers.
        await self.settle()

    async def connect(self, i):
        def on_text(client, payload):
            if payload[:1] == b"=":
                self.answers[i].put_nowait(payload)
            else:
                self.heard[i] += 1

        sock = await asyncio.to_thread(socket.create_connection, (self.addresses[i], self.public), 5 * SLOW)
        sock.setblocking(False)
        return await Client.connect(self.public, on_text, sock=sock)

    async def settle(self):
        """Every worker asked every gateway, behind all that it had sent."""
        for person in self.people:
            person.send("count")
        for answers in self.answers:
            assert await asyncio.wait_for(answers.get(), 20 * SLOW) == f"=count {self.n}".encode()

    async def subscribed(self):
        wanted = {group_subject(name): len(holders) for name, holders in self.holders.items()}

        def all_are():
            found = collections.Counter(s for server in self.nats for _, own in server.connections() for s in own)
            return all(found[subject] == n for subject, n in wanted.items())
        await asyncio.to_thread(wait_until, all_are, 20, "the gateways subscribed")

    async def say(self):
        """Each says one message to every group; how many that were."""
        before, expected = list(self.heard), [0] * self.n
        for name, holders in self.holders.items():
            for person in self.people:
                person.send(f"group {name} " + name.ljust(PAYLOAD, "x"))
            for i in holders:
                expected[i] += self.n
        deadline = time.monotonic() + 20 * SLOW
        while [now - then for now, then in zip(self.heard, before)] != expected:
            assert time.monotonic() < deadline, "not everybody heard everything"
            await asyncio.sleep(0.02)
        return self.n * GROUPS

    def close(self):
        for person in self.people:
            person.transport.close()


class NatsCounts:
    """What the servers have counted so far: published by workers, delivered to gateways, passed between servers."""

    def __init__(self, servers):
        self.rows = [server.look("connz?limit=1000")["connections"] for server in servers]
        self.routes = [sum(r["out_msgs"] for r in server.look("routez").get("routes") or []) for server in servers]

    def of(self, kind, what):
        return sum(r[what] for rows in self.rows for r in rows if re.match(f"gatehouse {kind} ", r.get("name", "")))

    def beats_routed(self, before):
        """Between servers there are also the gateways' words that they are there, for the workers of other servers."""
        has_worker = [any(" worker " in r.get("name", "") for r in rows) for rows in self.rows]
        n = 0
        for i, (now, then) in enumerate(zip(self.rows, before.rows)):
            said = [sum(r["in_msgs"] for r in rows if " gateway " in r.get("name", "")) for rows in (now, then)]
            n += (said[0] - said[1]) * sum(has for j, has in enumerate(has_worker) if j != i)
        return n


@pytest.mark.parametrize("name,path,seconds", [
    ("PULSE_MS", "src/chan/pulse.h", scale.PULSE_SECONDS), ("PING_MS", "src/gateway/inner.c", scale.PING_SECONDS),
    ("PRESENCE_BEAT_MS", "src/cluster/presence.h", scale.BEAT_SECONDS),
    ("PING_MS", "src/cluster/nats.c", scale.NATS_PING_SECONDS)])
def test_upkeep_is_calculated_with_the_intervals_of_the_source(name, path, seconds):
    (value,) = re.findall(rf"\b{name} = ([\d *]+)", (ROOT / path).read_text())
    product = 1
    for factor in value.split("*"):
        product *= int(factor)
    assert product == 1000 * seconds


@pytest.mark.parametrize("hosts_n", [3, 16])
def test_mesh(site, hosts_n):
    async def main():
        hosts = Hosts(site, hosts_n)
        assert hosts.links() == scale.links_by_formula("mesh with interest", hosts_n, hosts.args)
        await hosts.populate()
        said_n = await hosts.say()
        expected = 2 * hosts_n + said_n * hosts.holding  # everybody had two answers before
        await asyncio.to_thread(wait_until, lambda: hosts.total("gateway", "sends") >= round(expected), 20, "all counted")
        copies = (await asyncio.to_thread(hosts.total, "gateway", "sends") - 2 * hosts_n) / said_n
        calculated, _ = scale.copies_by_formula("mesh with interest", hosts_n, hosts.args, hosts.sizes)
        print(f"measured: mesh {hosts_n}: links {hosts.links()} copies {copies:.3f} of {calculated:.3f}")
        assert round(copies, 6) == round(hosts.holding, 6) and close_to(copies, calculated)
        hosts.close()

    asyncio.run(main())


@pytest.mark.parametrize("hosts_n,servers_n", [(3, 1), (16, 3)])
def test_nats(site, tmp_path, hosts_n, servers_n):
    need_nats()
    made = NatsCluster(tmp_path / "nats") if servers_n == 3 else None
    servers = made.servers if made else [NatsServer(tmp_path / "nats")]

    async def main():
        hosts = Hosts(site, hosts_n, servers)
        assert hosts.links() == scale.links_by_formula("NATS", hosts_n, hosts.args)
        await hosts.populate()
        before = await asyncio.to_thread(NatsCounts, servers)
        said_n = await hosts.say()
        calculated = scale.copies_by_formula("NATS", hosts_n, hosts.args, hosts.sizes)[0]

        def counted():
            now = NatsCounts(servers)
            n = now.of("gateway", "out_msgs") - before.of("gateway", "out_msgs")
            return now if n >= said_n * hosts.holding else None
        after = await asyncio.to_thread(wait_until, counted, 20, "all delivered")

        def grown(kind, what):
            return (after.of(kind, what) - before.of(kind, what)) / said_n

        routed = (sum(after.routes) - sum(before.routes) - after.beats_routed(before)) / said_n
        published, delivered = grown("worker", "in_msgs"), grown("gateway", "out_msgs")
        sizes = grown("worker", "in_bytes") / published, grown("gateway", "out_bytes") / delivered
        copies = hosts.holding / hosts_n + published + routed + delivered
        print(f"measured: NATS {hosts_n}: links {hosts.links()} published {published:.3f} routed {routed:.3f} delivered "
              f"{delivered:.3f} copies {copies:.3f} of {calculated:.3f}, bytes {sizes}")
        assert published == 1 and round(delivered, 6) == round(hosts.holding, 6)
        assert close_to(copies, calculated, 10)  # which servers the processes chose is chance, too
        assert [round(n, 6) for n in sizes] == [hosts.sizes.enveloped(1)] * 2
        hosts.close()

    try:
        asyncio.run(main())
    finally:
        for server in servers:
            server.kill()


def test_the_recipe(tmp_path):
    """The lines of docs/cluster.md on three hosts, each with a server of its own; one dials by name, one listens everywhere."""
    (lines,) = [b for b in re.findall(r"```ini\n(.*?)```", (ROOT / "docs/cluster.md").read_text(), re.S) if "lan_ip" in b]
    registry, public, inner = free_ports(), free_ports(), free_ports()
    key = "".join(re.findall(r"secret_key = .*\n", lines))
    lines = lines.replace("10.0.0.2", "127.0.0.12").replace(":1236", f":{registry}")
    made = []

    def start(i, first, extra=""):
        at = f"127.0.0.{11 + i}"
        own = lines.replace("10.0.0.1", first).replace("10.0.0.3", at)
        port = free_ports() if extra else inner  # everywhere is a port of its own
        text = (f"[gateway chat]\nlisten = websocket://{at}:{public}\nstart_port = {port}\n{own}{extra}\n"
                f"[worker chat{i}]\nevents = {EVENTS}\n" + own.replace(f"lan_ip = {at}\n", ""))
        if i < 2:
            text += f"\n[registry]\nlisten = text://{['127.0.0.1', at][i]}:{registry}\n{key}"
        made.append(Site(tmp_path / f"host{i}", "[master]\n\n" + text))
        made[-1].start()

    def linked(n):
        wait_until(lambda: all(row["links"] == n for site in made for row in site.status()["processes"]
                               if row["kind"] in ("gateway", "worker")), 20, f"{n} hosts linked")

    try:
        start(0, "127.0.0.1")
        start(1, "localhost")
        linked(2)
        start(2, "127.0.0.1", "inner_listen = 0.0.0.0\n")
        linked(3)
        made[0].stop()
        del made[0]
        linked(2)
    finally:
        for site in made:
            site.stop(expect=None)
