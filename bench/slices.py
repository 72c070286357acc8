"""The servers of one column, all up at the same time and measured in turn, a short slice each."""
import contextlib
import statistics
import time
import typing

import generator
from cell import AROUND_SECONDS, Skipped, attempt, figure

MEDIANS = ("per_second", "per_cpu_second", "server_cores", "generator_cores", "generator_busy", "others_busy", "p50_us",
           "p99_us")
SUMS = ("count", "seconds", "cpu_seconds")


class Cut(typing.NamedTuple):
    """How the time of one server and round is cut into slices."""
    slices_n: int
    seconds: float
    warmup: float  # before each


# By Context.quick. Long ones are for many rooms: those begin together, and it takes them half a second to fall out of
# step, in which server and generator wait for each other.
SHORT = {False: Cut(10, 0.2, 0.08), True: Cut(6, 0.2, 0.08)}
LONG = {False: Cut(2, 1, 0.5), True: Cut(2, 0.5, 0.4)}


def lasts(cuts):
    """For Cell: the slices of one server."""
    def seconds(ctx):
        cut = cuts[ctx.quick]
        return cut.slices_n * (cut.warmup + cut.seconds) + AROUND_SECONDS
    return seconds


def measure(cells, context):
    """A result for each cell, all of them is_sliced. Their turns come in one order and the reverse of it alternately, so
    that no server always follows the same one; who fails is out and the others go on."""
    results, took = {}, dict.fromkeys(cells, 0)
    with contextlib.ExitStack() as stack:
        turns = {c: stack.enter_context(contextlib.closing(c.measure(context))) for c in cells}
        order = list(cells)
        while order:
            for c in order:
                began = time.monotonic()
                result = attempt(c, context, _take_turn, turns[c])
                took[c] += time.monotonic() - began
                if result:
                    results[c] = dict(result, took_seconds=took[c])
            order = [c for c in reversed(order) if c not in results]
    return [results[c] for c in cells]


def _take_turn(turns):
    """What it returns at its end, None before."""
    try:
        return next(turns)
    except StopIteration as end:
        return end.value


def take(ctx, server, cuts, scenario, **options):
    """The result of a round, for a cell that is_sliced. Each server is connected before the first slice of any, and
    stays until the last one of all is taken."""
    taken = []
    cut = cuts[ctx.quick]
    with generator.at_cues(ctx.build, server, scenario, seconds=cut.seconds, warmup=cut.warmup, **options) as load:
        for _ in range(cut.slices_n):
            yield
            taken.append(generator.least_disturbed(lambda: _slice(load)))
        yield
    return sum_up(taken)


def _slice(load):
    generator.give_cue(load)
    result = generator.read_result(load)
    if result.get("missing", 0) + result.get("doubled", 0) > 0:
        raise Skipped(f"missing {result['missing']}, doubled {result['doubled']}")
    generator.wait_until_ready(load)
    return result


def sum_up(taken):
    """Medians of the undisturbed slices. What the generator counts over its whole life is in the last one."""
    counted = generator.undisturbed(taken, lambda r: r["others_busy"])
    result = dict(taken[-1])
    result.update({name: statistics.median(r[name] for r in counted) for name in MEDIANS})
    result.update({name: sum(r[name] for r in counted) for name in SUMS})
    result["max_us"] = max(r["max_us"] for r in counted)
    result["slices"] = [{"figure": r["per_cpu_second"], "others_busy": r["others_busy"]} for r in taken]
    return figure(result, "per_cpu_second")
