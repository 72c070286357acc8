"""What the processes of a server use, looked at again and again: memory, descriptors, processor time."""

import csv
import os
import pathlib
import statistics

TICKS = os.sysconf("SC_CLK_TCK")
# A role has grown when its median of the last third is above that of the first by more than this.
GROWTH_SHARE, GROWTH_KIB, GROWTH_FDS = 0.15, 2048, 8
FIELDS = ("second", "role", "pid", "rss_kib", "pss_kib", "fds", "cpu_s")


def measure(pid):
    """None: the process has just ended."""
    folder = pathlib.Path("/proc") / str(pid)
    try:
        sizes = dict(line.split(":", 1) for line in (folder / "smaps_rollup").read_text().splitlines()[1:])
        stat = (folder / "stat").read_text().rpartition(")")[2].split()
        return {"rss_kib": int(sizes["Rss"].split()[0]), "pss_kib": int(sizes["Pss"].split()[0]),
                "fds": len(os.listdir(folder / "fd")), "cpu_s": (int(stat[11]) + int(stat[12])) / TICKS}
    except (OSError, KeyError):
        return None


class Meter:
    def __init__(self, path):
        self.rows = []
        self.file = open(path, "w", newline="")
        self.out = csv.DictWriter(self.file, FIELDS)
        self.out.writeheader()

    def look(self, second, pids):
        """pids: [(role, pid)]"""
        for role, pid in pids:
            found = measure(pid)
            if found:
                row = {"second": round(second, 1), "role": role, "pid": pid, **found}
                self.rows.append(row)
                self.out.writerow(row)
        self.file.flush()

    def curve(self, role, field):
        """(second, sum over the processes of the role)"""
        sums = {}
        for row in self.rows:
            if row["role"] == role:
                sums[row["second"]] = sums.get(row["second"], 0) + row[field]
        return sorted(sums.items())

    def roles(self):
        return sorted({row["role"] for row in self.rows})

    def cpu_s(self):
        """Of all processes that there were."""
        return sum(max(r["cpu_s"] for r in self.rows if r["pid"] == pid) for pid in {r["pid"] for r in self.rows})

    def growth(self):
        """What has grown, in words; the first minute or tenth is left out, when everything warms up."""
        grown = []
        for role in self.roles():
            for field, slack in (("pss_kib", GROWTH_KIB), ("rss_kib", GROWTH_KIB), ("fds", GROWTH_FDS)):
                values = [v for _, v in self.curve(role, field)]
                values = values[len(values) // 10:]
                third = len(values) // 3
                if third < 3:
                    continue
                first, last = statistics.median(values[:third]), statistics.median(values[-third:])
                if last > first * (1 + GROWTH_SHARE) + slack:
                    grown.append(f"{field} of {role}: {first:.0f} to {last:.0f}")
        return grown
