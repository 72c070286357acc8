"""SIGSTOP: a process that is there and does nothing, as in a debugger, on a host that swaps, or in a paused machine."""

import functools
import os
import signal
import time

from chaos.stage import Fault, Limit, Stage
from harness import wait_until

FROZEN_S = 30


def _freeze(kind, who=None):
    """`who` is the kind of processes that are asked when they missed it."""
    def strike(stage):
        pid = stage.site.pids(kind)[0]
        begun = time.monotonic()
        os.kill(pid, signal.SIGSTOP)
        words = ""
        if who:
            wait_until(lambda: any(row["unheard"] for row in stage.rows(who)), FROZEN_S, f"a {who} misses it")
            words = f"the other side says so after {time.monotonic() - begun:.1f} s"
        time.sleep(max(0, begun + FROZEN_S - time.monotonic()))
        os.kill(pid, signal.SIGCONT)
        return words
    return strike


def _freeze_until_killed(stage):
    before = stage.site.pids("worker")
    begun = time.monotonic()
    os.kill(before[0], signal.SIGSTOP)
    wait_until(lambda: stage.has_successor("worker", before), 30, "a new worker")
    return f"killed and replaced after {time.monotonic() - begun:.1f} s"


LONG = [
    Fault("registry stopped for 30 s (SIGSTOP)", _freeze("registry"), Limit(), Stage),
    Fault("worker (of two) stopped for 30 s", _freeze("worker", "gateway"),
          Limit(silence_s=1, normal_s=35), Stage),
    Fault("the same with `stuck_timeout = 3`", _freeze_until_killed, Limit(lost_n=400, normal_s=10),
          functools.partial(Stage, worker="stuck_timeout = 3")),
    Fault("gateway (of two) stopped for 30 s", _freeze("gateway", "worker"),
          Limit(silence_s=32, normal_s=35), Stage),
]
