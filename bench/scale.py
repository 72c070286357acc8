#!/usr/bin/python3
"""Links, copies and bytes per message of a cluster: by the formulas of docs/scale.md, and by playing it through.

    bench/scale.py [--hosts 10,100,1000] [--gateways 1] [--workers 1] [--members 100] [--name 8] [--payload 128]
                   [--servers 3] [--registries 2] [--messages 2000] [--seed 1]

The simulation puts the members of groups on gateways by chance, connects processes to NATS servers, lets workers send, and
counts what crosses each link; it knows none of the formulas. The columns are formula and simulation.
"""
import argparse
import random

HEAD = 28  # of a packet: docs/wire.md, 2
ENVELOPE_HEAD, SPARED = 8, 6  # docs/cluster.md
CLUSTERS = 100  # that are played
BEAT_SECONDS = 2  # a gateway says on NATS that it is there
MODES = ("mesh", "mesh with interest", "NATS")


def parse_args():
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
    return p.parse_args()


class Sizes:
    """What one message has in bytes on each kind of link."""

    def __init__(self, args):
        order = '{"group":["' + "x" * args.name + '"],"exclude":null}'
        self.packet = HEAD + len(order) + args.payload
        base64_len = (4 * args.name + 2) // 3  # without padding
        self.subject = len("gatehouse.g.") + base64_len

    def _on_nats(self, words, spared_n):
        n = ENVELOPE_HEAD + SPARED * spared_n + self.packet
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
    local = holding / hosts_n
    # A server has a subscriber unless all holding gateways are on the others.
    routed = (a.servers - 1) * (1 - (1 - 1 / a.servers)**holding)
    size = local * sizes.packet + sizes.pub(local) + routed * sizes.rmsg(local) + holding * sizes.msg(local)
    return local + 1 + routed + holding, size


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
        n = 0
        for host in self.workers:
            n += sum(1 for other in self.gateways if mode != "NATS" or other == host)
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
        spared = len(local)
        crossed = [sizes.packet] * spared + [sizes.pub(spared)]
        crossed += [sizes.rmsg(spared)] * len(servers) + [sizes.msg(spared)] * len(holders)
        return len(crossed), sum(crossed)


def play(mode, hosts_n, a, sizes):
    chance, sent = random.Random(a.seed), []
    for _ in range(CLUSTERS):  # as chance connects them to servers
        cluster = Cluster(hosts_n, a, chance)
        sent += [cluster.send(mode, sizes) for _ in range(a.messages // CLUSTERS)]
    copies, size = (sum(column) / len(sent) for column in zip(*sent))
    return cluster.links(mode), copies, size


def upkeep(mode, hosts_n, a):
    """Messages a second of the whole cluster, when nobody comes, goes or speaks."""
    gateways_n, workers_n = hosts_n * a.gateways, hosts_n * a.workers
    if mode != "NATS":
        return gateways_n * workers_n / 25  # docs/wire.md, 3.4
    return gateways_n * (1 + workers_n) / BEAT_SECONDS + hosts_n * a.gateways * a.workers / 25


def main():
    a = parse_args()
    sizes = Sizes(a)
    print(f"{a.gateways} gateways and {a.workers} workers per host, groups of {a.members}, {a.payload} bytes; "
          f"a packet is {sizes.packet}\n")
    print("| hosts | mode | links | copies | bytes | idle messages/s |\n|---|---|---|---|---|---|")
    worst = 0
    for hosts_n in (int(n) for n in a.hosts.split(",")):
        for mode in MODES:
            links = links_by_formula(mode, hosts_n, a)
            copies, size = copies_by_formula(mode, hosts_n, a, sizes)
            played_links, played_copies, played_size = play(mode, hosts_n, a, sizes)
            worst = max(worst, abs(played_copies / copies - 1), abs(played_size / size - 1),
                        abs(played_links / links - 1))
            print(f"| {hosts_n:,} | {mode} | {links:,} = {played_links:,} | {copies:,.1f} ≈ {played_copies:,.1f} | "
                  f"{size:,.0f} ≈ {played_size:,.0f} | {upkeep(mode, hosts_n, a):,.0f} |")
    print(f"\nformula and simulation differ by {100 * worst:.1f} % at most")


if __name__ == "__main__":
    main()
