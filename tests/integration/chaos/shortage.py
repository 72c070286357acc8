"""No more descriptors, and no more address space: limits of a running process are lowered to what it has."""

import asyncio
import functools
import os
import re
import resource
import signal
import socket
import time

from chaos.stage import Fault, Limit, Stage
from harness import wait_until
from ws import Client

HASTE_N = 50  # connections that are tried meanwhile
BIG = 900_000  # a message below max_message_bytes
BIG_N = 20  # of them at once


class Lowered:
    """While it is entered the process has no more than `used` of a resource."""

    def __init__(self, pid, what, used):
        self.pid, self.what, self.used = pid, what, used

    def __enter__(self):
        self.before = resource.prlimit(self.pid, self.what)
        resource.prlimit(self.pid, self.what, (self.used, self.before[1]))

    def __exit__(self, *_):
        resource.prlimit(self.pid, self.what, self.before)


def no_descriptors(pid):
    """It can open nothing."""
    return Lowered(pid, resource.RLIMIT_NOFILE, max(map(int, os.listdir(f"/proc/{pid}/fd"))) + 1)


def no_address_space(pid):
    """It gets no memory but what lies in its heap already."""
    with open(f"/proc/{pid}/status") as f:
        used_kb = int(re.search(r"^VmSize:\s+(\d+) kB", f.read(), re.M)[1])
    return Lowered(pid, resource.RLIMIT_AS, used_kb * 1024)


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as f:
        words = f.read().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _gateway(stage):
    pids = stage.site.pids("gateway")
    begun, used = time.monotonic(), sum(map(cpu_s, pids))
    with no_descriptors(pids[0]), no_descriptors(pids[1]):
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
    with no_descriptors(stage.site.process.pid):
        os.kill(before[0], signal.SIGKILL)
        time.sleep(2)
    begun = time.monotonic()
    wait_until(lambda: stage.has_successor("worker", before), 20, "a new worker")
    return f"a killed worker is replaced {time.monotonic() - begun:.1f} s after there are descriptors again"


def _address_space(stage):
    """Big messages come while there is no room for them."""
    pid = stage.site.pids("gateway")[0]

    async def scenario():
        clients = [await Client.connect(stage.ports.port) for _ in range(BIG_N)]
        with no_address_space(pid):
            for client in clients:  # all but the last byte, so that each has to be kept
                client.transport.write(b"\x82\xff" + BIG.to_bytes(8, "big") + bytes(4) + bytes(BIG - 1))
            await asyncio.sleep(2)
        ended_n = sum(client.is_closed.is_set() for client in clients)
        for client in clients:
            client.drop()
        return ended_n

    ended_n = asyncio.run(scenario())
    assert stage.site.pids("gateway") == [pid] and ended_n > 0, ended_n
    return f"{ended_n} of {BIG_N} who sent big messages at once were disconnected, nobody else"


FAULTS = [
    Fault("no descriptors left in both gateways (EMFILE)", _gateway, Limit(), Stage),
    Fault("no descriptors left in the master, and a worker dies", _master, Limit(lost_n=40, normal_s=10), Stage),
]
LONG = [
    Fault("no address space left in the gateway (RLIMIT_AS), and big messages come", _address_space, Limit(),
          functools.partial(Stage, gateways=1)),
]
