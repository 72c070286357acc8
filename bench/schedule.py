"""Which cell is measured in which round, how long that is likely to take, and what remains of it."""


class Schedule:
    def __init__(self, cells, rounds, context):
        self.cells, self.rounds, self.context = cells, rounds, context
        self.steps = [(number, cell) for number in range(rounds) for cell in cells if number == 0 or not cell.is_once]
        self.done = 0
        self.took = {}  # seconds by cell, as it took the last time

    def expected(self, cell):
        if cell in self.took:
            return self.took[cell]
        return 0 if self.context.missing(cell.server) else cell.takes(self.context)

    def end(self, cell, seconds):
        """The next step, which is this cell, is done."""
        self.done += 1
        self.took[cell] = seconds

    def left_seconds(self):
        return sum(self.expected(cell) for _, cell in self.steps[self.done:])

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
