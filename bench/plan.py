"""What is measured on which server: the cells of the tables."""
import functools
import socket
import struct

import capacity
import crowd
import generator
import servers as s
import slices
import syscalls
from cell import Cell, Skipped, figure, lasts, once, runs

# Where the search for a capacity begins; the next rounds begin where the last one ended.
FIRST_GUESS = {s.Floor: 2.5e7, s.FloorHop: 2.5e7, s.Gatehouse: 2e7, s.GatehouseChat: 1.2e7, s.GatehouseTls: 1e7,
               s.UWebSockets: 1.8e6, s.Nats: 1.8e6, s.WorkermanChat: 1.5e5, s.GatewayWorker: 1.5e5, s.Nchan: 1.5e5,
               s.NpmWs: 2e5, s.SocketIo: 1e5}
DECRYPT_EVERY = 10  # of TLS clients; README.md says what the others are checked for
RIVALS = [s.UWebSockets, s.Nats, s.GatewayWorker]  # compared in every round where a goal or a ratio is about them
OTHER_PEERS = [s.Nchan, s.NpmWs, s.SocketIo]
PEERS = RIVALS + OTHER_PEERS
CAPACITY_PEERS = [s.WorkermanChat] + PEERS
# What a search takes: four or five runs, longer ones where thousands must connect and drain.
PROBES = {False: runs(4.5, 0.3), True: runs(4.5, 1)}
PEER_PRECISION = 0.11  # they are told apart from ours by factors


def tls_options(cls):
    return {"tls": True, "decrypt-every": DECRYPT_EVERY} if cls is s.GatehouseTls else {}


def find_capacity(column, cls, limit_ms, members, publishers, rooms=1, size=None):
    def measure(ctx):
        if members * rooms > cls.members_max:
            raise Skipped(f"no more than {cls.members_max} clients")
        make = functools.partial(ctx.make, cls)
        make()
        options = {"members": members, "publishers": publishers, "rooms": rooms, "seconds": ctx.seconds,
                   "warmup": ctx.warmup}
        if size:
            options["bytes"] = size(ctx)
        options |= tls_options(cls)
        guess = ctx.guesses.get((column, cls), FIRST_GUESS[cls] * (0.5 if rooms * members > 1000 else 1))
        best, probes = capacity.search(
            lambda rate: capacity.probe(ctx.build, make, rate, limit_ms * 1000, **options), guess,
            capacity.BRACKET_KNOWN if (column, cls) in ctx.guesses else capacity.BRACKET,
            max(ctx.precision, PEER_PRECISION if cls in CAPACITY_PEERS else 0))
        if not best:
            if max(p.get("others_busy", 0) for p in probes) > generator.DISTURBED:
                raise Skipped("too disturbed to tell")
            if all("failed" in p for p in probes):
                raise generator.Failed(probes[-1]["failed"])
            raise Skipped("collapses at every rate tried: " + str(probes[-1].get("failed", "late or lossy")))
        ctx.guesses[(column, cls)] = best["target_per_second"]
        if cls is s.GatehouseChat and column == "capacity":
            ctx.message_bytes = best["message_bytes"]
        best = dict(best, probes=probes)
        return figure(best, "per_second")
    return Cell(column, cls, measure, PROBES[members * rooms > 1000])


def at_rate(column, cls, rate, told="p99_us", members=500, publishers=4, **options):
    """told: which figure of the result is the cell's."""
    def measure(ctx):
        with ctx.make(cls) as server:
            result = generator.run(ctx.build, server, "open", rate=int(rate), members=members, publishers=publishers,
                                   seconds=ctx.seconds, warmup=ctx.warmup, **tls_options(cls), **options)
        if result["missing"] + result["doubled"] + result["closed_by_server"] > 0:
            raise Skipped(f"missing {result['missing']}, doubled {result['doubled']}, "
                          f"closed {result['closed_by_server']}")
        return figure(result, told)
    return Cell(column, cls, measure, runs())


def calls_at_rate(column, cls, rate):
    """System calls per delivery. Counting slows the server a little, so nothing else is read from this run."""
    def measure(ctx):
        reason = syscalls.missing()
        if reason:
            raise Skipped(reason)
        with ctx.make(cls) as server:
            process = generator.start(ctx.build, server, "open", rate=int(rate), members=500, publishers=4, warmup=1,
                                      seconds=1.5)
            calls = syscalls.per_second(server.process.pid, 1.5, 0.5)
            result = generator.finish(process)
        result["calls_per_delivery"] = calls / result["per_second"]
        return figure(result, "calls_per_delivery")
    return Cell(column, cls, measure, lasts(3.2))


def closed(column, cls, purpose, members, rooms=1):
    cuts = slices.LONG if rooms > 1 else slices.SHORT

    def measure(ctx):
        if members * rooms > cls.members_max:
            raise Skipped(f"no more than {cls.members_max} clients")
        settings = {"is_echo": True} if issubclass(cls, s.Floor) and purpose == "echo" else {}
        with ctx.make(cls, **settings) as server:
            return (yield from slices.take(ctx, server, cuts, "closed", purpose=purpose, members=members, rooms=rooms))
    return Cell(column, cls, measure, slices.lasts(cuts), is_sliced=True)


def ask_connects(port):
    """How many on_connect the thin module has seen: its command n, over a WebSocket made by hand."""
    with socket.create_connection(("127.0.0.1", port), 5) as c:
        c.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                  b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += c.recv(4096)
        c.sendall(b"\x81\x81" + struct.pack(">I", 0) + b"n")
        frame = answer.split(b"\r\n\r\n", 1)[1]
        while len(frame) < 2 or len(frame) < 2 + frame[1]:
            frame += c.recv(4096)
    return int(frame[2:].decode().split("=")[1])


def handshakes(cls):
    def measure(ctx):
        with ctx.make(cls) as server:
            result = yield from slices.take(ctx, server, slices.SHORT, "handshakes")
            if cls.has_on_connect:
                seen = ask_connects(server.port)
                result["on_connect_share"] = min(1, seen / result["all"])
        return result
    return Cell("handshakes", cls, measure, slices.lasts(slices.SHORT), is_sliced=True)


def idle(column, cls, purpose):
    def measure(ctx):
        members = min(cls.members_max, 5000 if ctx.quick else 15000)
        with ctx.make(cls, has_huge_pages=False) as server:
            # Once: others do not change what it holds, and a second crowd would find the memory of the first.
            result = generator.run(ctx.build, server, "idle", tries=1, purpose=purpose, members=members, seconds=0.5)
        return figure(result, "bytes_per_connection")
    return Cell(column, cls, measure, lasts(5))


def login(cls, members):
    def measure(ctx):
        if members > cls.members_max:
            raise Skipped(f"no more than {cls.members_max} clients")
        with ctx.make(cls) as server:
            result = generator.run(ctx.build, server, "login", members=members, warmup=ctx.warmup)
        return figure(result, "storm_seconds")
    return Cell(f"login_{members}", cls, measure, lasts(1.5))


def heartbeat(cls):
    """30,000 idle clients over two gateway processes: two generators, as each has 20,000 descriptors at most.

    Measured over one whole cycle, or chance would decide how many pings fall into it: clients are looked at twice per
    interval of 25 s, the default, and one that answers is asked at every third look, so once in 37.5 s."""
    def measure(ctx):
        with ctx.make(cls) as server:
            first = generator.start(ctx.build, server, "idle", members=15000, seconds=51, source=20)
            second = generator.start(ctx.build, server, "idle", members=15000, seconds=38, source=40)
            result = generator.finish(second)
            generator.finish(first)
        result["cpu_us_per_client_second"] /= 2  # two generators' clients were served in that time
        return figure(result, "cpu_us_per_client_second")
    return Cell("heartbeat", cls, measure, lasts(55))


def bytes_of_the_chat(ctx):
    """Of a message of 128 bytes as the chat sends it: seen in this run, or what it usually is."""
    return ctx.message_bytes or 277


def gatehouses():
    """Of this build and, if one was named, of another."""
    return [s.Gatehouse, s.GatehouseBefore] if s.GatehouseBefore.other else [s.Gatehouse]


def quick_cells():
    ours = [s.Floor, s.FloorHop] + gatehouses()
    cells = [closed("echo", c, "echo", 100) for c in ours + [s.UWebSockets, s.Nats]]
    cells += [closed("fanout", c, "room", 500) for c in ours + [s.UWebSockets]]
    cells += [closed("rooms", c, "room", 50, 100) for c in gatehouses() + [s.UWebSockets]]
    cells += [handshakes(c) for c in [s.Floor] + gatehouses()]
    cells += [idle("idle", s.Gatehouse, "idle"), idle("idle_full", s.Gatehouse, "full"), login(s.GatehouseChat, 500)]
    cells += [crowd.deflate(s.GatehouseDeflate, 5000), crowd.spread(s.GatehouseFour, 10000)]
    cells += [find_capacity("capacity", c, 30, 500, 4)
              for c in (s.FloorHop, s.Gatehouse, s.GatehouseChat, s.UWebSockets)]
    return cells + [find_capacity("capacity_equal", s.FloorHop, 30, 500, 4, size=bytes_of_the_chat)]


def busy_rooms():
    """Closed loops, and handshakes."""
    ours = [s.Floor, s.FloorHop] + gatehouses()
    cells = [closed("echo", c, "echo", 100) for c in ours + RIVALS]
    cells += once([closed("echo", c, "echo", 100) for c in OTHER_PEERS])
    cells += [closed("fanout", c, "room", 500) for c in ours + RIVALS]
    cells += once([closed("fanout", c, "room", 500) for c in OTHER_PEERS])
    cells += [closed("rooms", c, "room", 50, 100) for c in gatehouses() + RIVALS]
    cells += once([closed("rooms", c, "room", 50, 100) for c in OTHER_PEERS])
    cells += [handshakes(c) for c in [s.Floor] + gatehouses() + RIVALS]
    return cells + once([handshakes(c) for c in OTHER_PEERS])


def capacities():
    """Searches, which take longest: those of peers once."""
    cells = [find_capacity("capacity", c, 30, 500, 4)
             for c in (s.FloorHop, s.Gatehouse, s.GatehouseChat, s.GatehouseTls)]
    cells += [find_capacity("capacity_equal", s.FloorHop, 30, 500, 4, size=bytes_of_the_chat)]
    cells += once([find_capacity("capacity", c, 30, 500, 4) for c in [s.Floor] + CAPACITY_PEERS])
    cells += [find_capacity("capacity_5000", c, 130, 5000, 4) for c in (s.FloorHop, s.Gatehouse)]
    cells += [find_capacity("capacity_rooms", s.Gatehouse, 130, 50, 1, rooms=100)]
    cells += once([find_capacity("capacity_5000", s.UWebSockets, 130, 5000, 4)])
    return cells + once([find_capacity("capacity_rooms", c, 130, 50, 1, rooms=100) for c in (s.UWebSockets, s.Nats)])


def fixed_rates():
    cells = []
    for rate in (0.5e6, 2e6):
        cells += [at_rate(f"p99_{rate / 1e6:g}M", c, rate) for c in (s.Gatehouse, s.GatehouseChat, s.UWebSockets)]
        cells += once([at_rate(f"p99_{rate / 1e6:g}M", c, rate) for c in (s.FloorHop, s.Nats)])
    cells += [at_rate("p99_7M", c, 7e6) for c in (s.Gatehouse, s.GatehouseTls)]
    cells += [at_rate("cpu_0.1M", c, 0.1e6, "per_cpu_second") for c in (s.Gatehouse, s.GatehouseTls)]
    for rate in (0.5e6, 4e6):
        cells += once([calls_at_rate(f"calls_{rate / 1e6:g}M", c, rate)
                       for c in (s.Floor, s.FloorHop, s.Gatehouse, s.GatehouseChat)])
    return cells


def crowds():
    """Many connections: what they hold, how they come, several gateways, members that do not read."""
    cells = [idle("idle", s.Gatehouse, "idle"), idle("idle_full", s.Gatehouse, "full")]
    cells += once([idle("idle", c, "idle") for c in [s.Floor] + PEERS])
    cells += once([crowd.deflate(s.GatehouseDeflate, 5000)]) + [crowd.spread(s.GatehouseFour, 10000)]
    cells += [crowd.on_two_cores(c) for c in (s.GatehouseSpread, s.GatehouseSpreadTwo)]
    cells += [crowd.slow("slow_none", s.GatehousePressed)]
    cells += [crowd.slow(f"slow_{policy}", s.GatehousePressed, policy) for policy in ("close", "drop_new", "drop_old")]
    cells += [crowd.storm(s.Gatehouse), crowd.storm(s.GatehouseCrowd, 2)]
    cells += once([crowd.storm(c) for c in (s.UWebSockets, s.Nats)])
    cells += [login(s.GatehouseChat, members) for members in (500, 1000, 2000)]
    cells += once([login(s.WorkermanChat, members) for members in (500, 1000, 2000)])
    return cells + once([heartbeat(s.GatehouseTwo)])


def full_cells():
    return busy_rooms() + capacities() + fixed_rates() + crowds()
