"""Fixtures of the scenario tests, and the check that they leave no process behind."""

import contextlib
import ctypes
import os
import sys
import pathlib
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402

PR_SET_CHILD_SUBREAPER = 36


@pytest.fixture
def site(tmp_path):
    """site(text) makes a Site in the test's folder; every started one is stopped at the end."""
    made = []

    def make(text, name="test.conf", folder="site", prefix=()):
        made.append(harness.Site(tmp_path / folder, text, name, prefix))
        return made[-1]

    with contextlib.ExitStack() as stack:  # which stops the others also when one of them fails at it
        yield make
        for one in made:
            stack.callback(one.stop, expect=None)


def pytest_sessionstart():
    """Whatever loses its parent becomes our child, daemons too, so that they are seen at the end."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children():
    """The command lines of living children; zombies are gone for all that matters."""
    found = {}
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (path / "stat").read_text().rpartition(")")[2].split()[:2]
            if int(parent) == os.getpid() and state != "Z":
                found[int(path.name)] = (path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it ended meanwhile
    return found


def pytest_sessionfinish(session):
    deadline = time.monotonic() + 10 * harness.SLOW
    looks = 0
    left = {}
    # Two empty looks: one alone may miss the child of a process that ends just then.
    while looks < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
        left = children()
        looks = 0 if left else looks + 1
    if left:
        print(f"\nleft behind: {left}")
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR
