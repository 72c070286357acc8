#!/usr/bin/env python3
"""A long run of the chat: people come and go, talk and read slowly, while workers are reloaded and processes killed.

    tests/soak/soak.py --minutes 30 --out build/soak

Every message has to come once to everybody who is in the room, in its sender's order; memory and descriptors must not
grow. Writes soak.csv (what the processes use), soak.json (the verdict) and soak.svg (the curves).
"""

import argparse
import asyncio
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import sys
import tempfile
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "integration")]

import curves  # noqa: E402
from certs import Authority  # noqa: E402
from crowd import Crowd  # noqa: E402
from harness import ROOT, Ports, Site, free_ports, wait_until  # noqa: E402
from ledger import Ledger  # noqa: E402
from meter import Meter  # noqa: E402

CONF = """
[master]
log_file = var/soak.log
[registry]
listen = text://127.0.0.1:{registry}
[gateway plain]
listen = websocket://127.0.0.1:{ws}
listen = text://127.0.0.1:{text}
count = 2
start_port = {inner}
{common}
[gateway secure]
listen = websocket://127.0.0.1:{tls}
start_port = {inner_tls}
tls_cert = {cert}
tls_key = {key}
{common}
[worker chat]
count = 2
events = {root}/apps/chat/events.c
option = store=sqlite:{folder}/chat.db
register_address = 127.0.0.1:{registry}
[web]
listen = http://127.0.0.1:{web}
root = {root}/apps/chat/web
"""
COMMON = """register_address = 127.0.0.1:{registry}
ping_interval = 10
ping_data = {{"type":"ping"}}
send_to_client_buffer_size = 65536"""


class Soak:
    def __init__(self, folder, out, minutes, size):
        self.folder, self.out, self.seconds = folder, out, minutes * 60
        ports = Ports(2)
        self.ports = {"ws": ports.port, "text": free_ports(), "tls": free_ports()}
        cert, key = Authority(folder / "tls").issue("server")
        self.site = Site(folder, CONF.format(
            common=COMMON.format(registry=ports.registry), registry=ports.registry, inner=ports.inner,
            inner_tls=free_ports(), cert=cert, key=key, root=ROOT, folder=folder, web=ports.web, **self.ports))
        self.ledger = Ledger()
        self.meter = Meter(out / "soak.csv")
        self.size = size
        self.marks, self.people, self.rates, self.faults = [], [], [], []
        self.full_n = 0

    def at(self):
        return time.monotonic() - self.began

    def pids(self, kind):
        return [row["pid"] for row in self.site.status()["processes"] if row["kind"] == kind]

    # ---- what happens to it ----

    async def off_loop(self, work, *args):
        """Commands wait; the people do not wait for them."""
        return await asyncio.get_running_loop().run_in_executor(None, work, *args)

    async def reload(self):
        done = await self.off_loop(self.site.command, "reload")
        if done.returncode != 0:
            self.faults.append(f"reload: {done.stdout}{done.stderr}")

    async def kill(self, kind):
        pids = await self.off_loop(self.pids, kind)
        if kind != "registry":  # which carries nothing
            self.ledger.killed()
        os.kill(random.choice(pids), signal.SIGKILL)

    async def trouble(self):
        """A reload, a worker, a registry and a gateway killed, in turn, evenly over the run."""
        todo = [("reload", self.reload), ("kill worker", lambda: self.kill("worker")), ("reload", self.reload),
                ("kill registry", lambda: self.kill("registry")), ("kill gateway", lambda: self.kill("gateway"))]
        rounds_n = max(1, round(self.seconds / 300))
        pause_s = 0.9 * self.seconds / (rounds_n * len(todo))
        for word, act in todo * rounds_n:
            await asyncio.sleep(pause_s)
            self.marks.append((self.at(), word))
            await act()

    async def look(self):
        heard_n = 0
        pause_s = max(1, self.seconds / 360)
        while self.at() < self.seconds:
            rows = (await self.off_loop(self.site.status))["processes"]
            pids = [("master", self.site.process.pid)] + [(row["kind"], row["pid"]) for row in rows]
            self.meter.look(self.at(), pids)
            self.people.append((self.at(), self.crowd.in_n()))
            self.rates.append((self.at(), (self.ledger.heard_n - heard_n) / pause_s))
            heard_n = self.ledger.heard_n
            self.full_n = max(self.full_n, sum(row.get("send_fail", 0) for row in rows))
            await asyncio.sleep(pause_s)

    # ---- the run ----

    def fds(self):
        return {pid: len(os.listdir(f"/proc/{pid}/fd")) for pid in self.pids("gateway")}

    async def run(self):
        self.crowd = Crowd(self.ledger, self.ports, rooms_n=8, messages_per_s=2 * self.size, stayers_n=6 * self.size,
                           churners_n=3 * self.size, slow_n=self.size // 2)
        self.began = time.monotonic()
        await self.crowd.come()
        await asyncio.sleep(2)
        at_work = [asyncio.ensure_future(work) for work in
                   (self.crowd.talk(), self.crowd.flooder.flood(), self.trouble())]
        await self.look()
        for task in at_work:
            task.cancel()
        for ended in await asyncio.gather(*at_work, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended
        deadline = time.monotonic() + 20
        while self.ledger.open and time.monotonic() < deadline:  # what was said last is still on its way
            self.ledger.settle(is_last=True)
            await asyncio.sleep(0.2)
        await self.crowd.go()

    def check_empty(self):
        """Nobody is there any more: the gateways hold no client, and what they hold for workers alone."""
        def is_empty():
            rows = [r for r in self.site.status()["processes"] if r["kind"] == "gateway"]
            return all(r["connections"] == 0 for r in rows)

        wait_until(is_empty, 60, "the gateways are empty")
        self.left = self.fds()
        if max(self.left.values()) > self.idle_fds + 4:
            self.faults.append(f"descriptors of gateways: {self.idle_fds} idle before, {self.left} idle after")

    def verdict(self):
        book = self.ledger
        bad = list(self.faults) + book.faults + self.meter.growth()
        server_cpu = self.meter.cpu_s()
        return {
            "seconds": round(self.seconds), "said": book.said_n, "deliveries": book.heard_n,
            "expected": book.expected_n, "lost": book.lost_n, "twice": book.twice_n, "out_of_order": book.disordered_n,
            "not_delivered_around_kills": book.excused_n, "slowest_s": round(book.slowest_s, 2),
            "logins": self.crowd.came_n, "cut_by_kills_or_limits": self.crowd.cut_n,
            "failed_logins": self.crowd.failed_n, "longest_away_s": round(self.crowd.away_s, 1),
            "not_sent_to_slow_readers": self.full_n, "troubles": len(self.marks),
            "own_cpu_share": round(time.process_time() / self.seconds, 3), "server_cpu_share": round(server_cpu / self.seconds, 3), "faults": bad,
        }

    def draw(self):
        meter = self.meter
        roles = [r for r in meter.roles() if r != "web"]
        panels = [
            ("Memory by role, PSS (KiB)", {r: meter.curve(r, "pss_kib") for r in roles}),
            ("Memory by role, RSS (KiB)", {r: meter.curve(r, "rss_kib") for r in roles}),
            ("Open descriptors by role", {r: meter.curve(r, "fds") for r in roles}),
            ("People in the rooms", {"logged in": self.people}),
            ("Messages that arrived per second", {"deliveries": self.rates}),
        ]
        title = f"Soak: {self.seconds / 60:g} minutes of chat with reloads and kills"
        (self.out / "soak.svg").write_text(curves.draw(title, panels, self.seconds, self.marks))

    def whole(self):
        self.site.start(*self.ports.values())
        try:
            self.idle_fds = max(self.fds().values())
            asyncio.run(self.run())
            self.check_empty()
        finally:
            self.site.stop(expect=None)
        found = self.verdict()
        self.draw()
        (self.out / "soak.json").write_text(json.dumps(found, indent=1) + "\n")
        print(json.dumps(found, indent=1))
        return 1 if found["faults"] else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "build" / "soak")
    parser.add_argument("--size", type=int, default=10, help="a tenth of the people, about, and half of what they say in a second")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 65536), most))
    os.environ.setdefault("GATEHOUSE_INCLUDE", str(ROOT / "include"))
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-soak-"))
    code = 1
    try:
        code = Soak(folder, args.out.resolve(), args.minutes, args.size).whole()
    finally:
        if code == 0:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            print(f"see {folder}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
