"""A WebSocket client for tests (RFC 6455), on asyncio, quick enough for hundreds of them in one process."""

import asyncio
import base64
import os
import struct

from harness import SLOW


def frame(payload, opcode=1, fin=True, mask=b"\x12\x34\x56\x78", rsv=0):
    """One masked client frame; mask=None sends it unmasked."""
    n = len(payload)
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    bit = 0x80 if mask else 0
    if n < 126:
        head += bytes([bit | n])
    elif n < 65536:
        head += bytes([bit | 126]) + struct.pack(">H", n)
    else:
        head += bytes([bit | 127]) + struct.pack(">Q", n)
    if not mask:
        return head + payload
    if n == 0:
        return head + mask
    key = (mask * (n // 4 + 1))[:n]
    masked = (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(n, "big")
    return head + mask + masked


def handshake(port, path="/", extra=""):
    key = base64.b64encode(os.urandom(16)).decode()
    return (f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{extra}\r\n").encode()


class Client(asyncio.Protocol):
    """Messages arrive in `on_text(client, bytes)` or, without it, in the queue `inbox`."""

    def __init__(self, port, on_text=None):
        self.port = port
        self.on_text = on_text
        self.inbox = asyncio.Queue()
        self.data = b""
        self.is_open = False
        self.is_closed = asyncio.Event()
        self.opened = asyncio.get_running_loop().create_future()
        self.close_code = None
        self.transport = None
        self.frames_n = 0

    @classmethod
    async def connect(cls, port, on_text=None, path="/", extra="", timeout=20 * SLOW, **how):
        loop = asyncio.get_running_loop()
        where = () if "sock" in how else ("127.0.0.1", port)
        _, self = await asyncio.wait_for(
            loop.create_connection(lambda: cls(port, on_text), *where, **how), timeout)
        self.transport.write(handshake(port, path, extra))
        await asyncio.wait_for(self.opened, timeout)
        return self

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.data = self.data + data if self.data else data
        if not self.is_open:
            end = self.data.find(b"\r\n\r\n")
            if end < 0:
                return
            head, self.data = self.data[:end], self.data[end + 4:]
            if b" 101 " not in head.split(b"\r\n")[0] + b" ":
                if not self.opened.done():
                    self.opened.set_exception(ConnectionError(head.decode(errors="replace")))
                return
            self.is_open = True
            self.opened.set_result(None)
        self._frames()

    def _frames(self):
        data, at = self.data, 0
        while len(data) - at >= 2:
            n, head = data[at + 1], 2
            assert not n & 0x80, "a server frame must not be masked"
            if n == 126:
                if len(data) - at < 4:
                    break
                n, head = struct.unpack_from(">H", data, at + 2)[0], 4
            elif n == 127:
                if len(data) - at < 10:
                    break
                n, head = struct.unpack_from(">Q", data, at + 2)[0], 10
            if len(data) - at < head + n:
                break
            self._frame(data[at], data[at + head:at + head + n])
            at += head + n
        self.data = data[at:]

    def _frame(self, first, payload):
        opcode = first & 15
        self.frames_n += 1
        if opcode in (1, 2):
            if self.on_text:
                self.on_text(self, payload)
            else:
                self.inbox.put_nowait(payload)
        elif opcode == 8:
            self.close_code = struct.unpack_from(">H", payload)[0] if len(payload) >= 2 else 1005
        elif opcode == 9:
            self.transport.write(frame(payload, opcode=10))

    def connection_lost(self, exc):
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionError("closed before the handshake was done"))
        self.is_closed.set()

    def send(self, text, opcode=1):
        self.transport.write(frame(text.encode() if isinstance(text, str) else text, opcode))

    async def text(self, timeout=10 * SLOW):
        """The next message."""
        return await asyncio.wait_for(self.inbox.get(), timeout)

    def close(self, code=1000):
        self.transport.write(frame(struct.pack(">H", code), opcode=8))

    def drop(self):
        """Ends the connection without a goodbye."""
        self.transport.abort()
