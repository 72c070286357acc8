"""A server with a crowd on it, and the rule of a run: settle, strike, settle, count."""

import dataclasses
import os
import time
from typing import Callable

from chaos.account import Cost
from chaos.crowd import Crowd
from harness import ROOT, SLOW, Ports, Site, chat_conf, wait_until
from lab import HERE

PEOPLE_N = 8
WARM_S = 0.5  # of chatting before the strike
AFTER_S = 1.0  # of chatting after it, from when everybody is back
BACK_S = 60  # until everybody must be back


@dataclasses.dataclass(frozen=True)
class Limit:
    """The most that a fault may cost; seconds grow with TEST_SLOW and the patience of who looks."""

    closed_n: int = 0
    lost_n: int = 0
    doubled_n: int = 0
    silence_s: float = 1.0
    normal_s: float = 1.0

    def exceeded(self, cost, patience=1):
        """What costs more than it may, in words; or ""."""
        wrong = []
        for field in dataclasses.fields(self):
            value, most = getattr(cost, field.name), getattr(self, field.name)
            if field.name.endswith("_s"):
                most *= SLOW * patience
            if value > most:
                wrong.append(f"{field.name} is {value:g}, at most {most:g} is expected")
        return "; ".join(wrong)


@dataclasses.dataclass(frozen=True)
class Fault:
    """`strike(stage)` makes the fault, returns when it is over, and may return words for the table. `make_stage(folder)`
    opens what it strikes."""

    name: str
    strike: Callable
    limit: Limit
    make_stage: Callable


@dataclasses.dataclass(frozen=True)
class Outcome:
    fault: Fault
    cost: Cost
    words: str

    def wrong(self, patience=1):
        return self.fault.limit.exceeded(self.cost, patience)


class Stage:
    """One host: a registry, two gateways and two workers under one master, with the chat as the module."""

    patience_s = 2  # what has not arrived by then is lost

    def __init__(self, folder, *, gateways=2, workers=2, prefix=(), more="", **sections):
        """`prefix`: words in front of the server. `sections`: text for a section of that name, as chat_conf() takes it.
        `more`: further sections, which may name the port {registry}."""
        self.ports = Ports(gateways)
        text = chat_conf(gateways=gateways, workers=workers, events=ROOT / "apps" / "chat" / "events.c",
                         registry=self.ports.registry, port=self.ports.port, inner=self.ports.inner, **sections)
        self.site = Site(folder, text + more.format(registry=self.ports.registry), prefix=prefix)
        self.crowd = None
        self.start()

    def start(self):
        self.site.start(self.ports.port, self.ports.registry)

    def gather(self):
        self.crowd = Crowd([(HERE, HERE.address, self.ports.port)] * PEOPLE_N)
        return self.crowd

    def rows(self, kind):
        return [row for row in self.site.status()["processes"] if row["kind"] == kind]

    def has_successor(self, kind, before):
        """Whether instead of the first of the processes `before` another one serves."""
        now = self.site.pids(kind)
        return before[0] not in now and len(now) == len(before) and self.is_whole()

    def is_whole(self):
        return self.site.is_ready()

    def log(self):
        return self.site.log()

    def end(self):
        if self.crowd:
            self.crowd.end()
        self.site.stop(expect=None)


def run(fault, folder):
    """Strikes once; the Outcome."""
    stage = fault.make_stage(folder)
    try:
        crowd = stage.gather()
        people_n = len(crowd.people)
        wait_until(lambda: crowd.present_n() == people_n, 20, "everybody is in the room")
        time.sleep(WARM_S)
        begun = time.monotonic()
        words = fault.strike(stage) or ""
        wait_until(lambda: crowd.present_n() == people_n, BACK_S, f"everybody is back after: {fault.name}")
        wait_until(stage.is_whole, BACK_S, f"the server is whole again after: {fault.name}")
        time.sleep(AFTER_S)
        ended = crowd.hush()
        _until_heard(crowd, stage.patience_s)
        return Outcome(fault, crowd.cost(begun, ended), words)
    finally:
        stage.end()


def _until_heard(crowd, patience_s):
    """What is still under way may arrive: until it has, or nothing came for so long."""
    deadline, seen = 0, -1
    while not crowd.is_all_heard():
        heard_n, now = crowd.heard_n(), time.monotonic()
        if heard_n != seen:
            seen, deadline = heard_n, now + patience_s * SLOW
        if now > deadline:
            return
        time.sleep(0.05)


def is_sanitized():
    """A library put before one with a sanitizer's runtime would be in its way."""
    return "ASAN_OPTIONS" in os.environ
