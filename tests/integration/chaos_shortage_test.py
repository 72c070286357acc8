"""A full disk, and no descriptors left: the chat goes on, and the log says what is wrong."""

import pytest

from chaos import disk, shortage
from chaos.check import check, name


@pytest.mark.parametrize("fault", [*disk.FAULTS, *shortage.FAULTS], ids=name)
def test_fault(fault, tmp_path):
    check(fault, tmp_path)
