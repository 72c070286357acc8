"""The table of faults in docs/operations.md: what is between the two marker lines is replaced."""

FROM = "<!-- from here: make chaos -->"
TO = "<!-- to here: make chaos -->"
HEAD = """\
| fault | closed | lost | doubled | longest silence | that of most | slowest message | as usual after | besides |
|---|---|---|---|---|---|---|---|---|
"""


def row(outcome):
    c = outcome.cost
    return (f"| {outcome.fault.name} | {c.closed_n} | {c.lost_n} | {c.doubled_n} | {c.silence_s:.1f} s "
            f"| {c.median_silence_s:.1f} s | {c.delay_s:.1f} s | {c.normal_s:.1f} s | {outcome.words} |\n")


def write(page, outcomes):
    """page: a pathlib.Path."""
    text = page.read_text()
    before, marker, rest = text.partition(FROM + "\n")
    _, end, after = rest.partition(TO + "\n")
    if not marker or not end:
        raise ValueError(f"{page}: the lines {FROM} and {TO} are missing")
    page.write_text(before + marker + HEAD + "".join(map(row, outcomes)) + end + after)
