#!/usr/bin/env python3
"""How long queries hold up a gateway with many idle clients: the echo of another client meanwhile.

    bench/query.py build/gatehouse [clients] [groups]

The gateway runs alone; this program is the registry's, worker's and clients' side. One process asks, another
one is a worker and a client that echoes without a pause, so that its worst round trip shows every stall (and, on
a busy machine, those of the machine: compare with the line "nothing").
"""

import multiprocessing
import pathlib
import resource
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "integration"))

import wire  # noqa: E402

SESSION = b's:100:"' + b"s" * 100 + b'";'
ALL_SESSIONS, ONLINE, BIND, BATCH_IDS, JOIN = 10, 11, 12, 16, 20
GROUP_SESSIONS, SELECT, GROUPS, UNGROUP, BATCH_COUNTS, SET_SESSION = 23, 25, 26, 27, 28, 204


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def echo(public, inner, pipe):
    """Worker and client at once: reports the round trips between two words from the pipe."""
    worker = wire.Peer.connect(inner)
    worker.send(wire.pack(200, body=b'{"worker_key":"bench:0","secret_key":"","gatehouse":1}'))
    worker.packet()
    client = socket.create_connection(("127.0.0.1", public))
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection_id = worker.packet().connection_id
    pipe.send("ready")
    times = []
    while True:
        if pipe.poll():
            if pipe.recv() == "end":
                return
            pipe.send(times)
            times = []
        since = time.perf_counter()
        client.sendall(b"hello\n")
        while worker.packet().connection_id != connection_id:
            pass  # other clients connect
        worker.send(wire.pack(5, connection_id=connection_id, body=b"hello"))
        client.recv(100)
        times.append(time.perf_counter() - since)


def names(begin, name, n, end):
    return (begin + ",".join(f'"{name}{i}"' for i in range(n)) + end).encode()


def queries(clients_n, groups_n):
    return [
        ("nothing", None, b""),
        ("all sessions", ALL_SESSIONS, b""),
        ("sessions of a group of all", GROUP_SESSIONS, b"lobby"),
        ("groups", GROUPS, b""),
        ("select uid, groups, session", SELECT, b'{"fields":["uid","groups","session"]}'),
        ("select of a group of all", SELECT, b'{"fields":["uid"],"where":{"groups":["lobby"]}}'),
        (f"select of {groups_n} groups", SELECT,
         names('{"fields":["uid"],"where":{"groups":[', "room", groups_n, "]}}")),
        (f"counts of {groups_n} groups", BATCH_COUNTS, names("[", "room", groups_n, "]")),
        (f"ids of {clients_n} uids", BATCH_IDS, names("[", "uid", clients_n, "]")),
        ("ungroup of all", UNGROUP, b"lobby"),
    ]


def take_answer(sock):
    got, need = 0, 4
    while got < need:
        part = sock.recv(min(1 << 20, need - got))
        if got == 0 and need == 4:
            while len(part) < 4:
                part += sock.recv(4 - len(part))
            need += struct.unpack(">I", part)[0]
        got += len(part)
    return got


def ask(peer, cmd, ext):
    """One command with a small query behind it, which is answered when the command is done."""
    peer.send(wire.pack(cmd, ext=ext) + wire.pack(ONLINE))
    return sum(take_answer(peer.sock) for _ in range(1 if cmd == UNGROUP else 2))


def fill(peer, clients_n, groups_n):
    for i in range(clients_n):
        at = {"connection_id": i + 2}  # the first one echoes
        peer.send(wire.pack(SET_SESSION, ext=SESSION, **at) + wire.pack(BIND, ext=b"uid%d" % i, **at) +
                  wire.pack(JOIN, ext=b"room%d" % (i % groups_n), **at) + wire.pack(JOIN, ext=b"lobby", **at))
    ask(peer, ONLINE, b"")


def measure(pipe, peer, cmd, ext):
    """Asks for a second; seconds per query, bytes of its answer, and the echoes meanwhile."""
    pipe.send("begin")
    pipe.recv()
    since, size, n = time.perf_counter(), 0, 0
    while time.perf_counter() - since < 1:
        if cmd is None:
            time.sleep(0.1)
        else:
            size = ask(peer, cmd, ext)
        n += 1
    took = (time.perf_counter() - since) / n
    pipe.send("tell")
    return took, size, sorted(pipe.recv())


def run(public, inner, clients_n, groups_n):
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", inner)).close()
            break
        except OSError:
            time.sleep(0.05)
    pipe, theirs = multiprocessing.Pipe()
    multiprocessing.Process(target=echo, args=(public, inner, theirs), daemon=True).start()
    pipe.recv()
    clients = [socket.create_connection(("127.0.0.1", public)) for _ in range(clients_n)]
    peer = wire.Peer.connect(inner, timeout=60)
    fill(peer, clients_n, groups_n)
    print(f"{'':32} {'took ms':>8} {'bytes':>10} {'worst echo ms':>14} {'p99':>7} {'median':>7}")
    for what, cmd, ext in queries(clients_n, groups_n):
        time.sleep(0.2)
        took, size, times = measure(pipe, peer, cmd, ext)
        worst, p99, median = (times[at] * 1e3 for at in (-1, len(times) * 99 // 100, len(times) // 2))
        print(f"{what:32} {took * 1e3:8.1f} {size:10} {worst:14.2f} {p99:7.2f} {median:7.2f}", flush=True)
    pipe.send("end")
    for c in clients:
        c.close()


def main():
    binary = pathlib.Path(sys.argv[1]).resolve()
    clients_n = int(sys.argv[2]) if len(sys.argv) > 2 else 18000
    groups_n = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    public, inner, registry = free_port(), free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        conf = pathlib.Path(folder, "bench.conf")
        conf.write_text(f"[gateway]\nlisten = text://127.0.0.1:{public}\nstart_port = {inner}\n"
                        f"register_address = 127.0.0.1:{registry}\nping_interval = 0\n")
        server = subprocess.Popen([binary, "start", "-c", conf], cwd=folder, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        try:
            run(public, inner, clients_n, groups_n)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
