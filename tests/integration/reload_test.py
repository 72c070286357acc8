"""Reload and crashes under traffic: nobody is disconnected, nothing is lost, doubled or reordered."""

import asyncio
import os
import pathlib
import re
import signal
import time

import pytest

from harness import SLOW, Ports, chat_conf, wait_until
from ws import Client

MODULES = pathlib.Path(__file__).resolve().parent / "modules"


class Talker:
    """A client that sends numbered messages at a rate and checks the numbers that come back."""

    def __init__(self, name):
        self.name = name
        self.client = None
        self.sent_n = 0
        self.answers = []   # (pid, version, session count, number)

    def on_text(self, client, payload):
        pid, version, count, text = payload.decode().split(" ", 3)
        self.answers.append((int(pid), int(version), int(count), int(re.sub(r"\D", "", text))))

    async def talk(self, port, rate, stop):
        self.client = await Client.connect(port, self.on_text)
        due = time.monotonic()
        while not stop.is_set() and not self.client.is_closed.is_set():
            # Every eighth message keeps its callback waiting, so that reloads find events in hand.
            self.client.send(f"{'sleep' if self.sent_n % 8 == 0 else 'n'}{self.sent_n}")
            self.sent_n += 1
            due += 1 / rate
            await asyncio.sleep(max(0, due - time.monotonic()))

    def numbers(self):
        return [a[3] for a in self.answers]


async def settle(talkers, seconds=15):
    """Waits until every message was answered, or gives up."""
    deadline = time.monotonic() + seconds * SLOW
    while time.monotonic() < deadline and any(len(t.answers) < t.sent_n for t in talkers):
        await asyncio.sleep(0.05)


def make_site(site, *, gateways=2, workers=4, worker=""):
    ports = Ports(gateways)
    text = chat_conf(gateways=gateways, workers=workers, events=MODULES / "counting.c", worker=worker,
                     registry=ports.registry, port=ports.port, inner=ports.inner)
    return site(text).start(ports.port, ports.registry, ports.inner), ports


async def in_thread(fn, *args):
    return await asyncio.get_running_loop().run_in_executor(None, fn, *args)


def is_replaced(server, old):
    """Whether there are as many workers as before, and all serve, after one was killed."""
    rows = [r for r in server.status()["processes"] if r["kind"] == "worker"]
    return len(rows) == len(old) and all(r["ready"] for r in rows) and {r["pid"] for r in rows} != set(old)


def check_order(talkers):
    for t in talkers:
        assert not t.client.is_closed.is_set(), f"{t.name} was disconnected"
        assert t.numbers() == list(range(t.sent_n)), \
            f"{t.name}: sent {t.sent_n}, got {len(t.answers)}: {t.numbers()[:50]}"
        counts = [a[2] for a in t.answers]
        assert counts == list(range(1, t.sent_n + 1)), f"{t.name}: session counts {counts[:50]}"


def test_fifty_reloads_under_traffic(site):
    server, ports = make_site(site)

    async def scenario():
        stop = asyncio.Event()
        talkers = [Talker(f"client {i}") for i in range(100)]
        tasks = [asyncio.create_task(t.talk(ports.port, 20, stop)) for t in talkers]
        await asyncio.sleep(1)
        for i in range(50):
            done = await in_thread(server.command, "reload")
            assert done.returncode == 0, f"reload {i}: {done.stdout}{done.stderr}"
        await asyncio.sleep(0.5)
        stop.set()
        await asyncio.gather(*tasks)
        await settle(talkers)
        check_order(talkers)
        assert len({a[0] for t in talkers for a in t.answers}) > 100, "the worker processes did not change"

    asyncio.run(scenario())
    server.stop()


def test_reload_takes_the_new_code_and_keeps_the_old_on_errors(site, tmp_path):
    ports = Ports(1)
    events = tmp_path / "events.c"
    source = (MODULES / "counting.c").read_text()
    events.write_text(source)
    text = chat_conf(gateways=1, workers=2, events=events, registry=ports.registry, port=ports.port, inner=ports.inner)
    server = site(text).start(ports.port, ports.registry, ports.inner)

    async def scenario():
        client = await Client.connect(ports.port)

        async def version():
            client.send("n1")
            return int((await client.text()).split()[1])

        assert await version() == 1
        events.write_text(source.replace("#define VERSION 1", "#define VERSION 2"))
        done = await in_thread(server.command, "reload")
        assert done.returncode == 0, done.stdout + done.stderr
        assert await version() == 2
        events.write_text(source + "\nint broken(void) { return nonsense; }\n")
        done = await in_thread(server.command, "reload")
        assert done.returncode == 1
        said = done.stdout + done.stderr
        line = source.count("\n") + 2
        assert f"events.c:{line}" in said and "nonsense" in said, said
        assert await version() == 2
        events.write_text(source.replace("#define VERSION 1", "#define VERSION 3"))
        assert (await in_thread(server.command, "reload")).returncode == 0
        assert await version() == 3
        assert not client.is_closed.is_set()

    asyncio.run(scenario())
    server.stop()


def test_killed_worker_costs_only_what_was_in_its_hands(site):
    server, ports = make_site(site)

    async def scenario():
        stop = asyncio.Event()
        talkers = [Talker(f"client {i}") for i in range(40)]
        tasks = [asyncio.create_task(t.talk(ports.port, 20, stop)) for t in talkers]
        await in_thread(wait_until, lambda: all(t.answers for t in talkers), 20, "answers to everybody")
        victims = await in_thread(server.pids, "worker")
        os.kill(victims[1], signal.SIGKILL)
        await in_thread(wait_until, lambda: is_replaced(server, victims), 20, "a new worker in its place")
        stop.set()
        await asyncio.gather(*tasks)
        # Events of one client stay in order, so with the answer to the last one all have come that ever will.
        for t in talkers:
            t.client.send(f"n{t.sent_n}")
            t.sent_n += 1
        await in_thread(wait_until, lambda: all(t.numbers()[-1] == t.sent_n - 1 for t in talkers), 20, "the last answers")
        lost = 0
        for t in talkers:
            assert not t.client.is_closed.is_set(), f"{t.name} was disconnected"
            numbers = t.numbers()
            assert numbers == sorted(set(numbers)), f"{t.name}: doubled or reordered: {numbers}"
            lost += t.sent_n - len(numbers)
        return lost

    lost = asyncio.run(scenario())
    log = server.log()
    # The gateways have told what the worker held when it died, of which some was answered but not yet accounted for.
    told = sum(map(int, re.findall(r"is gone with (\d+) events in its hands", log)))
    assert lost <= told, f"{lost} events were lost, {told} of them known\n{log[-3000:]}"
    assert re.search(r"worker.*(signal 9|SIGKILL)", log), log[-3000:]
    server.stop()


def test_with_no_worker_in_sight_events_wait(site):
    server, ports = make_site(site, gateways=1, workers=1)

    async def scenario():
        old = await Client.connect(ports.port)
        old.send("n0")
        await old.text()
        (worker,) = await in_thread(server.pids, "worker")
        # The master is held, so that it cannot put a new worker there before we are done.
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            os.kill(worker, signal.SIGKILL)
            await in_thread(wait_until, lambda: "is gone" in server.log() + server.output(), 5, "a gateway that noticed")
            young = await Client.connect(ports.port)
            for i in range(1, 6):
                old.send(f"n{i}")
                young.send(f"n{i}")
            await asyncio.sleep(0.3)
            assert old.inbox.empty() and young.inbox.empty()
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
        for client in (old, young):
            assert [(await client.text()).split()[3] for _ in range(5)] == [b"n%d" % i for i in range(1, 6)]
        assert not old.is_closed.is_set()
        after = await in_thread(server.pids, "worker")
        assert after != [worker]
        assert len(after) == 1

    asyncio.run(scenario())
    server.stop()


def test_killed_registry_disturbs_nothing(site):
    server, ports = make_site(site)

    async def scenario():
        stop = asyncio.Event()
        talkers = [Talker(f"client {i}") for i in range(30)]
        tasks = [asyncio.create_task(t.talk(ports.port, 20, stop)) for t in talkers]
        await asyncio.sleep(0.5)
        (old,) = await in_thread(server.pids, "registry")
        os.kill(old, signal.SIGKILL)
        await in_thread(wait_until, lambda: server.is_ready() and server.pids("registry") != [old], 20, "a new registry")
        await asyncio.sleep(1)
        stop.set()
        await asyncio.gather(*tasks)
        await settle(talkers)
        check_order(talkers)

    asyncio.run(scenario())
    # New processes find each other again through the restarted registry.
    wait_until(lambda: server.is_ready(), 5, "all processes ready")
    assert server.command("reload").returncode == 0
    server.stop()


def test_killed_gateway_costs_only_its_own_clients(site):
    server, ports = make_site(site)

    async def scenario():
        clients = [await Client.connect(ports.port) for _ in range(40)]
        for c in clients:
            c.send("join g1")
            assert await c.text() == b"joined"
        old = await in_thread(server.pids, "gateway")
        linked_n = server.log().count("connected to gateway")
        os.kill(old[0], signal.SIGKILL)

        def is_back():
            pids = server.pids("gateway")
            return len(pids) == 2 and old[0] not in pids and server.is_ready()

        await in_thread(wait_until, is_back, 20, "a new gateway in its place")
        await in_thread(wait_until, lambda: server.log().count("connected to gateway") >= linked_n + 4, 20,
                        "all workers connected to it")
        alive = [c for c in clients if not c.is_closed.is_set()]
        assert 0 < len(alive) < 40
        for _ in range(len(clients) - len(alive)):
            back = await Client.connect(ports.port)
            back.send("join g1")
            assert await back.text() == b"joined"
            alive.append(back)
        alive[0].send("group g1 hello")
        for c in alive:
            assert await c.text() == b"group g1 hello"
        assert all(c.inbox.empty() for c in alive)

    asyncio.run(scenario())
    server.stop()


@pytest.mark.parametrize("how", ["stop", "stop -g"])
def test_stop_really_finishes(site, how):
    server, ports = make_site(site, gateways=1, workers=2)

    async def scenario():
        client = await Client.connect(ports.port)
        client.send("sleep1")
        await asyncio.sleep(0.005)
        done = await in_thread(server.command, *how.split())
        assert done.returncode == 0, done.stdout + done.stderr
        if how == "stop -g":
            assert (await client.text()).endswith(b"sleep1"), "work in hand was not finished"
        await asyncio.wait_for(client.is_closed.wait(), 5 * SLOW)

    asyncio.run(scenario())
    assert server.process.wait(timeout=10 * SLOW) == 0
    assert not list(server.folder.rglob("*.pid"))
    server.stop()
