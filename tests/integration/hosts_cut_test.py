"""Hosts are cut off from the others for a while and come back: what that costs, whom, and for how long."""

import asyncio
import json
import time

import pytest

from harness import SLOW, wait_until
from hosts import KEY, Cluster, lacking, members_on, once, talk, until
from lab import has_namespaces, tries_again_soon

HEARTBEAT_S = 10  # a peer that is silent is noticed within that time
BACK_S = 3 if tries_again_soon() else 30  # what waited for a host arrives within that time after the cut


@pytest.fixture
def hosts(tmp_path):
    if not has_namespaces():
        pytest.skip("network namespaces are not permitted here, and loopback cannot be cut")
    made = Cluster(tmp_path, True)
    yield made
    made.lab.end()


def test_a_gateway_host_is_cut_off(hosts):
    """A short cut costs nothing but time, and that only behind it."""
    hosts.start("r1", "r2", "g1", "g2", "g3", "w1", "w2")

    async def scenario():
        room = await members_on(hosts, "g1", "g2", "g3")
        cut, rest = room[4:], room[:4]
        await talk(room, room, range(5))

        hosts.lab.cut("g3")
        said = [m.say(n) for n in range(5, 8) for m in rest]
        await until(lambda: all(m.heard[t] for m in rest for t in said), 5, "the others wait for nobody")
        assert not any(m.heard[t] for m in cut for t in said), "the cut is one"
        hosts.lab.heal("g3")
        await until(lambda: all(m.heard[t] for m in cut for t in said), 20, lacking(cut, said))
        once(room)

    asyncio.run(scenario())


def test_a_gateway_host_is_cut_off_for_long(hosts):
    """It is noticed and named while the others go on; when the cut heals all hear all, soon, and nothing twice."""
    hosts.start("r1", "r2", "g1", "g2", "g3", "w1", "w2")

    async def scenario():
        room = await members_on(hosts, "g1", "g2", "g3")
        cut, rest = room[4:], room[:4]
        await talk(room, room, range(5))

        hosts.lab.cut("g3")
        since = time.monotonic()
        address = f"{hosts.lab['g3'].address}:{hosts.inner}"
        said = []
        while not all(hosts.has_said(w, f"gateway {address} has said nothing for") for w in ("w1", "w2")):
            said += [m.say(f"cut {time.monotonic()}") for m in rest]
            await until(lambda: all(m.heard[t] for m in rest for t in said), 5, "the others wait for nobody")
            assert time.monotonic() - since < (HEARTBEAT_S + 2) * SLOW, f"nobody noticed that {address} is gone"
            await asyncio.sleep(0.2)
        hosts.lab.heal("g3")
        await until(lambda: all(m.heard[t] for m in cut for t in said), BACK_S, lacking(cut, said))
        await talk(room, room, range(100, 110))
        assert not any(m.client.is_closed.is_set() for m in room), "no client was closed"

    asyncio.run(scenario())


def listed(hosts, registry):
    """The gateways that a registry names, asked on its own host."""
    with hosts.lab[registry].dial(hosts.registry) as sock, sock.makefile("rwb") as line:
        line.write(json.dumps({"event": "worker_connect", "secret_key": KEY}).encode() + b"\n")
        line.flush()
        return {address.partition(":")[0] for address in json.loads(line.readline())["addresses"]}


def test_registries_and_gateways_lose_each_other(hosts):
    """A registry forgets a gateway whose host vanished, and whoever knew a registry that vanished says so: on links on which
    nobody speaks. All find each other again."""
    hosts.start("r1", "r2", "g1", "g2", "w1")
    g1, g2 = hosts.lab["g1"].address, hosts.lab["g2"].address
    wait_until(lambda: all(listed(hosts, r) == {g1, g2} for r in ("r1", "r2")), 10, "both gateways are listed")
    lost = f"{hosts.lab['r2'].address}:{hosts.registry}"

    async def scenario():
        room = await members_on(hosts, "g1")
        for name in ("g2", "r2"):
            hosts.lab.cut(name)
        since = time.monotonic()
        while not (listed(hosts, "r1") == {g1} and listed(hosts, "r2") == set()
                   and hosts.has_said("g1", f"registry {lost} is gone") and hosts.has_said("g2", f"registry {lost} is gone")
                   and hosts.has_said("w1", f"lost registry {lost}")):
            await talk(room, room, [f"cut {time.monotonic()}"])
            assert time.monotonic() - since < (HEARTBEAT_S + 2) * SLOW, "somebody did not notice"
            await asyncio.sleep(0.2)
        for name in ("g2", "r2"):
            hosts.lab.heal(name)
        await until(lambda: all(listed(hosts, r) == {g1, g2} for r in ("r1", "r2")), 10, "both are listed again")
        hosts.until_linked()
        room += await members_on(hosts, "g2", among=room)
        await talk(room, room, range(10))

    asyncio.run(scenario())
