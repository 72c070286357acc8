"""`make chaos`: every fault, one after the other, and the table of what they cost.

    python3 -m chaos [--write PAGE] [--only WORDS]
"""

import argparse
import pathlib
import sys
import tempfile
import time

from chaos import callers, disk, freeze, kill, network, shim, shortage, table
from chaos.stage import run

FAULTS = [*kill.FAULTS, *callers.FAULTS, *freeze.LONG, *network.LONG, *disk.FAULTS, *shortage.FAULTS, *shortage.LONG, *shim.FAULTS]


def main():
    parser = argparse.ArgumentParser(prog="make chaos")
    parser.add_argument("--write", type=pathlib.Path, metavar="PAGE", help="put the table into this page")
    parser.add_argument("--only", default="", metavar="WORDS", help="faults with these words in their name; no table")
    args = parser.parse_args()
    faults = [fault for fault in FAULTS if args.only in fault.name]
    outcomes, failed = [], []
    for n, fault in enumerate(faults, 1):
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="chaos-") as folder:
            outcome = run(fault, pathlib.Path(folder) / "site")
        outcomes.append(outcome)
        print(f"{n:2}/{len(faults)} {time.monotonic() - begun:5.1f} s  {table.row(outcome).rstrip()}", flush=True)
        if outcome.wrong():
            failed.append(fault)
            print(f"      costs too much: {outcome.wrong()}", flush=True)
    if args.write and not args.only:
        table.write(args.write, outcomes)
    print(f"{len(outcomes) - len(failed)} faults cost what they may, {len(failed)} more")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
