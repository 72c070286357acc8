"""A callback that never returns: noticed, named, killed if the config says so, and what becomes of the clients."""

import asyncio
import os
import pathlib
import re
import signal

from harness import SLOW, Ports, chat_conf, wait_until
from ws import Client

MODULE = pathlib.Path(__file__).resolve().parent / "modules" / "looping.c"


def make_site(site, *, workers, worker=""):
    ports = Ports(1)
    text = chat_conf(workers=workers, events=MODULE, worker=worker, registry=ports.registry, port=ports.port,
                     inner=ports.inner)
    return site(text).start(ports.port, ports.registry, ports.inner), ports


async def in_thread(fn, *args):
    return await asyncio.get_running_loop().run_in_executor(None, fn, *args)


async def answer(client):
    pid, _, said = (await asyncio.wait_for(client.text(), 30 * SLOW)).decode().partition(" ")
    return int(pid), said


async def ask(client, text):
    """The pid of the worker that answers."""
    client.send(text)
    pid, said = await answer(client)
    assert said == text
    return pid


def rows(server, kind):
    return [r for r in server.status()["processes"] if r["kind"] == kind]


def test_a_stuck_worker_is_named_killed_and_replaced(site):
    server, ports = make_site(site, workers=2, worker="stuck_timeout = 4")

    async def scenario():
        one, two = await Client.connect(ports.port), await Client.connect(ports.port)
        first, second = await ask(one, "a"), await ask(two, "b")
        assert first != second  # each has a worker of its own
        one.send("loop")
        busy = await in_thread(wait_until, lambda: [r for r in rows(server, "worker") if r["status"] == "busy"], 20)
        assert [r["pid"] for r in busy] == [first]
        assert re.fullmatch(r"on_message of client 7f000001[0-9a-f]{12}", busy[0]["doing"])
        assert await ask(two, "c") == second  # whom the other worker serves notices nothing
        await in_thread(wait_until, lambda: first not in server.pids("worker") and len(server.pids("worker")) == 2, 30)
        # Its client stayed connected, and its next event goes to whoever serves.
        assert await ask(one, "d") in (await in_thread(server.pids, "worker"))
        return first, busy[0]["doing"]

    pid, doing = asyncio.run(scenario())
    log = server.log()
    assert f"worker chat #0 (pid {pid}) is stuck in {doing} for 3 s" in log or \
        f"worker chat #1 (pid {pid}) is stuck in {doing} for 3 s" in log, log
    assert re.search(rf"\(pid {pid}\) is killed: stuck in {doing} for 4 s \(stuck_timeout\)", log), log
    assert "with 1 events in its hands; they are lost" in log, log
    assert sum(r["lost"] for r in rows(server, "gateway")) == 1
    server.stop()


def test_events_behind_a_stuck_worker_wait_for_the_next_one(site):
    """With one worker only: what comes meanwhile and does not fit its link is handed to its successor."""
    server, ports = make_site(site, workers=1, worker="stuck_timeout = 2")
    big = "x" * 200_000

    async def scenario():
        one, two = await Client.connect(ports.port), await Client.connect(ports.port)
        first = await ask(one, "a")
        await ask(two, "b")
        one.send("loop")
        await in_thread(wait_until, lambda: rows(server, "worker")[0]["status"] == "busy", 20)
        for i in range(60):  # the link's share and the kernel's are lost with the worker; the rest is not
            two.send(f"{i} {big}")
        answers = []
        await in_thread(wait_until, lambda: first not in server.pids("worker"), 30)
        two.send("last")
        while not answers or answers[-1][1] != "last":
            pid, said = await answer(two)
            answers.append((pid, said.split(" ")[0]))
        return first, answers

    first, answers = asyncio.run(scenario())
    assert first not in {pid for pid, _ in answers}
    numbers = [int(said) for _, said in answers[:-1]]
    assert numbers and numbers == list(range(numbers[0], 60))  # in order, without a gap
    lost = sum(r["lost"] for r in rows(server, "gateway"))
    assert lost == 1 + numbers[0], (lost, numbers)  # "loop" and what had reached the link: all are accounted for
    server.stop()


def test_without_the_key_it_is_only_reported(site):
    server, ports = make_site(site, workers=1)

    async def scenario():
        client = await Client.connect(ports.port)
        pid = await ask(client, "a")
        client.send("loop")
        await in_thread(wait_until, lambda: "is stuck in on_message of client" in server.log(), 30)
        assert await in_thread(server.pids, "worker") == [pid]
        return pid

    pid = asyncio.run(scenario())
    assert "with stuck_timeout in its section" in server.log()
    os.kill(pid, signal.SIGKILL)
    server.stop()


def test_waiting_and_being_slow_is_not_being_stuck(site):
    server, ports = make_site(site, workers=1, worker="stuck_timeout = 3")

    async def scenario():
        sleeper, busy = await Client.connect(ports.port), await Client.connect(ports.port)
        pid = await ask(busy, "a")
        sleeper.send("sleep")
        for _ in range(50):  # one turn of five seconds, made of callbacks of a tenth
            busy.send("slow")
        for _ in range(50):
            assert await answer(busy) == (pid, "slow")
        assert await answer(sleeper) == (pid, "sleep")

    asyncio.run(scenario())
    assert "is stuck" not in server.log(), server.log()
    server.stop()
