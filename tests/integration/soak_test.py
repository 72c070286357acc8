"""The book-keeping of the long run (tests/soak): a message that is lost, comes twice or too early is noticed."""

import sys

import pytest
from harness import ROOT

sys.path.append(str(ROOT / "tests" / "soak"))

import ledger  # noqa: E402
import meter  # noqa: E402


@pytest.fixture
def book(monkeypatch):
    """book.pass_(s) lets time pass."""
    now = [1000.0]
    monkeypatch.setattr(ledger.time, "monotonic", lambda: now[0])
    made = ledger.Ledger()
    made.pass_ = lambda seconds: now.__setitem__(0, now[0] + seconds)
    return made


def test_everything_came(book):
    for number in (1, 2):
        book.say("ann", number, ["m1", "m2"])
        for member in ("m1", "m2"):
            book.hear(member, "ann", number)
    book.pass_(ledger.PATIENCE_S + 1)
    book.settle()
    assert (book.said_n, book.expected_n, book.heard_n, book.faults) == (2, 4, 4, [])


def test_lost(book):
    book.say("ann", 1, ["m1", "m2"])
    book.hear("m1", "ann", 1)
    book.settle()
    assert book.lost_n == 0
    book.pass_(ledger.PATIENCE_S + 1)
    book.settle()
    assert book.lost_n == 1 and "message 1 of ann" in book.faults[0]


def test_twice_and_disordered(book):
    book.say("ann", 1, ["m1"])
    book.say("ann", 2, ["m1"])
    for number in (2, 2, 1):
        book.hear("m1", "ann", number)
    assert (book.twice_n, book.disordered_n) == (1, 1)


def test_who_left_is_owed_nothing(book):
    book.say("ann", 1, ["m1", "m2"])
    book.forget("m1")
    book.hear("m2", "ann", 1)
    book.pass_(ledger.PATIENCE_S + 1)
    book.settle()
    assert (book.lost_n, book.expected_n) == (0, 1)


@pytest.mark.parametrize("seconds, lost_n", [(ledger.KILL_BEFORE_S - 1, 0), (ledger.KILL_BEFORE_S + 1, 1)])
def test_only_a_kill_excuses(book, seconds, lost_n):
    book.say("ann", 1, ["m1"])
    book.pass_(seconds)
    book.killed()
    book.pass_(ledger.PATIENCE_S + 1)
    book.settle()
    assert (book.lost_n, book.excused_n) == (lost_n, 1 - lost_n)


def test_growth(tmp_path):
    made = meter.Meter(tmp_path / "soak.csv")
    for second in range(100):
        for role, rss in (("gateway", 10000), ("worker", 10000 + second * 100)):
            made.rows.append({"second": second, "role": role, "pid": 1, "rss_kib": rss, "pss_kib": 1, "fds": 20, "cpu_s": 1})
    made.file.close()
    assert [words.split(":")[0] for words in made.growth()] == ["rss_kib of worker"]
