#!/usr/bin/python3
"""Links, copies, bytes and upkeep of a cluster: by the formulas of docs/scale.md, and by playing it through.

    bench/scale.py [--hosts 10,100,1000] [--gateways 1] [--workers 1] [--members 100] [--name 8] [--payload 128]
                   [--servers 3] [--registries 2] [--messages 2000] [--seed 1]

The simulation puts the members of groups on gateways by chance, connects processes to NATS servers, lets workers send, and
counts what crosses each link; it knows none of the formulas. The columns are formula and simulation; it fails when they
differ by more than three per cent (with few hosts chance is that large). tests/integration/scale_test.py compares the formulas with what runs.
"""
import argparse
import random
import sys

HEAD = 28  # of a packet: docs/wire.md, 2
ENVELOPE_HEAD, SPARED = 8, 6  # docs/cluster.md
CLUSTERS = 100  # that are played
PING_SECONDS = 25  # from a gateway to every worker, from everybody to a registry: docs/wire.md, 1.4 and 3.4
PULSE_SECONDS = 2  # from a worker to a gateway of ours, which answers: src/chan/pulse.h
BEAT_SECONDS = 2  # a gateway says on NATS that it is there: src/cluster/presence.h
NATS_PING_SECONDS = 2  # from a process to its server, which answers: src/cluster/nats.c
PLAYED_SECONDS = 50  # of upkeep: all of these go into it
MODES = ("mesh", "mesh with interest", "NATS")


def parse_args(words=None):
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--hosts", default="10,100,1000")
    p.add_argument("--gateways", type=int, default=1, help="processes per host")
    p.add_argument("--workers", type=int, default=1, help="processes per host")
    p.add_argument("--members", type=int, default=100, help="of a group")
    p.add_argument("--name", type=int, default=8, help="bytes of a group's name")
    p.add_argument("--payload", type=int, default=128)
    p.add_argument("--servers", type=int, default=3, help="of NATS")
    p.add_argument("--registries", type=int, default=2, help="of the mesh")
    p.add_argument("--messages", type=int, default=2000)
    p.add_argument("--seed", type=int, default=1)
    return p.parse_args(words)


class Sizes:
    """What one message has in bytes on each kind of link."""

    def __init__(self, args):
        order = '{"group":["' + "x" * args.name + '"],"exclude":null}'
        self.packet = HEAD + len(order) + args.payload
        base64_len = (4 * args.name + 2) // 3  # without padding
        self.subject = len("gatehouse.g.") + base64_len

    def enveloped(self, spared_n):
        """What nats-server counts."""
        return ENVELOPE_HEAD + SPARED * spared_n + self.packet

    def _on_nats(self, words, spared_n):
        n = self.enveloped(spared_n)
        return len(f"{words} {n:.0f}\r\n\r\n") + n

    def pub(self, spared_n):
        """From the sender to its server."""
        return self._on_nats("PUB " + "s" * self.subject, spared_n)

    def rmsg(self, spared_n):
        """From server to server, with the account."""
        return self._on_nats("RMSG $G " + "s" * self.subject, spared_n)

    def msg(self, spared_n):
        """From server to gateway, with the number of the subscription: three digits here."""
        return self._on_nats("MSG " + "s" * self.subject + " 123", spared_n)


# ---- by calculation ----

def expected_hit(boxes_n, balls_n):
    """How many of the boxes get a ball when balls fall by chance."""
    return boxes_n * (1 - (1 - 1 / boxes_n)**balls_n)


def links_by_formula(mode, hosts_n, a):
    gateways_n, workers_n = hosts_n * a.gateways, hosts_n * a.workers
    if mode != "NATS":
        return gateways_n * workers_n + (gateways_n + workers_n) * a.registries
    local = hosts_n * (a.gateways * a.workers + a.gateways + a.workers)  # each host has a registry of its own
    return local + gateways_n + workers_n + a.servers * (a.servers - 1) // 2


def copies_by_formula(mode, hosts_n, a, sizes):
    """(copies, bytes) of one message to a group, from a worker to all its gateways."""
    gateways_n = hosts_n * a.gateways
    holding = expected_hit(gateways_n, a.members)
    if mode == "mesh":
        return gateways_n, gateways_n * sizes.packet
    if mode == "mesh with interest":
        return holding, holding * sizes.packet
    local, spared_n = holding / hosts_n, a.gateways
    # A server has a subscriber unless all holding gateways are on the others.
    routed = (a.servers - 1) * (1 - (1 - 1 / a.servers)**holding)
    size = local * sizes.packet + sizes.pub(spared_n) + routed * sizes.rmsg(spared_n) + holding * sizes.msg(spared_n)
    return local + 1 + routed + holding, size


def upkeep_by_formula(mode, hosts_n, a):
    """Messages a second of the whole cluster, when nobody comes, goes or speaks."""
    gateways_n, workers_n = hosts_n * a.gateways, hosts_n * a.workers
    processes_n = gateways_n + workers_n
    if mode == "mesh":
        return (gateways_n * workers_n + processes_n * a.registries) / PING_SECONDS
    pinged = 2 / PULSE_SECONDS + 1 / PING_SECONDS  # a link between parts of ours
    if mode == "mesh with interest":
        return gateways_n * workers_n * pinged + processes_n * a.registries / PING_SECONDS
    on_nats = gateways_n * (1 + workers_n) / BEAT_SECONDS + 2 * processes_n / NATS_PING_SECONDS
    return on_nats + hosts_n * a.gateways * a.workers * pinged + processes_n / PING_SECONDS


# ---- played through ----

class Cluster:
    """Who is connected to whom; every process is a number."""

    def __init__(self, hosts_n, a, chance):
        self.a, self.chance = a, chance
        self.gateways = [host for host in range(hosts_n) for _ in range(a.gateways)]  # the host of each
        self.workers = [host for host in range(hosts_n) for _ in range(a.workers)]
        self.server_of_gateway = [chance.randrange(a.servers) for _ in self.gateways]
        self.server_of_worker = [chance.randrange(a.servers) for _ in self.workers]

    def links(self, mode):
        n = sum(self._linked(mode))
        processes_n = len(self.gateways) + len(self.workers)
        if mode != "NATS":
            return n + processes_n * self.a.registries
        pairs = {(x, y) for x in range(self.a.servers) for y in range(x)}
        return n + 2 * processes_n + len(pairs)  # one to the host's registry, one to NATS

    def holders(self):
        return {self.chance.randrange(len(self.gateways)) for _ in range(self.a.members)}

    def send(self, mode, sizes):
        """(copies, bytes) of one message from a worker by chance to a group by chance."""
        worker, holders = self.chance.randrange(len(self.workers)), self.holders()
        if mode == "mesh":
            return len(self.gateways), sum(sizes.packet for _ in self.gateways)
        if mode == "mesh with interest":
            return len(holders), sum(sizes.packet for _ in holders)
        local = [g for g in holders if self.gateways[g] == self.workers[worker]]
        servers = {self.server_of_gateway[g] for g in holders} - {self.server_of_worker[worker]}
        spared = self.a.gateways  # all of the host are named, with a member or without
        crossed = [sizes.packet] * len(local) + [sizes.pub(spared)]
        crossed += [sizes.rmsg(spared)] * len(servers) + [sizes.msg(spared)] * len(holders)
        return len(crossed), sum(crossed)


    def rest(self, mode):
        """Messages a second while nobody says anything; routes between NATS servers are not in it."""
        n = 0
        for _ in range(0, PLAYED_SECONDS, PING_SECONDS):
            n += sum(self._linked(mode)) + len(self.gateways + self.workers) * self._registries(mode)
        for _ in range(0, PLAYED_SECONDS, PULSE_SECONDS):
            if mode != "mesh":
                n += sum(2 for is_linked in self._linked(mode) if is_linked)
        if mode == "NATS":
            for _ in range(0, PLAYED_SECONDS, BEAT_SECONDS):
                n += sum(1 + len(self.workers) for _ in self.gateways)
            for _ in range(0, PLAYED_SECONDS, NATS_PING_SECONDS):
                n += sum(2 for _ in self.gateways + self.workers)
        return n / PLAYED_SECONDS

    def _linked(self, mode):
        """For each worker and each gateway whether the two have a link."""
        return [mode != "NATS" or there == here for here in self.workers for there in self.gateways]

    def _registries(self, mode):
        return 1 if mode == "NATS" else self.a.registries


def play(mode, hosts_n, a, sizes):
    chance, sent = random.Random(a.seed), []
    for _ in range(CLUSTERS):  # as chance connects them to servers
        cluster = Cluster(hosts_n, a, chance)
        sent += [cluster.send(mode, sizes) for _ in range(a.messages // CLUSTERS)]
    copies, size = (sum(column) / len(sent) for column in zip(*sent))
    return cluster.links(mode), copies, size, cluster.rest(mode)


def main():
    a = parse_args()
    sizes = Sizes(a)
    print(f"{a.gateways} gateways and {a.workers} workers per host, groups of {a.members}, {a.payload} bytes; "
          f"a packet is {sizes.packet}\n")
    print("| hosts | mode | links | copies | bytes | idle messages/s |\n|---|---|---|---|---|---|")
    worst = 0
    for hosts_n in (int(n) for n in a.hosts.split(",")):
        for mode in MODES:
            calculated = (links_by_formula(mode, hosts_n, a), *copies_by_formula(mode, hosts_n, a, sizes),
                          upkeep_by_formula(mode, hosts_n, a))
            played = play(mode, hosts_n, a, sizes)
            worst = max(worst, *(abs(y / x - 1) for x, y in zip(calculated, played)))
            links, copies, size, rest = zip(calculated, played)
            print(f"| {hosts_n:,} | {mode} | {links[0]:,} = {links[1]:,} | {copies[0]:,.1f} ≈ {copies[1]:,.1f} | "
                  f"{size[0]:,.0f} ≈ {size[1]:,.0f} | {rest[0]:,.0f} = {rest[1]:,.0f} |")
    print(f"\nformula and simulation differ by {100 * worst:.1f} % at most")
    return worst > 0.03


if __name__ == "__main__":
    sys.exit(main())
