"""One fault as a test: that it ends well. How long things take is for `make chaos`, on a machine that does nothing else."""

import re

from chaos.stage import run

PATIENCE = 10


def name(fault):
    """As pytest shows it."""
    return re.sub(r"\W+", "-", fault.name).strip("-")


def check(fault, folder):
    outcome = run(fault, folder / "site")
    assert not outcome.wrong(PATIENCE), outcome
