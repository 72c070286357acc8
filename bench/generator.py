"""Runs the load generator on its core and reads its result."""
import json
import subprocess

from servers import GENERATOR_CORE, Server, pin

# Cores that neither the server nor the generator used. Beyond, the run counts as disturbed and is repeated.
DISTURBED = 0.12
TRIES = 3  # run.py --tries


class Failed(Exception):
    """The generator could not do its run; the text says why."""


def start(build, server: Server, scenario, cores=None, **options):
    """cores: that it may use, if not only its own. An option `cue` makes it wait for give_cue()."""
    argv = [f"{build}/bench/load", scenario, "--port", str(server.port), "--adapter", server.adapter,
            "--pid", str(server.process.pid)]
    for name, value in options.items():
        name = "for" if name == "purpose" else name
        argv += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            start_new_session=True, preexec_fn=pin(cores or GENERATOR_CORE))


def wait_until_ready(process):
    """Of one that waits for its cue: everybody is connected."""
    if process.stdout.readline() != "ready\n":
        finish(process)
        raise Failed("it did not wait for its cue")


def give_cue(process):
    process.stdin.write("\n")
    process.stdin.flush()


def finish(process, seconds=150):
    try:
        out, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as late:
        process.kill()
        process.communicate()
        raise Failed("no result in time") from late
    lines = out.strip().splitlines()
    if process.returncode != 0 or not lines:
        raise Failed(errors.strip().splitlines()[-1] if errors.strip() else f"exit {process.returncode}")
    return json.loads(lines[-1])


def run(build, server, scenario, tries=None, **options):
    """One result; of several tries the least disturbed one."""
    results = []
    for _ in range(tries or TRIES):
        results.append(finish(start(build, server, scenario, **options)))
        if results[-1]["others_busy"] <= DISTURBED:
            break
    return min(results, key=lambda r: r["others_busy"])
