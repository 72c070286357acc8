"""What /proc tells of a server's processes."""
import os
import re


def tree(root):
    """The process and its descendants."""
    pids = [root]
    for pid in pids:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as f:
                pids += [int(p) for p in f.read().split()]
    return pids


def peak_bytes(root):
    """The most memory that each process had at a time, added up."""
    sum_kib = 0
    for pid in tree(root):
        with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
            sum_kib += int(re.search(r"^VmHWM:\s*(\d+) kB", f.read(), re.MULTILINE).group(1))
    return sum_kib * 1024


def descriptors(root):
    """How many each process has open, by its id."""
    return {pid: len(os.listdir(f"/proc/{pid}/fd")) for pid in tree(root)}
