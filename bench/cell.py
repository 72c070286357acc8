"""One place in the tables, and what all of them share during a run."""
import os

import servers as s


class Cell:
    """One measurement: column and server name it, measure(context) gives a result with its figure."""

    def __init__(self, column, server, measure):
        self.column, self.server, self.measure = column, server, measure


class Context:
    """What the cells of a run share."""

    def __init__(self, build, folder, quick, gatewayworker):
        self.build, self.folder, self.quick = build, folder, quick
        self.seconds = 0.8 if quick else 2
        self.warmup = 0.3 if quick else 0.5
        self.bisections = 1 if quick else 3
        self.guesses = {}
        self.message_bytes = None  # of the chat, once it was seen
        s.GatewayWorker.checkout = gatewayworker

    def make(self, cls, **settings):
        server = cls(self.build, os.path.join(self.folder, cls.__name__.lower()))
        for name, value in settings.items():
            setattr(server, name, value)
        reason = server.missing()
        if reason:
            raise Skipped(reason)
        return server


class Skipped(Exception):
    """The cell cannot be measured here; the text says why."""


def figure(result, name):
    result["figure"] = result[name]
    return result
