"""Networks that break: hosts cut off for a while or for good, and packets that are lost. A registry, two gateways, two
workers and a quarter of the clients are on hosts of their own, which are network namespaces."""

import functools
import time

from chaos.crowd import Crowd
from chaos.stage import PEOPLE_N, Fault, Limit
from harness import ROOT, free_ports, wait_until
from lab import Lab, has_namespaces

SERVERS = ("r1", "g1", "g2", "w1", "w2")
# Where people are, and the gateway host that they are connected with. A cut does not part who is on the same host.
SEATS = [("g1", "g1"), ("g1", "g1"), ("g2", "g2"), ("c1", "g2")] * (PEOPLE_N // 4)
SHORT_S, LONG_S = 4, 15  # within what the heartbeats of the servers bear, and beyond it
LOSSY_S = 8
KEY = "secret_key = between hosts"


class Hosts:
    """A stage of many hosts."""

    def __init__(self, folder, gateway="", patience_s=30):
        """TCP sends ever more seldom into a cut: only `patience_s` after nothing came is the rest taken for lost."""
        self.lab = Lab(folder, (*SERVERS, "c1"), namespaces=True)
        self.registry, self.public, self.inner = free_ports(), free_ports(), free_ports()
        self.gateway, self.patience_s = gateway, patience_s
        self.crowd = None
        self.gone = set()  # hosts that will not come back
        self.sites = {name: self.lab.site(name, self._text(name)).start() for name in SERVERS}
        wait_until(self.is_whole, 20, "every gateway has a link to every worker")

    def _text(self, name):
        address = self.lab[name].address
        known = f"register_address = {self.lab['r1'].address}:{self.registry}\n{KEY}\n"
        section = {
            "r": f"[registry]\nlisten = text://{address}:{self.registry}\n{KEY}\n",
            "g": f"[gateway chat]\nlisten = websocket://{address}:{self.public}\nlan_ip = {address}\n"
                 f"start_port = {self.inner}\n{known}{self.gateway}\n",
            "w": f"[worker {name}]\nevents = {ROOT}/apps/chat/events.c\n{known}",
        }[name[0]]
        return f"[master]\n\n{section}"

    def gather(self):
        self.crowd = Crowd([(self.lab[at], self.lab[to].address, self.public) for at, to in SEATS])
        return self.crowd

    def rows(self, name):
        return self.sites[name].status()["processes"]

    def links_n(self, name):
        """Of the only process of that host, with the other side."""
        return self.rows(name)[0]["links"]

    def is_whole(self):
        """Whether whoever is left is linked with all of the other side who are."""
        left = [name for name in SERVERS if name != "r1" and name not in self.gone]
        return all(self.links_n(name) == sum(other[0] != name[0] for other in left) for name in left)

    def end(self):
        if self.crowd:
            self.crowd.end()
        self.lab.end()


def _cut(name, seconds, who=None):
    """`who` on the other side is asked when it missed the host."""
    def strike(stage):
        stage.lab.cut(name)
        begun = time.monotonic()
        words = ""
        if who:
            wait_until(lambda: stage.rows(who)[0]["unheard"], seconds, f"{who} misses {name}")
            words = f"the other side says so after {time.monotonic() - begun:.1f} s"
        time.sleep(max(0, begun + seconds - time.monotonic()))
        stage.lab.heal(name)
        wait_until(stage.is_whole, 30, "all are linked again")
        return words
    return strike


def _cut_for_good(name):
    """Its host is switched off, or its cable cut, and nobody mends it."""
    def strike(stage):
        begun = time.monotonic()
        stage.lab.cut(name)
        stage.gone.add(name)
        wait_until(stage.is_whole, 120, "the others do without it")
        return f"its links are closed after {time.monotonic() - begun:.0f} s"
    return strike


def _lose(percent):
    def strike(stage):
        stage.lab.lose(percent)
        time.sleep(LOSSY_S)
        stage.lab.lose_nothing()
    return strike


def _clients_vanish(stage):
    """Their host is switched off: no goodbye, nothing that would refuse a packet."""
    stage.lab.cut("c1")
    begun = time.monotonic()
    gone_n = sum(at == "c1" for at, _ in SEATS)
    wait_until(lambda: stage.rows("g2")[0]["silent"] == gone_n, 30, "the gateway misses them")
    words = f"the others see them leave after {time.monotonic() - begun:.1f} s; lost is what the two said until they noticed"
    stage.lab.heal("c1")
    return words


LONG = [
    Fault("registry host cut off for 15 s", _cut("r1", LONG_S), Limit(), Hosts),
    Fault("gateway host cut off for 4 s", _cut("g2", SHORT_S), Limit(silence_s=12, normal_s=15), Hosts),
    Fault("gateway host cut off for 15 s", _cut("g2", LONG_S, who="w1"),
          Limit(silence_s=35, normal_s=45), Hosts),
    Fault("worker host cut off for 4 s", _cut("w2", SHORT_S), Limit(silence_s=1, normal_s=15), Hosts),
    Fault("worker host cut off for 15 s", _cut("w2", LONG_S, who="g1"),
          Limit(silence_s=1, normal_s=45), Hosts),
    Fault("worker host cut off for good", _cut_for_good("w2"),
          Limit(lost_n=400, silence_s=1, normal_s=90), Hosts),
    Fault("5 % of all packets lost for 8 s", _lose(5), Limit(silence_s=3, normal_s=12), Hosts),
    Fault("20 % of all packets lost for 8 s", _lose(20), Limit(silence_s=10, normal_s=30), Hosts),
    Fault("host of two clients gone without a word (`ping_interval = 2`)", _clients_vanish,
          Limit(closed_n=PEOPLE_N // 4, lost_n=300, silence_s=20, normal_s=30),
          functools.partial(Hosts, gateway="ping_interval = 2", patience_s=3)),
] if has_namespaces() else []
