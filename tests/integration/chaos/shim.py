"""What shim.c makes the processes of a server see: another time of day, and memory that is refused."""

import asyncio
import functools
import mmap
import pathlib
import struct
import subprocess
import time

from chaos.stage import PEOPLE_N, Fault, Limit, Stage, is_sanitized
from harness import SLOW, wait_until
from ws import Client

SOURCE = pathlib.Path(__file__).with_name("shim.c")
DAY_S = 86400
BIG = 900_000  # a message below max_message_bytes, in memory that the server takes for it alone
REFUSED = (0, 2, 5, 20)  # requests that still succeed before the one that does not


class Shimmed(Stage):
    """A stage whose server runs with the shim."""

    def __init__(self, folder, **sections):
        folder.mkdir(parents=True)
        library, wishes = folder / "shim.so", folder / "wishes"
        subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Werror", "-fPIC", "-shared", "-o", library,
                        SOURCE], check=True)
        wishes.write_bytes(bytes(mmap.PAGESIZE))
        with open(wishes, "r+b") as file:
            self.wishes = mmap.mmap(file.fileno(), mmap.PAGESIZE)
        super().__init__(folder, prefix=("env", f"LD_PRELOAD={library}", f"CHAOS_WISHES={wishes}"), **sections)

    def wish(self, *, ahead_s=0, victim=0, from_bytes=0, left_n=0):
        """The victim last: what it is refused must stand there before."""
        struct.pack_into("=q", self.wishes, 16, from_bytes)
        struct.pack_into("=q", self.wishes, 24, left_n)
        struct.pack_into("=q", self.wishes, 0, ahead_s)
        struct.pack_into("=q", self.wishes, 8, victim)

    def is_refused(self):
        """Whether the victim asked, and was refused."""
        return struct.unpack_from("=q", self.wishes, 8)[0] == 0


def _jump(days):
    def strike(stage):
        before = stage.site.pids("registry"), stage.site.pids("gateway")
        stage.wish(ahead_s=days * DAY_S)
        day = time.strftime("%Y-%m-%d", time.localtime(time.time() + days * DAY_S))
        time.sleep(3)  # heartbeats inside and outside come and go
        assert stage.site.command("reload").returncode == 0, "timers of the master go on"
        assert (stage.site.pids("registry"), stage.site.pids("gateway")) == before
        assert f"{day} " in stage.log()
        return "the log goes on under the new date; a reload goes as always"
    return strike


def _refuse(kind):
    """Here and there a request for memory is refused to a process of that kind: what a library asked for it can do
    without, for what is its own it aborts."""
    def strike(stage):
        for left_n in REFUSED:
            victim = stage.site.pids(kind)[0]
            stage.wish(victim=victim, left_n=left_n)
            wait_until(lambda: _is_over(stage, victim), 20, "memory is refused")
            time.sleep(0.2)
            wait_until(lambda: len(stage.site.pids(kind)) == 2 and stage.is_whole(), 20, f"a new {kind}")
        # The process says it first, and the master when it has seen it end.
        told_n = stage.log().count("out of memory")
        wait_until(lambda: stage.log().count("ended: killed by signal 6") == told_n, 20, "all who aborted said why")
        assert "killed by signal 11" not in stage.log(), stage.log()
        return f"of {len(REFUSED)} refusals {told_n} ended the process, which said so, and was replaced"
    return strike


def _is_over(stage, victim):
    """Whether memory was refused, or the victim is not there any more, from what it was refused before."""
    asyncio.run(_visit(stage.ports.port))
    return stage.is_refused() or not pathlib.Path(f"/proc/{victim}").exists()


async def _visit(port):
    """Somebody comes and goes: a reason to ask for memory."""
    try:
        client = await Client.connect(port, timeout=2 * SLOW)
        client.send("{}")
        await asyncio.sleep(0.02)
        client.drop()
    except (OSError, asyncio.TimeoutError):
        pass  # it came to the victim


def _refuse_big(stage):
    """A message of somebody's is too big for the memory that is left."""
    before = stage.site.pids("gateway")
    stage.wish(victim=before[0], from_bytes=BIG // 8)

    async def scenario():
        client = await Client.connect(stage.ports.port)
        client.send("x" * BIG)
        await asyncio.wait_for(client.is_closed.wait(), 20 * SLOW)

    asyncio.run(scenario())
    assert stage.is_refused() and stage.site.pids("gateway") == before
    return "who sent it is disconnected, nobody else"


FAULTS = [
    Fault("wall clock jumps a day ahead", _jump(1), Limit(), Shimmed),
    Fault("wall clock jumps a year back", _jump(-365), Limit(), Shimmed),
    Fault("memory refused to a worker (ENOMEM)", _refuse("worker"), Limit(lost_n=40, normal_s=10), Shimmed),
    Fault("memory refused to a gateway", _refuse("gateway"),
          Limit(closed_n=PEOPLE_N * len(REFUSED), lost_n=80, silence_s=2, normal_s=10), Shimmed),
    Fault("memory refused for a client's big message", _refuse_big, Limit(),
          functools.partial(Shimmed, gateways=1)),
] if not is_sanitized() else []
