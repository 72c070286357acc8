"""kill -9 of each process."""

import os
import signal
import time

from chaos.stage import PEOPLE_N, Fault, Limit, Stage
from harness import accepts, wait_until


def _kill_first(stage, kind, before):
    begun = time.monotonic()
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: stage.has_successor(kind, before), 20, f"a new {kind}")
    return f"a successor serves after {time.monotonic() - begun:.2f} s"


def _kill(kind):
    return lambda stage: _kill_first(stage, kind, stage.site.pids(kind))


def _kill_gateway(stage):
    """The one with fewer clients: they fall on the two as the kernel likes, now and then all on one."""
    rows = sorted(stage.rows("gateway"), key=lambda row: row["connections"])
    return _kill_first(stage, "gateway", [row["pid"] for row in rows])


def _kill_master(stage):
    site = stage.site
    begun = time.monotonic()
    site.process.kill()
    site.process.wait()
    wait_until(lambda: not accepts(stage.ports.port), 40, "the processes end without a master")
    gone_s = time.monotonic() - begun
    stage.start()
    return f"its processes ended within {gone_s:.1f} s, `start` by hand took {time.monotonic() - begun - gone_s:.1f} s"


FAULTS = [
    Fault("`kill -9` of the registry", _kill("registry"), Limit(), Stage),
    Fault("`kill -9` of a worker (of two)", _kill("worker"), Limit(lost_n=40, normal_s=2), Stage),
    Fault("`kill -9` of a gateway (of two)", _kill_gateway, Limit(closed_n=PEOPLE_N // 2, lost_n=40, normal_s=3), Stage),
    Fault("`kill -9` of the master", _kill_master,
          Limit(closed_n=8, lost_n=80, silence_s=15, normal_s=15), Stage),
]
