#!/usr/bin/env python3
"""Builds Gatehouse in each configuration and runs every test; closes with "N passed, N failed".

    tests/run.py            everything (what ./check does)
    tests/run.py gcc        one configuration: gcc, clang, gcc-san, clang-san, tsan
    tests/run.py gcc unit   one kind of it: floors, unit, fuzz, scenarios, browser, threads

Test programs mostly wait, so a few more of them run side by side than there are cores, while the next configuration is
built. Each has a folder and ports of its own.
"""

import collections
import os
import pathlib
import queue
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import xml.etree.ElementTree as xml
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[1]
CORES = os.cpu_count() or 2
LANES = CORES + 1
PORTS = range(10000, 31000)  # below those of outgoing connections

# Which kinds run where. Every test runs with and without sanitizers, on both compilers between them.
CONFIGS = {
    "gcc": {"make": ["CC=gcc"], "out": "build", "kinds": ["floors", "unit", "fuzz", "scenarios", "browser"]},
    "clang-san": {"make": ["CC=clang", "SAN=address,undefined"], "out": "build-clang-san",
                  "kinds": ["unit", "fuzz", "scenarios", "browser"]},
    "clang": {"make": ["CC=clang"], "out": "build-clang", "kinds": ["unit", "fuzz"]},
    "gcc-san": {"make": ["CC=gcc", "SAN=address,undefined"], "out": "build-gcc-san",
                "kinds": ["unit", "fuzz"]},
    "tsan": {"make": ["CC=clang", "SAN=thread"], "out": "build-tsan", "kinds": ["threads"], "is_partial": True},
}
TARGETS = {"floors": [], "unit": ["unit-bins"], "fuzz": ["fuzz-bins"], "scenarios": [], "browser": [],
           "threads": ["tsan-bins"]}
SAN_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
}
# By this factor deadlines of tests grow: the machine is busy with other tests, and sanitizers are slow.
SLOW = {False: "2", True: "5"}


class Tally:
    """What passed, failed and was skipped, with the texts of the failures and the reasons of the skipped."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0
        self.failures = []
        self.reasons = collections.Counter()

    def skip(self, reason):
        self.skipped += 1
        self.reasons[reason] += 1

    def fail(self, name, text):
        self.failed += 1
        self.failures.append((name, text))

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        self.failures += other.failures
        self.reasons += other.reasons

    def summary(self):
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        return f"{self.passed} passed, {self.failed} failed{skipped}"


def say(text):
    print(text, flush=True)


class Place:
    """Where one test program runs: configuration, folder and ports."""

    def __init__(self, config, folder, lane):
        self.config, self.folder = config, folder
        self.out = ROOT / CONFIGS[config]["out"]
        width = len(PORTS) // LANES
        is_san = config.endswith("san")  # tsan too
        # Servers that tests start lie in /usr/sbin, which an ordinary user's PATH does not have.
        self.env = {**os.environ, **(SAN_ENV if is_san else {}), "TEST_SLOW": SLOW[is_san],
                    "GATEHOUSE": str(self.out / "gatehouse"), "O": str(self.out), "TMPDIR": str(folder),
                    "PATH": os.environ.get("PATH", "/usr/bin:/bin") + ":/usr/sbin:/sbin",
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "TEST_PORTS": f"{PORTS[lane * width]}-{PORTS[(lane + 1) * width - 1]}"}

    def run(self, command, seconds, cwd=ROOT):
        """The exit status and the texts; None when it did not end in time and was killed with its children."""
        process = subprocess.Popen(list(map(str, command)), cwd=cwd, env=self.env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                   start_new_session=True)
        try:
            text, _ = process.communicate(timeout=seconds)
            return process.returncode, text
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            text, _ = process.communicate()
            return None, f"did not end within {seconds} s\n{text}"


def floors_jobs():
    return [("floors", run_floors)]


def run_floors(place, name, tally):
    code, text = place.run([ROOT / "tools" / "floors.sh"], 120)
    if code == 0:
        tally.passed += 1
    else:
        tally.fail(name, text)


def unit_jobs():
    """By the sources: a binary that is missing fails, one whose source is gone is not run."""
    sources = sorted((ROOT / "tests" / "unit").glob("*/*_test.c"))
    return [(f"{path.parent.name}/{path.stem}", run_unit) for path in sources]


def threads_jobs():
    """The tests of what runs on threads; mk/tests.mk has the list."""
    names = re.search(r"^TSAN_TESTS = (.*)", (ROOT / "mk" / "tests.mk").read_text(), re.M).group(1)
    return [(name, run_unit) for name in names.split()]


def run_unit(place, name, tally):
    binary = place.out / "unit" / name
    if not binary.exists():
        tally.fail(name, f"{binary} was not built")
        return
    code, text = place.run([binary], 300)
    tally.passed += sum(int(n) for n in re.findall(r"\[  PASSED  \] (\d+) test", text))
    for skipped in sorted(set(re.findall(r"^\[  SKIPPED \] (?!\d+ test)(.*)", text, re.M))):
        tally.skip(f"{name}: {skipped}")
    if code != 0 or re.search(r"^\[  FAILED  \] (?!\d+ test)", text, re.M):
        tally.fail(name, text[-4000:])


def fuzz_jobs():
    return [(path.stem.removesuffix("_fuzz"), run_fuzz) for path in sorted((ROOT / "tests" / "fuzz").glob("*_fuzz.c"))]


def run_fuzz(place, name, tally):
    inputs = [ROOT / "tests" / "fuzz" / kind / name for kind in ("corpus", "regress")]
    binary = place.out / "fuzz" / f"{name}_replay"
    if not binary.exists():
        tally.fail(name, f"{binary} was not built")
        return
    code, text = place.run([binary, *inputs], 300)
    if code == 0 and re.search(r"^[1-9]\d* inputs replayed", text, re.M):
        tally.passed += 1
    else:
        tally.fail(name, text[-4000:])


def scenarios_jobs():
    """Large files first, which mostly are the slow ones, so that no lane is left alone with one at the end."""
    files = sorted((ROOT / "tests" / "integration").glob("*_test.py"), key=lambda path: -path.stat().st_size)
    return [(path.stem, run_scenario) for path in files]


def run_scenario(place, name, tally):
    report = place.folder / "report.xml"
    code, text = place.run(
        ["/usr/bin/python3", "-m", "pytest", "-q", "--no-header", "--tb=short", "-p", "no:cacheprovider",
         f"--basetemp={place.folder}/t", f"--junitxml={report}", ROOT / "tests" / "integration" / f"{name}.py"], 900)
    if report.exists():
        count_report(tally, report)
    if code != 0 and not tally.failed:
        tally.fail(name, text[-4000:])


def count_report(tally, report):
    """Adds what pytest wrote about one file."""
    for case in xml.parse(report).getroot().iter("testcase"):
        wrong = [node for node in case if node.tag in ("failure", "error")]
        skipped = case.find("skipped")
        if wrong:
            tally.fail(f"{case.get('classname')}.{case.get('name')}", "\n".join(node.text or "" for node in wrong))
        elif skipped is not None:
            tally.skip(skipped.get("message"))
        else:
            tally.passed += 1


def browser_jobs():
    return [(path.name, run_browser) for path in sorted((ROOT / "tests" / "browser").glob("*.test.mjs"))]


_npm = threading.Lock()


def find_browser():
    """The program that CHROMIUM names, else the first that is there; None without any."""
    names = [os.environ["CHROMIUM"]] if "CHROMIUM" in os.environ else ["/usr/bin/chromium", "google-chrome"]
    return next(filter(None, map(shutil.which, names)), None)


def run_browser(place, name, tally):
    folder = ROOT / "tests" / "browser"
    programs = {"node": shutil.which("node"), "npm": shutil.which("npm"), "chromium": find_browser()}
    for need, path in programs.items():
        if not path:
            tally.skip(f"{name}: {need} is not installed (tools/needs.sh test)")
            return
    place.env["CHROMIUM"] = programs["chromium"]
    with _npm:
        installed = folder / "node_modules" / ".package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < (folder / "package-lock.json").stat().st_mtime:
            code, text = place.run(["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"], 600, cwd=folder)
            if code != 0:
                tally.fail(f"{name}: npm ci", text[-2000:])
                return
    code, text = place.run(["node", "--test-reporter=tap", folder / name], 600, cwd=folder)
    counts = {k: int(n) for k, n in re.findall(r"^# (pass|fail) (\d+)", text, re.M)}
    tally.passed += counts.get("pass", 0)
    for skipped in re.findall(r"^ *ok \d+ - (.* # SKIP.*)", text, re.M):
        tally.skip(f"{name}: {skipped}")
    if code != 0 or counts.get("fail") != 0:
        tally.fail(name, text[-6000:])


JOBS = {"floors": floors_jobs, "unit": unit_jobs, "threads": threads_jobs, "fuzz": fuzz_jobs, "scenarios": scenarios_jobs,
        "browser": browser_jobs}


def build(config, kinds, politeness):
    settings = CONFIGS[config]
    targets = [*([] if settings.get("is_partial") else ["all"]), *(target for kind in kinds for target in TARGETS[kind])]
    done = subprocess.run(["nice", "-n", str(politeness), "make", f"-j{CORES}", f"O={settings['out']}", *settings["make"],
                           *targets], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace")
    return done.returncode, done.stdout + done.stderr


class Group:
    """All test programs of one kind in one configuration; reported when the last has ended."""

    def __init__(self, config, kind):
        self.config, self.kind, self.tally = config, kind, Tally()
        self.jobs = JOBS[kind]()
        self.left = len(self.jobs)
        self.lock = threading.Lock()
        self.spent = 0.0

    def run(self, name, run, folder, lanes):
        own, lane, begun = Tally(), lanes.get(), time.monotonic()
        folder = folder / str(lane)  # short: paths of unix sockets have 107 bytes at most
        try:
            folder.mkdir()
            run(Place(self.config, folder, lane), name, own)
            if not own.passed + own.failed + own.skipped:
                own.fail(name, "ran no test")
            shutil.rmtree(folder)
        except Exception as error:  # the runner itself failed: that must not look like success
            own.fail(name, f"{type(error).__name__}: {error}")
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            lanes.put(lane)
        own.failures = [(f"{self.config}: {what}", text) for what, text in own.failures]
        self.ended(own, name, time.monotonic() - begun)

    def ended(self, own, name, seconds):
        with self.lock:
            self.tally.add(own)
            self.left -= 1
            self.spent += seconds
            if seconds > 30 or own.failed:
                say(f"{'':>10} {name:<28} {own.summary()}  {seconds:6.1f} s")
            for what, text in own.failures:
                say(f"---- {what}\n{text}")
            if self.left == 0:
                say(f"{self.config:>10} {self.kind:<10} {self.tally.summary()}  {self.spent:6.1f} s")


def run_all(configs, only):
    """Builds one configuration after the other, politely once tests run, and runs the tests of each in lanes."""
    total, groups = Tally(), []
    lanes = queue.SimpleQueue()
    for lane in range(LANES):
        lanes.put(lane)
    with tempfile.TemporaryDirectory(prefix="gatehouse-check-", ignore_cleanup_errors=True) as folder:
        with ThreadPoolExecutor(LANES) as pool:
            for config in configs:
                kinds = [kind for kind in CONFIGS[config]["kinds"] if not only or kind in only]
                begun = time.monotonic()
                code, text = build(config, kinds, 10 if groups else 0)
                if code:
                    total.fail(f"{config}: build", text[-4000:])
                    say(f"---- {config}: build\n{text[-4000:]}")
                    continue
                say(f"{config:>10} built {time.monotonic() - begun:28.1f} s")
                for group in (Group(config, kind) for kind in kinds):
                    groups.append(group)
                    if not group.jobs:
                        total.fail(f"{config}: {group.kind}", "there is no test")
                    for name, run in group.jobs:
                        pool.submit(group.run, name, run, pathlib.Path(folder), lanes)
    for group in groups:
        total.add(group.tally)
        if group.left:
            total.fail(f"{group.config}: {group.kind}", f"{group.left} test programs did not end")
    return total


def folders():
    """Of the checkout, besides what is built. git does not show one that is empty."""
    return {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith("build")}


def main():
    words = sys.argv[1:]
    configs = [w for w in CONFIGS if w in words] or list(CONFIGS)
    only = [w for w in JOBS if w in words]
    for word in words:
        if word not in CONFIGS and word not in JOBS:
            sys.exit(f"{word}: not a configuration or kind\n{__doc__}")
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)  # a login shell often has 1,024, too few for some tests
    resource.setrlimit(resource.RLIMIT_NOFILE, (most if 0 <= most < 65536 else 65536, most))
    begun, before = time.monotonic(), folders()
    total = run_all(configs, only)
    for name in sorted(folders() - before):
        total.fail(f"a test left a folder in the checkout: {name!r}", "")
    if not total.passed + total.failed:
        total.fail("nothing", "no test was run")
    for name, _ in total.failures:
        say(f"  failed: {name}")
    for reason, n in total.reasons.items():
        say(f"  {n} skipped: {reason}")
    say(f"\n{time.monotonic() - begun:.0f} s")
    say(total.summary())
    sys.exit(1 if total.failed else 0)


if __name__ == "__main__":
    main()
