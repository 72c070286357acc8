"""Three gateway hosts, two worker hosts and two registries: they come, go, are killed and lose packets. Who heard what is
counted, message by message."""

import asyncio
import json
import subprocess

import pytest

import php
from harness import ROOT, wait_until
from hosts import KEY, Cluster, members_on, talk, until
from lab import has_namespaces
from redis_server import RedisServer


@pytest.fixture(params=["namespaces", "loopback"])
def hosts(request, tmp_path):
    if request.param == "namespaces" and not has_namespaces():
        pytest.skip("network namespaces are not permitted here")
    made = Cluster(tmp_path, request.param == "namespaces")
    yield made
    made.lab.end()


# What counting.c does with "join" and "group", on a gateway and two workers of the original.
PHP_HOST = """<?php
require __DIR__ . '/autoload.php';
use GatewayWorker\\Lib\\Gateway;
use Workerman\\Worker;
class Events
{
    public static function onMessage($id, $text)
    {
        if (str_starts_with($text, 'join ')) {
            Gateway::joinGroup($id, substr($text, 5));
            Gateway::sendToClient($id, 'joined');
        } elseif (str_starts_with($text, 'group ')) {
            Gateway::sendToGroup(substr($text, 6, 2), $text);
        }
    }
}
$site = json_decode(file_get_contents(__DIR__ . '/host.json'), true);
$g = new GatewayWorker\\Gateway("Websocket://{$site['address']}:{$site['public']}");
$g->lanIp = $site['address'];
$g->startPort = $site['inner'];
$w = new GatewayWorker\\BusinessWorker();
$w->name = 'php';
$w->count = 2;
foreach ([$g, $w] as $part) {
    $part->registerAddress = $site['registries'];
    $part->secretKey = $site['secret'];
}
Worker::$pidFile = __DIR__ . '/host.pid';
Worker::$logFile = __DIR__ . '/host.log';
Worker::$statusFile = __DIR__ . '/host.status';
Worker::runAll();
"""


class PhpHost:
    """A machine that runs the original: a gateway and two workers, in a session of their own."""

    def __init__(self, cluster, folder, name):
        host = cluster.lab[name]
        self.folder = folder / name
        script = php.write(self.folder, "host.php", PHP_HOST)
        (self.folder / "host.json").write_text(json.dumps({
            "address": host.address, "public": cluster.public, "inner": cluster.inner, "secret": KEY,
            "registries": [f"{cluster.lab[n].address}:{cluster.registry}" for n in ("r1", "r2")]}))
        with open(self.folder / "host.out", "wb") as out:
            self.process = subprocess.Popen(
                [*host.prefix, "php", str(script), "start"], stdin=subprocess.DEVNULL, stdout=out,
                stderr=subprocess.STDOUT, cwd=self.folder, start_new_session=True)

    def close(self):
        php.end_session(self.process)


def test_hosts_come_and_go(hosts):
    """One by one, live; and without any registry what flows goes on."""
    hosts.start("r1", "g1", "w1")

    async def scenario():
        room = await members_on(hosts, "g1")
        await talk(room, room, range(10))

        hosts.start("g2")
        room += await members_on(hosts, "g2", among=room)
        await talk(room, room, range(10, 20))

        hosts.start("r2", "w2", "g3")
        room += await members_on(hosts, "g3", among=room)
        await talk(room, room, range(20, 30))

        # A worker host leaves while everybody talks: nothing is lost.
        leaving = asyncio.create_task(asyncio.to_thread(hosts.leave, "w1"))
        await talk(room, room, range(30, 130), pause=0.01)
        await leaving

        # One registry is enough for a newcomer, and none for what runs.
        hosts.kill("r1")
        hosts.start("w1")
        await talk(room, room, range(130, 150))
        hosts.kill("r2")
        await talk(room, room, range(150, 170), pause=0.01)

        # A registry that comes back learns of everybody, and a newcomer from it.
        hosts.start("r1")
        hosts.stop("g2")
        gone, room = [m for m in room if m.name.startswith("g2")], [m for m in room if not m.name.startswith("g2")]
        await until(lambda: all(m.client.is_closed.is_set() for m in gone))
        await talk(room, room, range(170, 180))
        hosts.start("g2")
        room += await members_on(hosts, "g2", among=room)
        await talk(room, room, range(180, 190))

    asyncio.run(scenario())


def test_hosts_are_switched_off(hosts):
    """kill -9 of all that runs on a worker host, then on a gateway host: the others hear all, once."""
    hosts.start("r1", "r2", "g1", "g2", "g3", "w1", "w2")

    async def scenario():
        room = await members_on(hosts, "g1", "g2", "g3")
        await talk(room, room, range(5))

        # What was in hand in the dead worker is lost; what is said when the gateways know is not.
        hosts.kill("w1")
        hosts.until_linked()
        await talk(room, room, range(5, 15))

        hosts.kill("g2")
        gone, room = room[2:4], room[:2] + room[4:]
        await until(lambda: all(m.client.is_closed.is_set() for m in gone))
        await talk(room, room, range(15, 25))

        hosts.start("g2", "w1")
        room += await members_on(hosts, "g2", among=room)
        await talk(room, room, range(25, 35))

    asyncio.run(scenario())


def test_packets_are_lost(hosts):
    """Every twentieth packet, everywhere: all arrives, once and in order, only later."""
    hosts.start("r1", "r2", "g1", "g2", "g3", "w1", "w2")

    async def scenario():
        room = await members_on(hosts, "g1", "g2", "g3")
        hosts.lab.lose(5)
        await talk(room, room, range(100), pause=0.01)

    asyncio.run(scenario())


@php.needs_php
def test_a_host_of_the_original_joins(hosts, tmp_path):
    """Its gateway and its workers serve with ours: everybody hears everybody, whoever's worker handles it."""
    hosts.start("r1", "g1", "g2", "w1")
    original = PhpHost(hosts, tmp_path, "p1")
    try:
        hosts.until_linked(others_n=2)
        wait_until(lambda: all(row["links"] == 3 for row in hosts.running["w1"].status()["processes"]), 20,
                   "our workers are linked with the original's gateway")

        async def scenario():
            room = await members_on(hosts, "g1", "g2", "p1", each=6)
            await talk(room, room, range(20))
            hosts.stop("w1")
            hosts.until_linked(others_n=2)
            await talk(room[:12], room[:12], range(20, 30))

        asyncio.run(scenario())
    finally:
        original.close()


@pytest.fixture
def redis(hosts, tmp_path):
    host = hosts.lab["r1"]
    server = RedisServer(tmp_path / "redis", "--protected-mode", "no", host=host)
    yield server
    server.end()


def test_the_chat_on_two_worker_hosts(hosts, redis):
    """Its history is one, in Redis: who joins sees what was said through the other host, nothing twice; and a Redis
    that is gone costs the history alone."""
    store = f"option = store={redis.url}"
    hosts.events = f"{ROOT}/apps/chat/events.c\n{store}"
    hosts.start("r1", "g1", "g2", "w1")

    async def scenario():
        ann = await Visitor.join(hosts, "g1", "Ann")
        for n in range(5):
            ann.say(f"first {n}")
        await until(lambda: len(ann.of("say")) == 5)

        hosts.start("w2")
        hosts.stop("w1")
        bob = await Visitor.join(hosts, "g2", "Bob")
        await until(lambda: bob.history())
        assert bob.history() == [f"first {n}" for n in range(5)]
        bob.say("second")
        await until(lambda: ann.said()[-1] == "second" and bob.said() == ["second"])

        redis.kill()
        bob.say("third")
        await until(lambda: ann.said()[-1] == "third" and bob.said()[-1] == "third", 20)
        assert ann.said() == [f"first {n}" for n in range(5)] + ["second", "third"]

    asyncio.run(scenario())


class Visitor:
    """Somebody in the chat."""

    @classmethod
    async def join(cls, cluster, host, name):
        self = cls()
        self.heard = []
        self.client = await cluster.lab[host].connect(
            cluster.public, lambda client, payload: self.heard.append(json.loads(payload)))
        self.client.send(json.dumps({"type": "login", "client_name": name, "room_id": "1"}))
        await until(lambda: any("client_list" in m for m in self.of("login")), 20, f"{name} enters")
        return self

    def say(self, text):
        self.client.send(json.dumps({"type": "say", "to_client_id": "all", "content": text}))

    def of(self, kind):
        return [m for m in self.heard if m["type"] == kind]

    def said(self):
        return [m["content"] for m in self.of("say")]

    def history(self):
        return [m["content"] for h in self.of("history") for m in h["messages"]]
