"""Finds the highest rate at which a room gets everything in time."""
import generator

BRACKET = 1.5
PROBES_MAX = 12
SHARE = 0.97  # of the target rate that must really have arrived within the window


def is_good(result, limit_us):
    whole = all(result[k] == 0 for k in ("missing", "doubled", "stray", "broken", "closed_by_server"))
    return whole and result["p99_us"] <= limit_us and result["per_second"] >= SHARE * result["target_per_second"]


def probe(build, make_server, rate, limit_us, **options):
    """One fixed rate on a fresh server, which no backlog of the last rate slows down. None when it failed outright."""
    with make_server() as server:
        try:
            result = generator.run(build, server, "open", rate=int(rate), **options)
        except generator.Failed as why:
            return {"target_per_second": rate, "failed": str(why), "is_good": False}
    result["is_good"] = is_good(result, limit_us)
    return result


def search(build, make_server, guess, limit_ms, bisections, **options):
    """Brackets the limit by factors of 1.5, then bisects. Returns (best result or None, all probes)."""
    limit_us = limit_ms * 1000
    probes = []

    def try_rate(rate):
        probes.append(probe(build, make_server, rate, limit_us, **options))
        return probes[-1]

    good = bad = None
    rate = guess
    while (good is None or bad is None) and len(probes) < PROBES_MAX:
        result = try_rate(rate)
        if result["is_good"]:
            good, rate = result, rate * BRACKET
        else:
            bad, rate = result, rate / BRACKET
    for _ in range(bisections if good and bad else 0):
        result = try_rate((good["target_per_second"] * bad["target_per_second"]) ** 0.5)
        if result["is_good"]:
            good = result
        else:
            bad = result
    return good, probes
