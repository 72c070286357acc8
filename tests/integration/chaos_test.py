"""Processes are killed, and what `make chaos` measures with: the account of what was lost, doubled and late."""

import pytest

from chaos import kill, table
from chaos.account import Cost, Stay, cost
from chaos.check import check, name
from chaos.stage import Fault, Limit, Outcome

@pytest.mark.parametrize("fault", kill.FAULTS, ids=name)
def test_fault(fault, tmp_path):
    check(fault, tmp_path)


def stay(person, since, until=None, **heard):
    made = Stay(person, since, until)
    for key, at in heard.items():
        for one in at if isinstance(at, list) else [at]:
            made.hear(key, one)
    return made


def test_the_account():
    """a: lost by one of two. b: doubled. c: late. d: said before q came back, so q need not have heard it."""
    said = {"a": 10.0, "b": 10.1, "c": 10.2, "d": 13.0, "e": 14.0}
    stays = [
        stay("p", 1.0, b=[10.1, 10.15], c=12.2, d=13.0, e=14.0),
        stay("q", 1.0, 10.3, a=10.0),
        stay("q", 13.5, e=14.0),
    ]
    counted = cost(said, stays, begun=10.0, ended=15.0)
    assert (counted.closed_n, counted.lost_n, counted.doubled_n) == (1, 1, 1)
    assert counted.silence_s == pytest.approx(4.0)  # q, from a to e
    assert counted.median_silence_s == pytest.approx(4.0)
    assert counted.delay_s == pytest.approx(2.0)
    assert counted.normal_s == pytest.approx(4.0)  # when q heard something again


def test_an_undisturbed_chat_costs_nothing():
    said = {f"m{n}": n * 0.1 for n in range(100)}
    stays = [stay(person, -1.0, **{key: at + 0.01 for key, at in said.items()}) for person in "pq"]
    counted = cost(said, stays, begun=2.0, ended=9.95)
    assert (counted.closed_n, counted.lost_n, counted.doubled_n, counted.normal_s) == (0, 0, 0, 0)
    assert counted.silence_s == pytest.approx(0.1) and counted.delay_s == pytest.approx(0.01)


def test_what_costs_too_much_is_said():
    dear = Cost(closed_n=3, lost_n=0, doubled_n=0, silence_s=0.2, median_silence_s=0.1, delay_s=0.1, normal_s=50)
    words = Outcome(Fault("f", None, Limit(closed_n=2, normal_s=1), None), dear, "").wrong()
    assert "closed_n is 3, at most 2" in words and "normal_s is 50" in words and "silence" not in words


def test_only_the_table_is_replaced(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{table.FROM}\nold\n{table.TO}\nafter\n")
    one = Cost(closed_n=1, lost_n=2, doubled_n=0, silence_s=0.25, median_silence_s=0.1, delay_s=0.1, normal_s=1.5)
    table.write(page, [Outcome(Fault("kill", None, Limit(), None), one, "words")])
    text = page.read_text()
    assert text.startswith(f"before\n{table.FROM}\n| fault |") and text.endswith(f"{table.TO}\nafter\n")
    assert "| kill | 1 | 2 | 0 |" in text and "| words |" in text and "old" not in text
