#!/usr/bin/python3
"""Measures Gatehouse and its peers in interleaved rounds; prints tables, writes results.json and results.svg.

    bench/run.py --build build [--rounds 3] [--quick] [--only COLUMN[,COLUMN…]] [--gatewayworker FOLDER]
    bench/run.py --plan …                        what would be measured, and how long that takes
    bench/run.py --show build/bench/results.json   the tables of a run, also of one that was interrupted

Servers run on core 0, the generator on core 1. Nothing else should be busy: runs in which other processes used more
than an eighth of a core are repeated, and marked when that did not help.
"""
import argparse
import json
import os
import signal
import sys
import tempfile
import time

import cell as cells
import generator
import goals
import machine
import plan
import plot
import schedule
import servers
import slices
import tables

REPEATED = 0.1  # of the time that a run takes, which repetitions may take besides


def parse_args():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", default="build")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--quick", action="store_true")
    p.add_argument("--plan", action="store_true", help="only prints what would be measured")
    p.add_argument("--show", metavar="FILE", help="only prints the tables of a results.json")
    p.add_argument("--minutes", type=float, default=float("inf"), help="what has not begun by then is skipped")
    p.add_argument("--tries", type=int, default=3, help="runs at most per figure while others disturb")
    p.add_argument("--nice", type=int, default=0,
                   help="priority of servers and generator, for a machine that others use")
    p.add_argument("--only", default="", help="columns, separated by commas: " + ", ".join(tables.COLUMNS))
    p.add_argument("--servers", default="", help="classes of servers.py, separated by commas")
    p.add_argument("--before", metavar="BUILD", help="folder of another build, whose Gatehouse is measured beside this")
    p.add_argument("--gatewayworker", help="folder with GatewayWorker, workerman and coroutine")
    return p.parse_args()


def choose(args):
    cells = plan.quick_cells() if args.quick else plan.full_cells()
    if args.only:
        cells = [c for c in cells if c.column in args.only.split(",")]
    if args.servers:
        cells = [c for c in cells if c.server.__name__ in args.servers.split(",")]
    return cells


def measure(together, context):
    """A result for each cell of a step."""
    began = time.monotonic()
    try:
        if together[0].is_sliced:
            return slices.measure(together, context)
        result = cells.attempt(together[0], context, together[0].measure, context)
        return [dict(result, took_seconds=time.monotonic() - began)]
    finally:
        generator.end_all()


def tell(cell, result, agenda):
    what, scale, fmt, _ = tables.COLUMNS[cell.column]
    words = fmt.format(result["figure"] * scale) if "figure" in result else "skipped: " + result["skipped"]
    print(f"  {time.strftime('%H:%M:%S')}  {agenda.done}/{agenda.cells_n}, {schedule.clock(agenda.left_seconds())} left"
          f"  {cell.server.label:32}  {what:48}  {words}", file=sys.stderr, flush=True)


def save(path, run):
    """At once or not at all: whoever stops the run finds what it had."""
    with open(path + ".new", "w", encoding="utf-8") as f:
        json.dump(run, f, indent=1)
    os.replace(path + ".new", path)


def measure_all(agenda, run, path, minutes):
    """Fills run["results"]: by column and label, a result per round."""
    deadline = time.monotonic() + minutes * 60
    for number, together in agenda.steps:
        if time.monotonic() > deadline:
            results = [{"skipped": "no time left", "took_seconds": 0} for _ in together]
        else:
            results = measure(together, agenda.context)
        for cell, result in zip(together, results):
            result.update(round=number + 1, took_seconds=round(result["took_seconds"], 1))
            agenda.end(cell, result["took_seconds"])
        for cell, result in zip(together, results):
            tell(cell, result, agenda)
            run["results"].setdefault(cell.column, {}).setdefault(cell.server.label, []).append(result)
        save(path, run)


def show(run):
    results, named = run["results"], run["machine"]
    print("\n" + tables.render(results, [c.label for c in servers.ALL]))
    print(goals.render(results))
    print(", ".join(f"{k} {v}" for k, v in named.items()))


def interrupt(*_):
    raise KeyboardInterrupt


def main():
    args = parse_args()
    if args.show:
        with open(args.show, encoding="utf-8") as f:
            return show(json.load(f))
    build = os.path.abspath(args.build)
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("run.py: two cores are needed, one for the servers and one for the generator")
    servers.NICE = args.nice
    servers.GatehouseBefore.other = os.path.abspath(args.before) if args.before else None
    os.makedirs(f"{build}/bench", exist_ok=True)
    path = f"{build}/bench/results"
    run = {"machine": machine.describe(servers.ROOT), "rounds": args.rounds, "is_whole": False, "results": {}}
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as folder:
        context = cells.Context(build, folder, args.quick, args.gatewayworker)
        agenda = schedule.Schedule(choose(args), args.rounds, context)
        print(agenda.render(), file=sys.stderr, flush=True)
        if args.plan:
            return 0
        generator.patience = generator.Patience(min(2, args.tries) if args.quick else args.tries,
                                                REPEATED * agenda.left_seconds())
        signal.signal(signal.SIGTERM, interrupt)
        signal.signal(signal.SIGINT, interrupt)  # a shell's background job ignores it
        try:
            measure_all(agenda, run, path + ".json", args.minutes)
            run["is_whole"] = True
        except KeyboardInterrupt:
            print("run.py: interrupted; this is what was measured until then", file=sys.stderr)
    save(path + ".json", run)
    with open(path + ".svg", "w", encoding="utf-8") as f:
        f.write(plot.render(run["results"], run["machine"]))
    show(run)
    print(f"{path}.json, {path}.svg")
    return 0 if run["is_whole"] else 130


if __name__ == "__main__":
    sys.exit(main())
