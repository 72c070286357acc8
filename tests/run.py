#!/usr/bin/env python3
"""Builds Gatehouse in each configuration and runs every test; closes with "N passed, N failed".

    tests/run.py            everything (what ./check does)
    tests/run.py gcc        one configuration: gcc, clang, gcc-san, clang-san
    tests/run.py gcc unit   one kind of it: unit, fuzz, scenarios, browser
"""

import collections
import os
import pathlib
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[1]
JOBS = os.cpu_count() or 2

# Which kinds run where. Every test runs with and without sanitizers, on both compilers between them.
CONFIGS = {
    "gcc": {"make": ["CC=gcc"], "out": "build", "kinds": ["floors", "unit", "fuzz", "scenarios", "browser"]},
    "clang": {"make": ["CC=clang"], "out": "build-clang", "kinds": ["unit", "fuzz"]},
    "gcc-san": {"make": ["CC=gcc", "SAN=address,undefined"], "out": "build-gcc-san",
                "kinds": ["unit", "fuzz"]},
    "clang-san": {"make": ["CC=clang", "SAN=address,undefined"], "out": "build-clang-san",
                  "kinds": ["unit", "fuzz", "scenarios", "browser"]},
}
SAN_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TEST_SLOW": "3",
}


class Tally:
    """What passed, failed and was skipped, with the texts of the failures."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.reasons = collections.Counter()  # why tests skipped themselves

    def add(self, passed, failed, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped

    def fail(self, name, text):
        self.failed += 1
        self.failures.append((name, text))


def say(text):
    print(text, flush=True)


def env_of(config):
    env = dict(os.environ)
    out = ROOT / CONFIGS[config]["out"]
    env["GATEHOUSE"] = str(out / "gatehouse")
    env["O"] = str(out)
    if config.endswith("san"):
        env.update(SAN_ENV)
    return env


def make(config, *targets):
    settings = CONFIGS[config]
    done = subprocess.run(
        ["make", f"-j{JOBS}", f"O={settings['out']}", *settings["make"], *targets],
        cwd=ROOT, capture_output=True, text=True,
    )
    return done.returncode, done.stdout + done.stderr


def run_unit(config, tally):
    code, text = make(config, "all", "unit-bins")
    if code:
        tally.fail(f"{config}: build", text[-4000:])
        return
    bins = sorted((ROOT / CONFIGS[config]["out"] / "unit").glob("*/*_test"))

    def one(path):
        with tempfile.TemporaryDirectory() as folder:
            try:
                return path, subprocess.run([str(path)], cwd=ROOT, capture_output=True, text=True, timeout=180,
                                            errors="replace", env={**env_of(config), "TMPDIR": folder})
            except subprocess.TimeoutExpired:
                return path, None

    with ThreadPoolExecutor(JOBS) as pool:
        for path, done in pool.map(one, bins):
            name = f"{config}: {path.parent.name}/{path.name}"
            if done is None:
                tally.fail(name, "did not end within 180 s")
                continue
            text = done.stdout + done.stderr
            passed = sum(int(n) for n in re.findall(r"\[  PASSED  \] (\d+) test", text))
            failed = len(re.findall(r"^\[  FAILED  \] (?!\d+ test)", text, re.M))
            tally.add(passed, 0, len(re.findall(r"^\[  SKIPPED \] (?!\d+ test)", text, re.M)))
            if done.returncode or failed or not passed:
                tally.fail(name, text[-4000:])


def run_fuzz(config, tally):
    code, text = make(config, "fuzz-replay")
    if code:
        tally.fail(f"{config}: fuzz replay", text[-4000:])
    else:
        tally.add(len(re.findall(r"^replay .*: ok", text, re.M)) or 1, 0)


def run_scenarios(config, tally):
    """Scenarios mostly wait, so more files run side by side than there are cores; each lane has ports of its own."""
    lanes = JOBS + 1
    folder = pathlib.Path(tempfile.mkdtemp(prefix="gatehouse-check-"))
    idle = queue.SimpleQueue()
    for lane in range(lanes):
        idle.put(lane)

    def one(path):
        lane = idle.get()
        width = (31000 - 10000) // lanes
        report = folder / f"{path.stem}.xml"
        command = ["/usr/bin/python3", "-m", "pytest", "-q", "--no-header", "--tb=short",
                   f"--basetemp={folder}/{path.stem}", f"--junitxml={report}", str(path)]
        env = {**env_of(config), "PYTHONDONTWRITEBYTECODE": "1",
               "TEST_PORTS": f"{10000 + lane * width}-{10000 + (lane + 1) * width}"}
        try:
            done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, errors="replace",
                                  timeout=900)
            return path, report, done.returncode, done.stdout + done.stderr
        except subprocess.TimeoutExpired:
            return path, report, -1, "did not end within 900 s"
        finally:
            idle.put(lane)

    with ThreadPoolExecutor(lanes) as pool:
        for path, report, code, text in pool.map(one, sorted((ROOT / "tests" / "integration").glob("*_test.py"))):
            if code not in (0, 1) or not report.exists():
                tally.fail(f"{config}: {path.name}", text[-4000:])
            else:
                count_report(config, tally, report)
    shutil.rmtree(folder, ignore_errors=True)


def count_report(config, tally, report):
    """Adds what pytest wrote about one file."""
    for suite in xml.parse(report).getroot().iter("testsuite"):
        n = {k: int(suite.get(k)) for k in ("tests", "failures", "errors", "skipped")}
        tally.add(n["tests"] - n["failures"] - n["errors"] - n["skipped"], 0, n["skipped"])
        for case in suite.iter("testcase"):
            for kind in ("failure", "error"):
                for node in case.findall(kind):
                    tally.fail(f"{config}: {case.get('classname')}.{case.get('name')}", node.text or "")
            for node in case.findall("skipped"):
                tally.reasons[node.get("message")] += 1


def run_browser(config, tally):
    folder = ROOT / "tests" / "browser"
    if not (folder / "node_modules" / "playwright-core").exists():
        done = subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            tally.fail("browser: npm ci", (done.stdout + done.stderr)[-2000:])
            return
    for path in sorted(folder.glob("*.test.mjs")):
        try:
            done = subprocess.run(["node", "--test", "--test-reporter=tap", str(path)], cwd=folder, env=env_of(config),
                                  capture_output=True, text=True, timeout=400, errors="replace")
        except subprocess.TimeoutExpired:
            tally.fail(f"{config}: {path.name}", "did not end within 400 s")
            continue
        text = done.stdout + done.stderr
        counts = {k: int(n) for k, n in re.findall(r"^# (pass|fail|skipped) (\d+)", text, re.M)}
        tally.add(counts.get("pass", 0), 0, counts.get("skipped", 0))
        for line in re.findall(r"^ *ok \d+ - (.* # SKIP .*)", text, re.M):
            say(f"  skipped {line}")
        if done.returncode or counts.get("fail") or not counts.get("pass"):
            tally.fail(f"{config}: {path.name}", text[-6000:])


def run_floors(config, tally):
    done = subprocess.run(["tools/floors.sh"], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        tally.fail("floors", done.stdout)
    else:
        tally.add(1, 0)


KINDS = {"floors": run_floors, "unit": run_unit, "fuzz": run_fuzz, "scenarios": run_scenarios,
         "browser": run_browser}


def main():
    words = [w for w in sys.argv[1:] if not w.startswith("-")]
    configs = [w for w in words if w in CONFIGS] or list(CONFIGS)
    only = [w for w in words if w in KINDS]
    unknown = [w for w in words if w not in CONFIGS and w not in KINDS]
    if unknown:
        sys.exit(f"{unknown[0]}: not a configuration or kind\n{__doc__}")
    tally = Tally()
    begun = time.monotonic()
    for config in configs:
        code, text = make(config, "all")
        if code:
            tally.fail(f"{config}: build", text[-4000:])
            continue
        for kind in CONFIGS[config]["kinds"]:
            if only and kind not in only:
                continue
            before = (tally.passed, tally.failed)
            at = time.monotonic()
            KINDS[kind](config, tally)
            say(f"{config:>10} {kind:<10} {tally.passed - before[0]:>5} passed {tally.failed - before[1]:>3} failed"
                f"  {time.monotonic() - at:6.1f} s")
    for name, text in tally.failures:
        say(f"\n---- {name}\n{text}")
    for reason, n in tally.reasons.items():
        say(f"  {n} skipped: {reason}")
    say(f"\n{time.monotonic() - begun:.0f} s")
    skipped = f", {tally.skipped} skipped" if tally.skipped else ""
    say(f"{tally.passed} passed, {tally.failed} failed{skipped}")
    sys.exit(1 if tally.failed else 0)


if __name__ == "__main__":
    main()
