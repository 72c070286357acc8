"""Which cell is measured in which round, how long that is likely to take, and what remains of it."""


def side_by_side(cells):
    """Lists of the cells that are measured together: a column where it is_sliced, else each alone."""
    steps = {}
    for c in cells:
        steps.setdefault(c.column if c.is_sliced else c, []).append(c)
    return list(steps.values())


class Schedule:
    """Its steps are (round, cells that are measured together)."""

    def __init__(self, cells, rounds, context):
        self.cells, self.rounds, self.context = cells, rounds, context
        self.steps = [(number, together) for number in range(rounds)
                      for together in side_by_side([c for c in cells if number == 0 or not c.is_once])]
        self.ahead = [cell for _, together in self.steps for cell in together]
        self.cells_n = len(self.ahead)
        self.took = {}  # seconds by cell, as it took the last time

    @property
    def done(self):
        return self.cells_n - len(self.ahead)

    def expected(self, cell):
        if cell in self.took:
            return self.took[cell]
        return 0 if self.context.missing(cell.server) else cell.takes(self.context)

    def end(self, cell, seconds):
        """It is done, for this round."""
        self.ahead.remove(cell)
        self.took[cell] = seconds

    def left_seconds(self):
        return sum(self.expected(cell) for cell in self.ahead)

    def render(self):
        """The whole of it, a line per column and number of rounds."""
        lines = []
        for column in dict.fromkeys(c.column for c in self.cells):
            for rounds in dict.fromkeys((self.rounds, 1)):
                cells = [c for c in self.cells if c.column == column and rounds == (1 if c.is_once else self.rounds)]
                seconds = sum(self.expected(c) for c in cells)
                if cells:
                    names = " · ".join(c.server.label + (" (skipped)" if self.context.missing(c.server) else "")
                                      for c in cells)
                    lines.append(f"{column:15} {seconds:5.0f} s × {rounds}   {names}")
        return "\n".join(lines + [f"all: about {clock(self.left_seconds())} minutes"])


def clock(seconds):
    return f"{seconds // 60:.0f}:{seconds % 60:02.0f}"
