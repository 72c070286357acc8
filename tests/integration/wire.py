"""The packet between gateway, worker and client library, for tests: struct only, from vectors/README.md."""

import socket
import struct

from harness import SLOW

HEAD = struct.Struct(">IBIHIHIBHI")


def pack(cmd, *, local_ip=0, local_port=0, client_ip=0, client_port=0, connection_id=0, flag=1,
         gateway_port=0, ext=b"", body=b""):
    """One packet as bytes."""
    length = HEAD.size + len(ext) + len(body)
    head = HEAD.pack(length, cmd, local_ip, local_port, client_ip, client_port, connection_id, flag,
                     gateway_port, len(ext))
    return head + ext + body


class Packet:
    """A decoded packet."""

    def __init__(self, raw):
        (self.length, self.cmd, self.local_ip, self.local_port, self.client_ip, self.client_port,
         self.connection_id, self.flag, self.gateway_port, ext_len) = HEAD.unpack_from(raw)
        self.ext = raw[HEAD.size:HEAD.size + ext_len]
        self.body = raw[HEAD.size + ext_len:self.length]
        self.raw = raw[:self.length]

    def __repr__(self):
        return f"<cmd {self.cmd} connection {self.connection_id} flag {self.flag} {self.ext!r} {self.body!r}>"


class Peer:
    """A blocking socket that speaks packets and replies."""

    def __init__(self, sock, timeout=5 * SLOW):
        self.sock = sock
        self.sock.settimeout(timeout)
        self.data = b""

    @classmethod
    def connect(cls, port, timeout=5 * SLOW):
        return cls(socket.create_connection(("127.0.0.1", port), timeout=timeout), timeout)

    def need(self, n):
        while len(self.data) < n:
            more = self.sock.recv(65536)
            if not more:
                raise ConnectionError("closed by the other side")
            self.data += more

    def send(self, data):
        self.sock.sendall(data)

    def packet(self):
        self.need(4)
        length = struct.unpack_from(">I", self.data)[0]
        self.need(length)
        raw, self.data = self.data[:length], self.data[length:]
        return Packet(raw)

    def reply(self):
        """The payload of one answer to a query."""
        self.need(4)
        length = struct.unpack_from(">I", self.data)[0]
        self.need(4 + length)
        raw, self.data = self.data[4:4 + length], self.data[4 + length:]
        return raw

    def is_closed(self):
        """Whether the other side closes within the timeout (unread bytes are dropped)."""
        try:
            while self.sock.recv(65536):
                pass
            return True
        except ConnectionError:
            return True
        except (socket.timeout, TimeoutError):
            return False

    def close(self):
        self.sock.close()
