"""What a compressed connection costs the gateway, once it is idle: the figures of docs/websocket.md.

    /usr/bin/python3 -m pytest -s tests/integration/deflate_memory_test.py
"""

import os
import pathlib

import pytest
from harness import ROOT, Ports, chat_conf
from ws_strict_test import Deflate, Wire, extension, frame

CLIENTS = 300
TEXT = b'{"type":"say","to_client_id":"all","content":"hello, who is here?"}' * 8


def dirty_bytes(pid):
    """Memory of the process that belongs to nobody else."""
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Private_Dirty:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no Private_Dirty")


# deflate_takeover, other keys, and the most that an idle client may cost: contexts of docs/websocket.md, and 4 KiB
@pytest.mark.parametrize("takeover,more,most", [
    (None, "", 4), ("none", "", 4), ("client", "", 4 + 48), ("client", "deflate_window_bits = 9\n", 4 + 16),
    ("both", "", 4 + 48 + 272), ("both", "deflate_window_bits = 10\ndeflate_mem_level = 4\n", 4 + 16 + 24)])
def test_idle_connections(site, takeover, more, most):
    p = Ports(gateways=1)
    on = f"deflate = on\ndeflate_min_bytes = 0\ndeflate_takeover = {takeover}\n" if takeover else "deflate = off\n"
    one = site(chat_conf(events=ROOT / "examples/echo/echo.c", registry=p.registry, port=p.port, inner=p.inner,
                         gateway=on + more))
    one.start(p.port)
    pid = one.pids("gateway")[0]

    def connect():
        wire = Wire(p.port, extension("permessage-deflate; client_max_window_bits"))
        out = frame(TEXT)
        if takeover:
            deflate = Deflate(wire.head)
            out = frame(deflate.pack(TEXT), rsv=4)
        wire.send(out)
        first, payload = wire.frame()
        assert (deflate.unpack(first, payload) if takeover else payload) == TEXT
        return wire

    wires = [connect() for _ in range(50)]  # what the process needs once
    before = dirty_bytes(pid)
    wires += [connect() for _ in range(CLIENTS)]
    each = (dirty_bytes(pid) - before) / CLIENTS / 1024
    for wire in wires:
        wire.close()
    print(f"\ndeflate_takeover = {takeover} {more.strip()!r}: {each:.1f} KiB for each idle client")
    if "ASAN_OPTIONS" not in os.environ:  # sanitizers keep memory of their own
        assert each <= most
