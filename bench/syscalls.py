"""Counts the system calls of a server while it is under load (perf's tracepoints; root is needed)."""
import subprocess
import time

import processes

EVENT = "raw_syscalls:sys_enter"


def missing():
    try:
        done = subprocess.run(["perf", "stat", "-x,", "-e", EVENT, "true"], capture_output=True, text=True, check=False)
    except OSError:
        return "perf is not installed"
    return None if done.returncode == 0 and EVENT in done.stderr else "perf may not count system calls here"


def per_second(root, delay, seconds):
    """System calls per second of the whole tree, from `delay` seconds on."""
    time.sleep(delay)
    pids = ",".join(str(p) for p in processes.tree(root))
    done = subprocess.run(["perf", "stat", "-x,", "-e", EVENT, "-p", pids, "--", "sleep", str(seconds)],
                          capture_output=True, text=True, check=True)
    fields = next(l for l in done.stderr.splitlines() if EVENT in l).split(",")
    return float(fields[0]) / seconds
