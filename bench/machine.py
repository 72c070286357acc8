"""Names the machine a result was made on."""
import os
import platform
import re
import shlex
import subprocess


def _first_line(argv):
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def _field(path, name):
    with open(path, encoding="ascii", errors="replace") as f:
        found = re.search(rf"^{name}\s*:\s*(.*)$", f.read(), re.MULTILINE)
    return found.group(1) if found else "unknown"


def describe(root):
    return {
        "cpu": _field("/proc/cpuinfo", "model name"),
        "cores": os.cpu_count(),
        "memory": _field("/proc/meminfo", "MemTotal"),
        "kernel": platform.release(),
        "compiler": _first_line(shlex.split(os.environ.get("CC", "gcc")) + ["--version"]),
        "commit": _first_line(["git", "-C", root, "rev-parse", "--short", "HEAD"]),
        "date": _first_line(["date", "-u", "+%Y-%m-%d %H:%M UTC"]),
    }
