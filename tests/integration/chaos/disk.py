"""A disk without room: a small file system of the server's own, filled to the last byte, for the log and for the store."""

import contextlib
import functools
import os
import pathlib
import signal
import subprocess
import time

from chaos.stage import Fault, Limit, Stage
from harness import wait_until

SMALL_BYTES = 1 << 20


def can_mount():
    return subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode == 0


class SmallDisk(Stage):
    """Its config's folder `small` is a file system in a mount namespace of the server: nobody else sees it."""

    def __init__(self, folder, **sections):
        self.small = pathlib.Path(folder) / "small"
        self.small.mkdir(parents=True)
        mount = f'mount -t tmpfs -o size={SMALL_BYTES} chaos "{self.small}" && exec "$@"'
        super().__init__(folder, prefix=("unshare", "-m", "sh", "-c", mount, "sh"), **sections)

    def seen(self, name):
        """The path at which this process finds what the server finds as small/NAME."""
        return pathlib.Path(f"/proc/{self.site.process.pid}/root") / str(self.small / name).lstrip("/")

    def fill(self, *names):
        """Also the rest of the last page of these files."""
        for name, size in [("filler", 4096), *((name, 1) for name in names)]:
            with open(self.seen(name), "ab", buffering=0) as file, contextlib.suppress(OSError):
                while file.write(b"\n" * size):
                    pass

    def make_room(self):
        self.seen("filler").unlink()

    def log(self):
        return super().log() + "".join(path.read_text() for path in self.seen("").glob("*.log"))


def _full_log(stage):
    stage.fill("chat.log")
    for _ in range(3):  # each writes lines
        before = stage.site.pids("worker")
        os.kill(before[0], signal.SIGTERM)
        wait_until(lambda: stage.has_successor("worker", before), 20, "a new worker")
    assert "could not be written" not in stage.log()
    stage.make_room()
    before = stage.site.pids("worker")
    os.kill(before[0], signal.SIGTERM)
    wait_until(lambda: "log lines before this one could not be written" in stage.log(), 20, "the log says what it lacks")
    return "the log says how many lines it lacks"


def _full_store(stage):
    stage.fill()
    wait_until(lambda: "store sqlite:small/chat.db fails" in stage.log(), 20, "the log names the store")
    time.sleep(3)
    warnings = stage.log().count("store sqlite:small/chat.db fails")
    workers = len(stage.site.pids("worker"))
    assert warnings <= workers, stage.log()
    stage.make_room()
    begun = time.monotonic()
    wait_until(lambda: stage.log().count("store sqlite:small/chat.db works again") == warnings, 20, "it is kept again")
    return f"one warning by each worker; no history meanwhile, and again {time.monotonic() - begun:.1f} s after there is room"


FAULTS = [
    Fault("disk of the log full", _full_log, Limit(),
          functools.partial(SmallDisk, master="log_file = small/chat.log")),
    Fault("disk of the SQLite store full", _full_store, Limit(),
          functools.partial(SmallDisk, worker="option = store=sqlite:small/chat.db")),
] if can_mount() else []
