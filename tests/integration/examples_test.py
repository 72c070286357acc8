"""The examples as they are shipped, on ports of this run: the manual's telnet demo, and echo up to 64 MiB."""

import asyncio
import os
import re
import shutil
import socket

import pytest
import websockets

from harness import ROOT, SLOW, free_ports


def copied(site, name, *ports):
    """A Site of examples/NAME with each of these ports replaced by a free one; and what they became."""
    source = ROOT / "examples" / name
    text = (source / f"{name}.conf").read_text()
    became = {}
    for port in ports:
        became[port] = free_ports()
        text, n = re.subn(rf"\b{port}\b", str(became[port]), text)
        assert n, f"examples/{name} has no port {port}"
    server = site(text)
    for path in source.glob("*.c"):
        shutil.copy(path, server.folder)
    return server.start(*became.values()), became


def test_telnet(site):
    server, port = copied(site, "telnet", 1436, 8282, 2800)
    visitors = []
    for _ in range(2):
        sock = socket.create_connection(("127.0.0.1", port[8282]), timeout=10 * SLOW)
        lines = sock.makefile("rb")
        hello = lines.readline()
        assert re.fullmatch(rb"Hello [0-9a-f]{20}\r\n", hello), hello
        visitors.append((sock, lines, hello.split()[1]))
        for _, lines, _ in visitors:
            assert lines.readline() == visitors[-1][2] + b" login\r\n"
    (anna, _, anna_id), (ben, ben_lines, _) = visitors
    anna.sendall(b"hi there\r\n\xe4\xbd\xa0\xe5\xa5\xbd\n")
    for _, lines, _ in visitors:
        assert lines.readline() == anna_id + b" said hi there\r\n"
        assert lines.readline() == anna_id + b" said \xe4\xbd\xa0\xe5\xa5\xbd\r\n"
    visitors[0][1].close()
    anna.close()
    assert ben_lines.readline() == anna_id + b" logout\r\n"
    ben_lines.close()
    ben.close()
    server.stop()


def test_echo_keeps_kind_and_size(site):
    server, port = copied(site, "echo", 1336, 7373, 2700)

    async def scenario():
        client = await websockets.connect(f"ws://127.0.0.1:{port[7373]}", max_size=None, compression=None,
                                          ping_interval=None)
        for n in (0, 1, 125, 126, 65535, 65536, 1 << 20, 64 << 20):
            data = os.urandom(n)
            await client.send(data)
            assert await client.recv() == data
        for text in ("", "text é 你好", "x" * 70000):
            await client.send(text)
            assert await client.recv() == text
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await client.send(bytes((64 << 20) + 1))
            await client.recv()
        assert closed.value.code == 1009

    asyncio.run(scenario())
    server.stop()
