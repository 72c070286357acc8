"""Many hosts of a lab: the config of each, what runs on it, and clients who count what they hear."""

import asyncio
import collections
import itertools
import os
import signal
import time

from harness import ROOT, SLOW, free_ports, wait_until
from lab import Lab

COUNTING = ROOT / "tests" / "integration" / "modules" / "counting.c"
KEY = "between hosts"
NAMES = ("r1", "r2", "g1", "g2", "g3", "w1", "w2", "p1")


class Cluster:
    """The config of each host, and what runs on it."""

    def __init__(self, folder, namespaces):
        self.lab = Lab(folder, NAMES, namespaces)
        self.registry, self.public, self.inner = free_ports(), free_ports(), free_ports()
        self.registries = "\n".join(f"register_address = {self.lab[n].address}:{self.registry}" for n in ("r1", "r2"))
        self.events = COUNTING
        self.running = {}

    def text(self, name):
        address = self.lab[name].address
        section = {
            "r": f"[registry]\nlisten = text://{address}:{self.registry}\nsecret_key = {KEY}\n",
            "g": f"[gateway chat]\nlisten = websocket://{address}:{self.public}\nlan_ip = {address}\n"
                 f"start_port = {self.inner}\nsecret_key = {KEY}\n{self.registries}\n",
            "w": f"[worker {name}]\ncount = 2\nevents = {self.events}\nsecret_key = {KEY}\n{self.registries}\n",
        }[name[0]]
        return f"[master]\n\n{section}"

    def start(self, *names):
        for name in names:
            self.running[name] = self.lab.site(name, self.text(name)).start()
        self.until_linked()

    def until_linked(self, others_n=0):
        """Until every process of a running worker host, and so many others, have a link to every running gateway."""
        gateways = [self.running[n] for n in self.running if n[0] == "g"]
        workers_n = 2 * sum(n[0] == "w" for n in self.running) + others_n
        wait_until(lambda: all(sum(r["links"] for r in g.status()["processes"]) == workers_n for g in gateways),
                   20, "all workers linked with all gateways")

    def has_said(self, name, text):
        """Whether that host's server said so in its log."""
        site = self.running[name]
        return text in site.output() + site.log()

    def stop(self, name):
        self.running.pop(name).stop()

    def leave(self, name):
        """Stops it gracefully: what it has in hand is handled first."""
        site = self.running.pop(name)
        site.process.send_signal(signal.SIGQUIT)
        site.process.wait(timeout=60 * SLOW)
        site.stop()

    def kill(self, name):
        """The machine is switched off: master and processes, without a word."""
        site = self.running.pop(name)
        pids = [row["pid"] for row in site.status()["processes"]]
        for pid in (site.process.pid, *pids):
            os.kill(pid, signal.SIGKILL)
        site.process.wait()
        site.process = None


class Member:
    """A client in the group, and everything it heard."""

    def __init__(self, name):
        self.name = name
        self.heard = collections.Counter()
        self.order = []
        self.client = None

    def on_text(self, client, payload):
        self.heard[payload.decode()] += 1
        self.order.append(payload.decode())

    @classmethod
    async def join(cls, cluster, host, name):
        self = cls(name)
        self.client = await cluster.lab[host].connect(cluster.public, self.on_text)
        self.client.send("join AA")
        await until(lambda: self.heard["joined"])
        return self

    def say(self, number):
        """To all of the group; returns what they will hear."""
        text = f"group AA {self.name} {number}"
        self.client.send(text)
        return text


async def until(check, seconds=10, what=""):
    deadline = time.monotonic() + seconds * SLOW
    while not check():
        assert time.monotonic() < deadline, what
        await asyncio.sleep(0.01)


async def talk(speakers, hearers, numbers, pause=0.0):
    """Everybody says everything; all hear it once, and every speaker's messages in order."""
    said = []
    for n in numbers:
        said += [speaker.say(n) for speaker in speakers]
        await asyncio.sleep(pause)
    await until(lambda: all(m.heard[t] for m in hearers for t in said), 20, lacking(hearers, said))
    once(hearers)
    for member in hearers:
        for speaker in speakers:
            own = [t for t in member.order if t.startswith(f"group AA {speaker.name} ") and t in set(said)]
            assert own == [t for t in said if t.startswith(f"group AA {speaker.name} ")], (member.name, speaker.name)


def lacking(hearers, said):
    class Report:
        """Counted when it is shown, which is when it was too late."""

        def __repr__(self):
            return str({m.name: [t for t in said if not m.heard[t]][:5] for m in hearers})
    return Report()


def once(members):
    for member in members:
        twice = {t: n for t, n in member.heard.items() if n > 1}
        assert not twice, (member.name, twice)


_greetings = itertools.count()


async def greet(room):
    """Until each has heard each: a worker of another server sends past who has just joined until it has read of it
    (docs/wire.md §3, interest, step 7)."""
    said = {member: [] for member in room}
    deadline = time.monotonic() + 20 * SLOW
    while not all(any(hearer.heard[text] for text in texts) for texts in said.values() for hearer in room):
        assert time.monotonic() < deadline, "not all have heard all"
        for member, texts in said.items():
            texts.append(member.say(f"hello {next(_greetings)}"))
        await asyncio.sleep(0.1)


async def members_on(cluster, *hosts, each=2, among=()):
    """New members, who know those whom they come among."""
    new = [await Member.join(cluster, host, f"{host}.{i}") for host in hosts for i in range(each)]
    await greet([*among, *new])
    return new
