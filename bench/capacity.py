"""Finds the highest rate at which a room gets everything in time."""
import time

import generator

BRACKET, BRACKET_KNOWN = 1.5, 1.2  # steps towards the limit: from a guess, from what the last round found
PROBES_MAX, FAILURES_MAX = 12, 2
SECONDS_MAX = 90  # no probe begins later
SHARE = 0.97  # of the target rate that must really have arrived within the window


def is_good(result, limit_us):
    whole = all(result[k] == 0 for k in ("missing", "doubled", "stray", "broken", "closed_by_server"))
    return whole and result["p99_us"] <= limit_us and result["per_second"] >= SHARE * result["target_per_second"]


def probe(build, make_server, rate, limit_us, **options):
    """One fixed rate on a fresh server, which no backlog of the last rate slows down."""
    with make_server() as server:
        try:
            # What is good although others disturb need not be repeated.
            result = generator.run(build, server, "open", is_enough=lambda r: is_good(r, limit_us), rate=int(rate),
                                   **options)
        except generator.Failed as why:
            return {"target_per_second": rate, "failed": str(why), "is_good": False}
    result["is_good"] = is_good(result, limit_us)
    return result


def search(try_rate, guess, bracket, precision):
    """Brackets the limit by steps that grow to a factor of 1.5, then bisects until the next bad rate is at most
    `precision` above the best good one. Returns (best result or None, all probes)."""
    probes = []
    good = bad = None
    deadline = time.monotonic() + SECONDS_MAX

    def goes_on():
        failures = sum("failed" in p for p in probes)
        return len(probes) < PROBES_MAX and failures < FAILURES_MAX and time.monotonic() < deadline

    rate = guess
    while not (good and bad and bad["target_per_second"] <= (1 + precision) * good["target_per_second"]) and goes_on():
        result = try_rate(rate)
        probes.append(result)
        if result["is_good"]:
            good = result
        else:
            bad = result
        if good and bad:
            rate = (good["target_per_second"] * bad["target_per_second"]) ** 0.5
        else:
            rate = rate * bracket if good else rate / bracket
            bracket = min(BRACKET, bracket**2)
    return good, probes
