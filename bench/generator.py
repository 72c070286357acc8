"""Runs the load generator on its core and reads its result."""
import contextlib
import json
import subprocess
import threading
import time

from servers import GENERATOR_CORE, Server, pin

# Cores that neither the server nor the generator used. Beyond, the run counts as disturbed and is repeated.
DISTURBED = 0.12
WAITS_SECONDS = 60  # of a run, besides what it measures: for connections, members, what is under way, and to spare


class Failed(Exception):
    """The generator could not do its run; the text says why."""


class Patience:
    """How often a disturbed figure is tried, and how long all repetitions together may take."""

    def __init__(self, tries=3, seconds=float("inf")):
        self.tries, self.seconds = tries, seconds


patience = Patience()  # run.py sets its own
running = []


def start(build, server: Server, scenario, cores=None, **options):
    """cores: that it may use, if not only its own. An option `cue` makes it wait for give_cue()."""
    argv = [f"{build}/bench/load", scenario, "--port", str(server.port), "--adapter", server.adapter,
            "--pid", str(server.process.pid)]
    for name, value in options.items():
        name = "for" if name == "purpose" else name
        argv += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               start_new_session=True, preexec_fn=pin(cores or GENERATOR_CORE))
    running.append(process)
    return process


@contextlib.contextmanager
def at_cues(build, server, scenario, **options):
    """One that is connected, and measures at each cue."""
    process = start(build, server, scenario, cue=True, **options)
    try:
        wait_until_ready(process)
        yield process
    finally:
        end(process)


def wait_until_ready(process):
    """Of one that waits for its cue: everybody is connected."""
    if _read_line(process) != "ready\n":
        raise Failed("it did not wait for its cue")


def read_result(process):
    """What it measured at the last cue."""
    return json.loads(_read_line(process))


def _read_line(process):
    """Its next one; raises what it says where it ends instead, as it is made to when none comes."""
    timer = threading.Timer(WAITS_SECONDS, process.kill)
    timer.start()
    try:
        line = process.stdout.readline()
    finally:
        is_late = not timer.is_alive()
        timer.cancel()
    if is_late:
        raise Failed(f"no result within {WAITS_SECONDS} s")
    if not line:
        finish(process)
        raise Failed("it ended")
    return line


def give_cue(process):
    process.stdin.write("\n")
    process.stdin.flush()


def finish(process, seconds=150):
    try:
        out, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"no result within {seconds:.0f} s") from late
    finally:
        end(process)
    lines = out.strip().splitlines()
    if process.returncode != 0 or not lines:
        raise Failed(errors.strip().splitlines()[-1] if errors.strip() else f"exit {process.returncode}")
    return json.loads(lines[-1])


def end(process):
    if process.poll() is None:
        process.kill()
        process.communicate()
    if process in running:
        running.remove(process)


def end_all():
    """Those that nobody waits for any more: their cell has failed."""
    for process in list(running):
        end(process)


def undisturbed(runs, busy):
    """Those during which others were quiet, by busy(run); all where these are fewer than half."""
    calm = [r for r in runs if busy(r) <= DISTURBED]
    return calm if 2 * len(calm) >= len(runs) else runs


def run(build, server, scenario, tries=None, is_enough=lambda result: False, **options):
    """One result, as least_disturbed()."""
    seconds = WAITS_SECONDS + options.get("warmup", 0) + options.get("seconds", 0)
    return least_disturbed(lambda: finish(start(build, server, scenario, **options), seconds), tries, is_enough)


def least_disturbed(measure, tries=None, is_enough=lambda result: False):
    """One result of measure(); of several tries the least disturbed one, or the first that is_enough."""
    results = []
    while True:
        began = time.monotonic()
        results.append(measure())
        took = time.monotonic() - began
        if len(results) > 1:
            patience.seconds -= took
        if results[-1]["others_busy"] <= DISTURBED or is_enough(results[-1]):
            return results[-1]
        if len(results) >= (tries or patience.tries) or patience.seconds < took:
            return min(results, key=lambda r: r["others_busy"])
