"""Workers across the border: PHP's BusinessWorker with workerman-chat's Events.php behind our gateways, and our worker with our
chat behind PHP's. Both speak the same chat, so one scene serves both."""

import asyncio
import json
import os
import pathlib
import signal
import subprocess

import pytest

import php
import wire
from harness import ROOT, SLOW, free_ports, wait_until
from ws import Client

CHAT = pathlib.Path(php.FOLDER or "/nonexistent") / "workerman-chat" / "Applications" / "Chat"

CLIENT_CONNECT, GET_SESSION = 202, 203

pytestmark = [php.needs_php,
              pytest.mark.skipif(not CHAT.is_dir(), reason="GATEWAYWORKER_DIR holds no workerman-chat")]

WORKER = """<?php
require __DIR__ . '/autoload.php';
require getenv('CHAT_DIR') . '/Events.php';
use Workerman\\Worker;
[$registry, $secret] = json_decode(file_get_contents(__DIR__ . '/worker.json'), true);
$w = new GatewayWorker\\BusinessWorker();
$w->name = 'ChatBusinessWorker';
$w->count = 2;
$w->registerAddress = "127.0.0.1:$registry";
$w->secretKey = $secret;
Worker::$pidFile = __DIR__ . '/worker.pid';
Worker::$logFile = __DIR__ . '/worker.log';
Worker::$statusFile = __DIR__ . '/worker.status';
Worker::runAll();
"""


class PhpWorker:
    """The real BusinessWorker, two processes, in a session of its own."""

    def __init__(self, folder, registry, secret):
        script = php.write(folder, "worker.php", WORKER)
        (folder / "worker.json").write_text(json.dumps([registry, secret]))
        self.out = folder / "worker.out"
        with open(self.out, "wb") as out:
            self.process = subprocess.Popen(
                ["php", str(script), "start"], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                cwd=folder, start_new_session=True, env={**os.environ, "CHAT_DIR": str(CHAT)})

    def close(self):
        php.end_session(self.process)


async def heard(client, kind):
    """The next message of that type; heartbeats and what only ours tells are passed over."""
    while True:
        message = json.loads(await client.text(10 * SLOW))
        if message["type"] == kind:
            return message


def session_of(client_id, secret):
    """What the gateway that holds the client has as its session, serialized."""
    peer = wire.Peer.connect(int(client_id[8:12], 16))
    if secret:
        peer.send(wire.pack(CLIENT_CONNECT, body=json.dumps({"secret_key": secret}).encode()))
    peer.send(wire.pack(GET_SESSION, connection_id=int(client_id[12:], 16)))
    session = peer.reply()
    peer.close()
    return session


async def login(port, name, secret):
    """A client who may speak. PHP's BusinessWorker answers the login before it hands the session to the gateway, and of
    the events that were sent meanwhile the second finds no session (docs/wire.md, section 5): this chat's worker ends
    over that."""
    client = await Client.connect(port, timeout=20 * SLOW)
    client.send(json.dumps({"type": "login", "client_name": name, "room_id": "1"}))
    welcome = await heard(client, "login")
    while "client_list" not in welcome:
        welcome = await heard(client, "login")
    client.id = welcome["client_id"]
    await asyncio.get_running_loop().run_in_executor(
        None, wait_until, lambda: name.encode() in session_of(client.id, secret), 20, f"the session of {name}")
    return client, welcome


async def scene(ports, secret):
    """A chat of two, on two gateways where there are two."""
    anna, _ = await login(ports[0], "anna", secret)
    ben, welcome = await login(ports[-1], "ben", secret)
    assert set(welcome["client_list"]) >= {anna.id, ben.id}, welcome
    assert welcome["client_list"][anna.id] == "anna"
    while (await heard(anna, "login"))["client_name"] != "ben":
        pass

    for n in range(50):
        ben.send(json.dumps({"type": "say", "to_client_id": "all", "content": f"<{n}>"}))
    for client in (anna, ben):
        got = [await heard(client, "say") for _ in range(50)]
        assert [m["content"] for m in got] == [f"&lt;{n}&gt;" for n in range(50)]
        assert {m["from_client_id"] for m in got} == {ben.id}

    anna.send(json.dumps({"type": "say", "to_client_id": ben.id, "to_client_name": "ben", "content": "psst"}))
    assert "psst" in (await heard(ben, "say"))["content"]
    assert "psst" in (await heard(anna, "say"))["content"]

    ben.close()
    gone = await heard(anna, "logout")
    assert (gone["from_client_id"], gone["from_client_name"]) == (ben.id, "ben")
    anna.close()


@pytest.mark.parametrize("secret", ["", "s3cret"])
def test_php_worker_behind_our_gateways(site, tmp_path, secret):
    registry, port, inner = free_ports(), free_ports(), free_ports(2)
    key = f"secret_key = {secret}\n" if secret else ""
    server = site(f"[master]\n\n[registry]\nlisten = text://127.0.0.1:{registry}\n{key}\n[gateway chat]\n"
                  f"listen = websocket://127.0.0.1:{port}\ncount = 2\nlan_ip = 127.0.0.1\nstart_port = {inner}\n"
                  f"register_address = 127.0.0.1:{registry}\n{key}ping_interval = 1\n"
                  'ping_data = {"type":"ping"}\n')
    server.start(registry, inner, inner + 1)
    worker = PhpWorker(tmp_path / "php", registry, secret)
    try:
        wait_until(lambda: (server.output() + server.log()).count("connected") >= 4, 15, worker.out.read_text())
        asyncio.run(scene([port, port], secret))
        asyncio.run(scene([port, port], secret))
        # A reload in PHP: its processes end and come again; clients stay.
        asyncio.run(reload_in_php(port, worker, secret))
    finally:
        worker.close()
    server.stop()


async def reload_in_php(port, worker, secret):
    client, _ = await login(port, "stays", secret)
    os.kill(worker.process.pid, signal.SIGUSR1)
    for n in range(20):
        client.send(json.dumps({"type": "say", "to_client_id": "all", "content": str(n)}))
        await asyncio.sleep(0.1)
    last = None
    while last != "19":
        last = (await heard(client, "say"))["content"]
    assert not client.is_closed.is_set()
    client.close()


@pytest.mark.parametrize("secret", ["", "s3cret"])
def test_our_worker_behind_php_gateways(site, tmp_path, secret):
    servers = php.Servers(tmp_path / "php", secret=secret)
    try:
        key = f"secret_key = {secret}\n" if secret else ""
        server = site(f"[master]\n\n[worker chat]\ncount = 2\nevents = {ROOT}/apps/chat/events.c\n"
                      f"register_address = 127.0.0.1:{servers.registry}\n{key}").start()
        asyncio.run(scene(list(servers.public.values()), secret))
        # A reload of ours: PHP's gateways know no hand-over, but clients stay.
        done = server.command("reload")
        assert done.returncode == 0, done.stdout + done.stderr
        asyncio.run(scene(list(servers.public.values()), secret))
        server.stop()
    finally:
        servers.close()
