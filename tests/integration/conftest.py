"""Fixtures of the scenario tests."""

import sys
import pathlib

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import harness  # noqa: E402


@pytest.fixture
def site(tmp_path):
    """site(text) makes a Site in the test's folder; every started one is stopped at the end."""
    made = []

    def make(text, name="test.conf", folder="site"):
        made.append(harness.Site(tmp_path / folder, text, name))
        return made[-1]

    yield make
    for one in made:
        one.stop(expect=None)
