"""No more descriptors: RLIMIT_NOFILE of a running process is lowered to what it has open."""

import os
import resource
import signal
import socket
import time

from chaos.stage import Fault, Limit, Stage
from harness import wait_until

HASTE_N = 50  # connections that are tried meanwhile


class NoDescriptors:
    """While it is entered the process can open nothing."""

    def __init__(self, pid):
        self.pid = pid

    def __enter__(self):
        self.before = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)
        highest = max(map(int, os.listdir(f"/proc/{self.pid}/fd")))
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (highest + 1, self.before[1]))

    def __exit__(self, *_):
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, self.before)


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as f:
        words = f.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _gateway(stage):
    pids = stage.site.pids("gateway")
    begun, used = time.monotonic(), sum(map(cpu_s, pids))
    with NoDescriptors(pids[0]), NoDescriptors(pids[1]):
        waiting = [socket.create_connection(("127.0.0.1", stage.ports.port)) for _ in range(HASTE_N)]
        wait_until(lambda: "cannot accept connections: Too many open files" in stage.log(), 10, "the gateway says so")
        time.sleep(3)
        busy = (sum(map(cpu_s, pids)) - used) / (time.monotonic() - begun)
        lines = stage.log().count("cannot accept connections")
    assert busy < 0.5, f"{busy:.0%} of a processor is used up by accepting nothing"
    assert lines <= 2 * (time.monotonic() - begun + 1), "a line per second and process is enough"
    for sock in waiting:
        sock.close()
    with socket.create_connection(("127.0.0.1", stage.ports.port)) as late:
        late.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        late.settimeout(20)
        assert late.recv(1), "new clients are served again"
    return f"new clients wait or are closed; {busy:.1%} of a processor goes into that"


def _master(stage):
    """A process ends while its master cannot make the pipe to a successor."""
    before = stage.site.pids("worker")
    with NoDescriptors(stage.site.process.pid):
        os.kill(before[0], signal.SIGKILL)
        time.sleep(2)
    begun = time.monotonic()
    wait_until(lambda: stage.has_successor("worker", before), 20, "a new worker")
    return f"a killed worker is replaced {time.monotonic() - begun:.1f} s after there are descriptors again"


FAULTS = [
    Fault("no descriptors left in both gateways (EMFILE)", _gateway, Limit(), Stage),
    Fault("no descriptors left in the master, and a worker dies", _master, Limit(lost_n=40, normal_s=10), Stage),
]
