"""Cells with more clients than one process holds, or more than one gateway."""
import generator
import processes
import servers as s
from cell import Cell, Skipped, figure, lasts, runs

PER_GENERATOR = 15000  # it may have 20,000 descriptors
SLOW_MEMBERS, SLOW_BYTES, SLOW_RATE = 10000, 8192, 0.1e6
SLOW_SECONDS = 14
SLOW_FILL_SECONDS = 8  # 80 KiB a second for each: by then the kernel's buffers and the server's are full


def deflate(cls, members):
    """Compressions per broadcast, counted."""
    def measure(ctx):
        with ctx.make(cls) as server:
            result = generator.run(ctx.build, server, "closed", tries=1, deflate=True, members=members, bytes=1024,
                                   seconds=ctx.seconds, warmup=ctx.warmup)
            result["deflates"] = server.deflates()
        if result["missing"] + result["doubled"] > 0 or result["compressed"] < result["count"]:
            raise Skipped(f"missing {result['missing']}, doubled {result['doubled']}, "
                          f"compressed {result['compressed']} of {result['count']:.0f}")
        result["deflates_per_broadcast"] = result["deflates"] / result["published"]
        return figure(result, "deflates_per_broadcast")
    return Cell("deflate", cls, measure, runs())


def spread(cls, members):
    """Connections of the fullest gateway process per connection of the emptiest."""
    def measure(ctx):
        with ctx.make(cls) as server:
            before = processes.descriptors(server.process.pid)
            clients = generator.start(ctx.build, server, "storm", cue=True, members=members, warmup=0)
            generator.wait_until_ready(clients)
            after = processes.descriptors(server.process.pid)
            generator.give_cue(clients)
            generator.finish(clients)
        counts = sorted(n - before[pid] for pid, n in after.items())[-cls.gateways_n:]
        mean = sum(counts) / len(counts)
        return {"connections": counts, "chi_squared": sum((n - mean)**2 for n in counts) / mean,
                "figure": counts[-1] / max(1, counts[0])}
    return Cell("spread", cls, measure, lasts(1.6))


def on_two_cores(cls):
    """The generator sleeps while nothing comes, and shares both cores with the server."""
    def measure(ctx):
        with ctx.make(cls) as server:
            result = generator.run(ctx.build, server, "closed", resting=True, cores=cls.cores, members=50, rooms=100,
                                   seconds=ctx.seconds, warmup=ctx.warmup)
        if result["missing"] + result["doubled"] > 0:
            raise Skipped(f"missing {result['missing']}, doubled {result['doubled']}")
        return figure(result, "per_second")
    return Cell("processes", cls, measure, runs())


def slow(column, cls, on_full=None):
    """p99 of those who read, once a tenth of all has read nothing for long; on_full None: all read."""
    def measure(ctx):
        with ctx.make(cls, options=[f"on_full = {on_full or 'close'}", "close_timeout = 2"]) as server:
            result = generator.run(ctx.build, server, "open", members=SLOW_MEMBERS, publishers=4, bytes=SLOW_BYTES,
                                   rate=int(SLOW_RATE), slow=0.1 if on_full else 0, warmup=SLOW_FILL_SECONDS,
                                   seconds=SLOW_SECONDS)
            result["peak_bytes"] = processes.peak_bytes(server.process.pid)
            # Who reads nothing does not see either that the server has closed.
            result.update(server.counts("slow_closed", "dropped_new", "dropped_old"))
        if result["missing"] + result["doubled"] + result["closed_by_server"] > 0:
            raise Skipped(f"missing {result['missing']}, doubled {result['doubled']}, "
                          f"closed {result['closed_by_server']}")
        return figure(result, "p99_us")
    return Cell(column, cls, measure, lasts(SLOW_FILL_SECONDS + SLOW_SECONDS + 1.6))


def storm(cls, generators_n=1):
    """Seconds until everybody who was cut off is back."""
    def measure(ctx):
        if generators_n * PER_GENERATOR > cls.members_max:
            raise Skipped(f"no more than {cls.members_max} clients")
        with ctx.make(cls) as server:
            clients = [generator.start(ctx.build, server, "storm", cue=True, members=PER_GENERATOR, warmup=0.5,
                                       source=20 * (n + 1)) for n in range(generators_n)]
            for c in clients:
                generator.wait_until_ready(c)
            peak = processes.peak_bytes(server.process.pid)
            for c in clients:
                generator.give_cue(c)
            results = [generator.finish(c) for c in clients]
            result = max(results, key=lambda r: r["back_seconds"])
            result.update({name: sum(r[name] for r in results) for name in ("members", "back", "refused")})
            result["peak_bytes_before"] = peak
            result["peak_bytes"] = processes.peak_bytes(server.process.pid)
        if result["back"] < result["members"]:
            raise Skipped(f"{result['members'] - result['back']} never came back")
        return figure(result, "back_seconds")
    return Cell("storm", cls, measure, lasts(3.5 * generators_n))
