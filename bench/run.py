#!/usr/bin/python3
"""Measures Gatehouse and its peers in interleaved rounds; prints tables, writes results.json and results.svg.

    bench/run.py --build build [--rounds 3] [--quick] [--only COLUMN[,COLUMN…]] [--gatewayworker FOLDER]

Servers run on core 0, the generator on core 1. Nothing else should be busy: runs in which other processes used more
than an eighth of a core are repeated, and marked when that did not help.
"""
import argparse
import json
import os
import sys
import tempfile
import time

import cell as cells
import generator
import goals
import machine
import plan
import plot
import servers
import tables


def parse_args():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--build", default="build")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--quick", action="store_true")
    p.add_argument("--tries", type=int, default=3, help="runs at most per figure while others disturb")
    p.add_argument("--nice", type=int, default=0,
                   help="priority of servers and generator, for a machine that others use")
    p.add_argument("--only", default="", help="columns, separated by commas: " + ", ".join(tables.COLUMNS))
    p.add_argument("--servers", default="", help="classes of servers.py, separated by commas")
    p.add_argument("--gatewayworker", help="folder with GatewayWorker, workerman and coroutine")
    return p.parse_args()


def choose(args):
    cells = plan.quick_cells() if args.quick else plan.full_cells()
    if args.only:
        cells = [c for c in cells if c.column in args.only.split(",")]
    if args.servers:
        cells = [c for c in cells if c.server.__name__ in args.servers.split(",")]
    return cells


def measure(cell, context):
    try:
        return cell.measure(context)
    except cells.Skipped as why:
        return {"skipped": str(why)}
    except (generator.Failed, RuntimeError, OSError) as why:
        return {"skipped": f"failed: {why}"}


def tell(cell, result):
    what = tables.COLUMNS[cell.column][0]
    if "figure" in result:
        _, scale, fmt, _ = tables.COLUMNS[cell.column]
        words = fmt.format(result["figure"] * scale)
    else:
        words = "skipped: " + result["skipped"]
    print(f"  {time.strftime('%H:%M:%S')}  {cell.server.label:32}  {what:48}  {words}", file=sys.stderr, flush=True)


def main():
    args = parse_args()
    build = os.path.abspath(args.build)
    if len(os.sched_getaffinity(0)) < 2:
        sys.exit("run.py: two cores are needed, one for the servers and one for the generator")
    generator.TRIES = min(2, args.tries) if args.quick else args.tries
    servers.NICE = args.nice
    named = machine.describe(servers.ROOT)
    results = {}
    with tempfile.TemporaryDirectory(prefix="gatehouse-bench-") as folder:
        context = cells.Context(build, folder, args.quick, args.gatewayworker)
        for number in range(args.rounds):
            print(f"round {number + 1} of {args.rounds}", file=sys.stderr)
            for cell in choose(args):
                result = measure(cell, context)
                tell(cell, result)
                results.setdefault(cell.column, {}).setdefault(cell.server.label, []).append(result)
    os.makedirs(f"{build}/bench", exist_ok=True)
    with open(f"{build}/bench/results.json", "w", encoding="utf-8") as f:
        json.dump({"machine": named, "rounds": args.rounds, "results": results}, f, indent=1)
    with open(f"{build}/bench/results.svg", "w", encoding="utf-8") as f:
        f.write(plot.render(results, named))
    print("\n" + tables.render(results, [c.label for c in servers.ALL]))
    print(goals.render(results))
    print(", ".join(f"{k} {v}" for k, v in named.items()))
    print(f"{build}/bench/results.json, {build}/bench/results.svg")


if __name__ == "__main__":
    main()
