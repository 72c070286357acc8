"""Limits of a gateway: rates, groups, open files; who is beyond them, and what it costs the others."""

import asyncio
import os
import re
import resource
import shutil
import socket
import subprocess
import time

import pytest
import wire
from harness import ROOT, SLOW, Ports, at_once, chat_conf, wait_until
from ws import Client

JOIN_GROUP, SELECT = 20, 25


def make_site(site, gateway, gateways=1):
    ports = Ports(gateways)
    text = chat_conf(gateways=gateways, events=ROOT / "examples/echo/echo.c", registry=ports.registry,
                     port=ports.port, inner=ports.inner, gateway=gateway)
    return site(text).start(ports.port, ports.registry, ports.inner), ports


def row(server):
    return next(r for r in server.status()["processes"] if r["kind"] == "gateway")


def test_a_burst_is_welcome_and_a_flood_is_not(site):
    server, ports = make_site(site, "max_messages_per_second = 5\nmessage_burst = 20\nclose_timeout = 0.5\n")

    async def scenario():
        good, bad = await Client.connect(ports.port), await Client.connect(ports.port)
        for i in range(20):
            good.send(f"{i}")
        for i in range(20):
            assert await good.text() == b"%d" % i
        bad.transport.write(b"".join([b"\x81\x81\0\0\0\0x"] * 200))
        await asyncio.wait_for(bad.is_closed.wait(), 20 * SLOW)
        assert bad.close_code == 1008
        assert not good.is_closed.is_set()

    asyncio.run(scenario())
    assert row(server)["limited"] == 1
    assert "more than 5 messages in a second (max_messages_per_second); closed with 1008" in server.log()
    server.stop()


def test_a_flood_may_also_be_read_slowly(site):
    server, ports = make_site(site, "max_messages_per_second = 40\nmessage_burst = 10\non_rate = delay\n")

    async def scenario():
        flood, other = await Client.connect(ports.port), await Client.connect(ports.port)
        began = time.monotonic()
        flood.transport.write(b"".join([b"\x81\x81\0\0\0\0x"] * 90))
        other.send("hello")
        assert await other.text() == b"hello"
        for _ in range(90):
            assert await flood.text() == b"x"
        assert time.monotonic() - began >= 79 / 40  # the burst at once, the rest at its rate

    asyncio.run(scenario())
    assert row(server)["limited"] >= 1
    server.stop()


def test_a_storm_of_handshakes_waits_its_turn(site):
    """Three seconds' worth comes at once: nobody is refused, and it takes its time."""
    server, ports = make_site(site, "max_handshakes_per_second = 20\n")

    async def scenario():
        began = time.monotonic()
        crowd = await asyncio.gather(*(Client.connect(ports.port, timeout=30 * SLOW) for _ in range(60)))
        assert time.monotonic() - began >= (60 - 2) / 20 - 0.1  # a tenth of a second's worth at once
        for client in crowd:
            client.send("here")
        for client in crowd:
            assert await client.text() == b"here"

    asyncio.run(scenario())
    assert row(server)["refused"] == 0
    assert row(server)["limited"] >= 1
    assert "more than 20 connections come in a second (max_handshakes_per_second)" in server.log()
    server.stop()


def from_address(port, address):
    """The status of a handshake from there; None: closed without a word."""
    with socket.create_connection(("127.0.0.1", port), 10 * SLOW, (address, 0)) as s:
        try:
            s.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                      b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
            return s.recv(4096).partition(b"\r\n")[0].decode() or None
        except ConnectionError:
            return None


def test_an_address_that_comes_again_and_again_is_turned_away(site):
    """Ten seconds' worth at once; others come in meanwhile, and it may itself when it was quiet for a while."""
    server, ports = make_site(site, "max_handshakes_per_address = 1\n")
    answers = at_once(lambda _: from_address(ports.port, "127.0.0.7"), range(30))
    assert len([answer for answer in answers if answer and "101" in answer]) >= 10
    assert None in answers  # all of them within 20 s
    assert "101" in from_address(ports.port, "127.0.0.8")
    assert row(server)["refused"] == answers.count(None)
    assert re.search(r"127\.0\.0\.7:\d+ refused: max_handshakes_per_address is reached", server.log())
    wait_until(lambda: "101" in (from_address(ports.port, "127.0.0.7") or time.sleep(1.1) or ""), 20, "its next token")
    server.stop()


def test_a_client_is_in_so_many_groups_and_no_more(site):
    server, ports = make_site(site, "max_groups_per_client = 3\n")
    peer = wire.Peer.connect(ports.inner)

    def groups():
        peer.send(wire.pack(SELECT, ext=b'{"fields":["groups"],"where":[]}'))
        return peer.reply()

    async def scenario():
        client = await Client.connect(ports.port)
        connection = int(re.search(rb"i:(\d+);a:1:", groups())[1])
        peer.send(b"".join(wire.pack(JOIN_GROUP, connection_id=connection, ext=b"g%d" % i) for i in range(10)))
        assert set(re.findall(rb'"(g\d)"', groups())) == {b"g0", b"g1", b"g2"}
        client.send("still here")
        assert await client.text() == b"still here"

    asyncio.run(scenario())
    peer.close()
    assert row(server)["joins_refused"] == 7
    assert "the client is in as many groups as max_groups_per_client allows" in server.log()
    server.stop()


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def connect_again(port):
    """Comes again if it is turned away: the gateway may have accepted so many of those who are gone already that it
    finds no descriptor before it has read their ends."""
    deadline = time.monotonic() + 20 * SLOW
    while True:
        try:
            return await Client.connect(port)
        except ConnectionError:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.1)


@pytest.mark.skipif("ASAN_OPTIONS" in os.environ, reason="sanitizers open files of their own")
def test_without_descriptors_nobody_spins_and_the_others_are_served(site):
    server, ports = make_site(site, "handshake_timeout = 60\n")
    pid = row(server)["pid"]
    used = len(os.listdir(f"/proc/{pid}/fd"))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + 20, used + 20))

    async def scenario():
        first = await Client.connect(ports.port)
        crowd = []
        for _ in range(60):
            s = socket.socket()
            s.connect(("127.0.0.1", ports.port))  # by the kernel: the backlog takes them
            crowd.append(s)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, wait_until, lambda: "cannot accept connections: Too many open files" in
                                   server.log(), 20, "the log names the limit")
        before = cpu_seconds(pid)
        for i in range(20):
            first.send(f"{i}")
            assert await first.text() == b"%d" % i
            await asyncio.sleep(0.1)
        assert cpu_seconds(pid) - before < 1
        for s in crowd:
            s.close()
        last = await connect_again(ports.port)
        last.send("again")
        assert await last.text() == b"again"

    asyncio.run(scenario())
    assert "raise ulimit -n (LimitNOFILE in systemd)" in server.log()
    server.stop()


def test_the_log_tells_how_many_files_a_process_may_open(site):
    server, _ = make_site(site, "max_connections = 1000\n")
    assert "each process may open " in server.log()
    assert "max_connections is" not in server.log()
    server.stop()


def test_the_log_tells_that_max_connections_is_beyond_the_files(site):
    server, _ = make_site(site, "max_connections = 2000000000\n", gateways=2)
    told = re.findall("max_connections is 2000000000, but a process may open [0-9]+ files", server.log())
    assert len(told) == 1  # though there are two processes
    server.stop()


def test_the_log_tells_that_the_kernel_lets_few_wait(site):
    """In a network of its own, since net.core.somaxconn is a setting of that."""
    script = 'sysctl -qw net.core.somaxconn=100 && ip link set lo up && exec "$@"'
    inside = ["unshare", "--net", "sh", "-c", script, "-"]
    if not shutil.which("unshare") or subprocess.run([*inside, "true"], capture_output=True).returncode != 0:
        pytest.skip("needs the right to make a network namespace")
    ports = Ports(1)
    server = site(chat_conf(events=ROOT / "examples/echo/echo.c", registry=ports.registry, port=ports.port,
                            inner=ports.inner), prefix=inside).start()
    assert "the kernel lets 100 connections of a port wait to be accepted, not 4096" in server.log()
    server.stop()


def is_open(s):
    """Whether the server has not closed it."""
    s.settimeout(0)
    try:
        return s.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_connections_of_the_fallback_are_limited_as_its_clients_are(site):
    """Who says nothing is no client yet; without a limit an address had as many as it liked."""
    server, ports = make_site(site, "sse = true\nmax_connections_per_address = 2\n")
    crowd = [socket.create_connection(("127.0.0.1", ports.port), 10 * SLOW, ("127.0.0.7", 0)) for _ in range(30)]
    wait_until(lambda: sum(map(is_open, crowd)) <= 12, 10, "six for each client of the limit")
    assert sum(map(is_open, crowd)) == 12
    assert "101" in from_address(ports.port, "127.0.0.8"), "others are none the worse"
    assert re.search(r"127\.0\.0\.7:\d+ refused: max_connections_per_address is reached", server.log())
    for s in crowd:
        s.close()
    wait_until(lambda: "101" in (from_address(ports.port, "127.0.0.7") or ""), 10, "room again")
    server.stop()
