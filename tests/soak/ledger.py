"""Who must get which message: every one once at everybody who was in the room, and in the order of its sender."""

import collections
import time

# A message that has not come by then is lost.
PATIENCE_S = 15
# What a worker that is killed had in its hands is lost with it: messages that were said so shortly before, or before
# its clients had moved to another.
KILL_BEFORE_S, KILL_AFTER_S = 3, 5


class Ledger:
    """Members are any objects that live as long as their connection; `is_in` says whether they still are."""

    def __init__(self):
        self.open = collections.OrderedDict()  # (sender, number): (when, room, members who have it to come)
        self.last = {}  # (member, sender): the number that came last
        self.kills = []
        self.said_n = self.heard_n = self.expected_n = self.lost_n = self.twice_n = self.disordered_n = 0
        self.excused_n = 0  # not there because a worker was killed, or its sender's gateway
        self.faults = []
        self.slowest_s = 0.0

    def say(self, sender, number, members):
        self.said_n += 1
        waiting = set(members)
        self.expected_n += len(waiting)
        self.open[sender, number] = (time.monotonic(), waiting)

    def hear(self, member, sender, number):
        self.heard_n += 1
        last = self.last.get((member, sender), -1)
        if number == last:
            self.fail("twice", sender, number)
        elif number < last:
            self.fail("disordered", sender, number)
        self.last[member, sender] = max(number, last)
        entry = self.open.get((sender, number))
        if entry is None:
            return
        when, waiting = entry
        if member in waiting:
            waiting.remove(member)
            self.slowest_s = max(self.slowest_s, time.monotonic() - when)

    def fail(self, how, sender, number):
        setattr(self, f"{how}_n", getattr(self, f"{how}_n") + 1)
        if len(self.faults) < 20:
            self.faults.append(f"{how}: message {number} of {sender} at {time.strftime('%T')}")

    def killed(self):
        """A process that carries messages was killed just now."""
        self.kills.append(time.monotonic())

    def forget(self, member):
        """Its connection is over: nothing is expected there any more."""
        for _, waiting in self.open.values():
            if member in waiting:
                waiting.remove(member)
                self.expected_n -= 1
        self.last = {key: number for key, number in self.last.items() if key[0] is not member}

    def settle(self, is_last=False):
        """Looks at what should have come by now."""
        now = time.monotonic()
        while self.open:
            (sender, number), (when, waiting) = next(iter(self.open.items()))
            if now - when < PATIENCE_S and not (is_last and not waiting):
                break
            self.open.popitem(last=False)
            is_excused = any(when - KILL_AFTER_S <= kill <= when + KILL_BEFORE_S for kill in self.kills)
            for _ in waiting:
                if is_excused:
                    self.excused_n += 1
                else:
                    self.fail("lost", sender, number)
