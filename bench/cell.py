"""One place in the tables, and what all of them share during a run."""
import os
import time

import servers as s

AROUND_SECONDS = 0.6  # start, connections, stop
LOST_SECONDS_MAX = 45  # a server that fails for longer, in all its cells together, is not tried any more


def runs(n=1, more=0):
    """For Cell: so many runs of the usual length, each `more` seconds longer than most."""
    return lambda ctx: n * (ctx.warmup + ctx.seconds + AROUND_SECONDS + more)


def lasts(seconds):
    """For Cell: always as long."""
    return lambda _ctx: seconds


class Cell:
    """One measurement: column and server name it, measure(context) gives a result with its figure.

    takes(context) is how many seconds that is likely to need. is_once: in the first round only. is_sliced: together with
    the others of its column, for which measure(context) yields where another one may have its turn."""

    def __init__(self, column, server, measure, takes, is_sliced=False):
        self.column, self.server, self.measure, self.takes = column, server, measure, takes
        self.is_sliced = is_sliced
        self.is_once = False


def once(cells):
    """They are measured in the first round only."""
    for c in cells:
        c.is_once = True
    return cells


class Context:
    """What the cells of a run share."""

    def __init__(self, build, folder, quick, gatewayworker):
        self.build, self.folder, self.quick = build, folder, quick
        self.seconds = 0.8 if quick else 2
        self.warmup = 0.3 if quick else 0.5
        self.precision = 0.25 if quick else 0.06  # of a capacity: how far above it the next bad rate may be
        self.guesses = {}
        self.message_bytes = None  # of the chat, once it was seen
        self.given_up = {}  # class of server: why it is not started any more
        self.lost_seconds = {}  # class of server: how long cells of it took that failed
        s.GatewayWorker.checkout = gatewayworker

    def missing(self, cls):
        """Why such a server cannot run here, or None."""
        return self._new(cls).missing()

    def _new(self, cls):
        return cls(self.build, os.path.join(self.folder, cls.__name__.lower()))

    def lose(self, cls, seconds, reason):
        """A cell of it failed after so long."""
        self.lost_seconds[cls] = self.lost_seconds.get(cls, 0) + seconds
        if self.lost_seconds[cls] > LOST_SECONDS_MAX:
            self.given_up[cls] = reason

    def make(self, cls, **settings):
        server = self._new(cls)
        for name, value in settings.items():
            setattr(server, name, value)
        reason = server.missing() or self.given_up.get(cls)
        if reason:
            raise Skipped(reason)
        return server


class Skipped(Exception):
    """The cell cannot be measured here; the text says why."""


def attempt(cell, context, act, *args):
    """The result of act(). Whatever goes wrong with one server is told in its place, and the run goes on."""
    began = time.monotonic()
    try:
        return act(*args)
    except Skipped as why:
        return {"skipped": str(why)}
    except Exception as why:  # pylint: disable=broad-exception-caught
        reason = f"failed: {' '.join(str(why).split()) or type(why).__name__}"
        if isinstance(why, s.StartFailed):
            context.given_up[cell.server] = reason
        context.lose(cell.server, time.monotonic() - began, reason)
        return {"skipped": reason}


def figure(result, name):
    result["figure"] = result[name]
    return result
