"""Web, service and queue processes are killed: who calls them waits a moment, and the chat does not notice."""

import pytest

from chaos import callers
from chaos.check import check, name


@pytest.mark.parametrize("fault", callers.FAULTS, ids=name)
def test_fault(fault, tmp_path):
    check(fault, tmp_path)
