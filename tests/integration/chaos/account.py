"""What was said and who heard it when; and from that, what a fault cost."""

import collections
import dataclasses

# A message that takes longer is part of the disturbance: people notice half a second.
NORMAL_S = 0.5


@dataclasses.dataclass
class Stay:
    """One connection of one person, from when it was in the room until it was closed (None: it is open)."""

    person: str
    since: float
    until: float = None
    heard: dict = dataclasses.field(default_factory=lambda: collections.defaultdict(list))

    def hear(self, key, at):
        self.heard[key].append(at)


@dataclasses.dataclass(frozen=True)
class Cost:
    """Seconds and numbers. `silence_s`: the longest that anybody heard nothing at all; `median_silence_s`: that of the
    median person; `delay_s`: how long the slowest message took; `normal_s`: from the strike to the last moment at which
    something was not as usual."""

    closed_n: int
    lost_n: int
    doubled_n: int
    silence_s: float
    median_silence_s: float
    delay_s: float
    normal_s: float


def missing(said, stays):
    """What those who are still there did not hear, though it was said while they were in the room."""
    return {key for stay in stays if stay.until is None
            for key, at in said.items() if at > stay.since and key not in stay.heard}


def silences(stays, begun, ended):
    """By person, the longest time without a message between `begun` and `ended`, and when it ended."""
    times = collections.defaultdict(list)
    for stay in stays:
        times[stay.person] += [at for heard in stay.heard.values() for at in heard if begun <= at <= ended]
    longest = {}
    for person in {stay.person for stay in stays}:
        marks = [begun, *sorted(times[person]), ended]
        longest[person] = max((b - a, b) for a, b in zip(marks, marks[1:]))
    return longest


def cost(said, stays, begun, ended):
    """said: {key: when}. The strike was at `begun`; nobody said anything after `ended`."""
    affected = {key: at for key, at in said.items() if at >= begun - NORMAL_S}
    lost = missing(affected, stays)
    heard = [(at, at - said[key]) for stay in stays for key, ats in stay.heard.items() if key in affected
             for at in ats[:1]]
    quiet = silences(stays, begun, ended)
    # What is not as usual: late messages, lost ones, doors that closed, and people who hear nothing.
    odd = [at for at, delay in heard if delay > NORMAL_S] + [said[key] for key in lost]
    odd += [stay.since for stay in stays if stay.since > begun]
    odd += [stay.until for stay in stays if stay.until and stay.until > begun]
    odd += [at for length, at in quiet.values() if length > NORMAL_S]
    lengths = sorted(length for length, _ in quiet.values())
    return Cost(
        closed_n=sum(stay.until is not None and stay.until >= begun for stay in stays),
        lost_n=len(lost),
        doubled_n=sum(len(ats) > 1 for stay in stays for key, ats in stay.heard.items() if key in affected),
        silence_s=lengths[-1],
        median_silence_s=lengths[len(lengths) // 2],
        delay_s=max((delay for _, delay in heard), default=0.0),
        normal_s=max(odd, default=begun) - begun,
    )
