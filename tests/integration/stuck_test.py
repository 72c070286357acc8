"""A callback that never returns: noticed, named, killed if the config says so, and what becomes of the clients.

The stories mostly wait. So each has a server of its own, and they are told side by side."""

import asyncio
import os
import pathlib
import re
import signal
import time

import pytest
from harness import SLOW, Ports, Site, chat_conf, wait_until
from ws import Client

MODULE = pathlib.Path(__file__).resolve().parent / "modules" / "looping.c"


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


async def a_stuck_worker_is_named_killed_and_replaced(server, port):
    one, two = await Client.connect(port), await Client.connect(port)
    first, second = await ask(one, "a"), await ask(two, "b")
    assert first != second  # each has a worker of its own
    one.send("loop")
    busy = await in_thread(wait_until, lambda: [r for r in rows(server, "worker") if r["status"] == "busy"], 20)
    assert [r["pid"] for r in busy] == [first]
    doing = busy[0]["doing"]
    assert re.fullmatch(r"on_message of client 7f000001[0-9a-f]{12}", doing)
    assert await ask(two, "c") == second  # whom the other worker serves notices nothing
    await in_thread(wait_until, lambda: first not in server.pids("worker") and len(server.pids("worker")) == 2, 30)
    # Its client stayed connected, and its next event goes to whoever serves.
    assert await ask(one, "d") in (await in_thread(server.pids, "worker"))
    log = server.log()
    assert re.search(rf"worker chat #[01] \(pid {first}\) is stuck in {doing} for 3 s", log), log
    assert re.search(rf"\(pid {first}\) is killed: stuck in {doing} for 4 s \(stuck_timeout\)", log), log
    assert "with 1 events in its hands; they are lost" in log, log
    assert sum(r["lost"] for r in await in_thread(rows, server, "gateway")) == 1


async def events_behind_a_stuck_worker_wait_for_the_next_one(server, port):
    """With one worker only: what comes meanwhile and does not fit its link is handed to its successor."""
    big = "x" * 200_000
    one, two = await Client.connect(port), await Client.connect(port)
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
    assert first not in {pid for pid, _ in answers}
    numbers = [int(said) for _, said in answers[:-1]]
    assert numbers and numbers == list(range(numbers[0], 60))  # in order, without a gap
    lost = sum(r["lost"] for r in await in_thread(rows, server, "gateway"))
    assert lost == 1 + numbers[0], (lost, numbers)  # "loop" and what had reached the link: all are accounted for


async def without_the_key_it_is_reported_and_new_clients_go_elsewhere(server, port):
    """New clients avoid it from LIKELY_MS on, 3.5 s after its last word, and the master's report comes after three. The
    gateways call it silent within (PULSE_QUIET_MAX + 1) * PULSE_MS: eight seconds."""
    one, two = await Client.connect(port), await Client.connect(port)
    stuck, serving = await ask(one, "a"), await ask(two, "b")
    one.send("loop")
    began = time.monotonic()
    await in_thread(wait_until, lambda: "is stuck in on_message of client" in server.log(), 30)
    assert "with stuck_timeout in its section" in server.log()
    await asyncio.sleep(1.5)
    early = await asyncio.gather(*(Client.connect(port) for _ in range(10)))
    assert [await ask(client, "c") for client in early] == [serving] * 10
    await in_thread(wait_until, lambda: "new ones go to other workers" in server.log(), 30)
    assert time.monotonic() - began < 10 + 2 * SLOW
    crowd = await asyncio.gather(*(Client.connect(port) for _ in range(10)))
    assert [await ask(client, "c") for client in crowd] == [serving] * 10
    assert set(await in_thread(server.pids, "worker")) == {stuck, serving}
    os.kill(stuck, signal.SIGKILL)


async def waiting_and_being_slow_is_not_being_stuck(server, port):
    sleeper, busy = await Client.connect(port), await Client.connect(port)
    pid = await ask(busy, "a")
    sleeper.send("sleep")
    for _ in range(50):  # one turn of five seconds, made of callbacks of a tenth
        busy.send("slow")
    for _ in range(50):
        assert await answer(busy) == (pid, "slow")
    assert await answer(sleeper) == (pid, "sleep")
    assert "is stuck" not in server.log(), server.log()


# Each with its number of workers and what the section says of them.
STORIES = [
    (a_stuck_worker_is_named_killed_and_replaced, 2, "stuck_timeout = 4"),
    (events_behind_a_stuck_worker_wait_for_the_next_one, 1, "stuck_timeout = 2"),
    (without_the_key_it_is_reported_and_new_clients_go_elsewhere, 2, ""),
    (waiting_and_being_slow_is_not_being_stuck, 1, "stuck_timeout = 3"),
]


async def tell(folder, story, workers, worker):
    ports = Ports(1)
    server = Site(folder, chat_conf(workers=workers, events=MODULE, worker=worker, registry=ports.registry,
                                    port=ports.port, inner=ports.inner))
    try:
        await in_thread(server.start, ports.port, ports.registry, ports.inner)
        await story(server, ports.port)
        await in_thread(server.stop)
    finally:
        await in_thread(server.stop, None)  # if it still runs


@pytest.fixture(scope="module")
def endings(tmp_path_factory):
    """By story: None, or what went wrong."""
    async def tell_all():
        told = [tell(tmp_path_factory.mktemp("site"), *story) for story in STORIES]
        return await asyncio.gather(*told, return_exceptions=True)

    return {story: ending for (story, _, _), ending in zip(STORIES, asyncio.run(tell_all()))}


@pytest.mark.parametrize("story", [story for story, _, _ in STORIES], ids=lambda story: story.__name__)
def test_stuck(endings, story):
    if endings[story]:
        raise endings[story]
