"""A wall clock that jumps, and memory that is refused."""

import pytest

from chaos import shim
from chaos.check import check, name


@pytest.mark.parametrize("fault", shim.FAULTS, ids=name)
def test_fault(fault, tmp_path):
    check(fault, tmp_path)
