"""What Gatehouse shall reach, and whether this run shows it."""
import statistics

import servers as s
import tables

THIN, CHAT, TLS = s.Gatehouse.label, s.GatehouseChat.label, s.GatehouseTls.label
PRESSED = s.GatehousePressed
UWS, HOP = s.UWebSockets.label, s.FloorHop.label


def _median(results, column, label):
    values = tables.figures(results, column, label)
    return statistics.median(values) if values else None


def _figure(column, label):
    return lambda results: _median(results, column, label)


def _ratio(column, label, base, base_column=None):
    """Of medians where the columns differ, of the rounds otherwise."""
    def value(results):
        if base_column is None:
            return tables.ratio(results, column, label, base)
        mine, its = _median(results, column, label), _median(results, base_column, base)
        return mine / its if mine and its else None
    return value


def _lists_right(column):
    def value(results):
        rounds = [r for r in results.get(column, {}).get(CHAT, []) if "figure" in r]
        return min(r["complete"] / r["members"] for r in rounds) if rounds else None
    return value


def _per_cpu_second(column, label, base):
    """What a CPU-second of the server gives, as a share of what one gives the base: also right where the generator is
    the limit."""
    def value(results):
        pairs = [(r["per_cpu_second"], b["per_cpu_second"])
                 for r, b in zip(results.get(column, {}).get(label, []), results.get(column, {}).get(base, []))
                 if "figure" in r and "figure" in b]
        return statistics.median(mine / its for mine, its in pairs) if pairs else None
    return value


def _memory_of_slow(column):
    """What the server grew by, as a share of what its limit allows for those who read nothing."""
    def value(results):
        pairs = [(r, b) for r, b in zip(results.get(column, {}).get(PRESSED.label, []),
                                        results.get("slow_none", {}).get(PRESSED.label, []))
                 if "figure" in r and "figure" in b]
        return max((r["peak_bytes"] - b["peak_bytes"]) / (r["deaf"] * PRESSED.buffer_bytes)
                   for r, b in pairs) if pairs else None
    return value


def _refused(results):
    rounds = [r for r in results.get("storm", {}).get(s.GatehouseCrowd.label, []) if "figure" in r]
    return max(r["refused"] for r in rounds) if rounds else None


# words, value, "at least" or "at most", limit
GOALS = [
    ("capacity of the chat, deliveries/s", _figure("capacity", CHAT), ">=", 5.0e6),
    ("capacity of the thin module, deliveries/s", _figure("capacity", THIN), ">=", 7.0e6),
    ("the same as a share of floor + hop", _ratio("capacity", THIN, HOP), ">=", 0.85),
    ("the chat as a share of floor + hop at equal bytes", _ratio("capacity", CHAT, HOP, "capacity_equal"), ">=", 0.85),
    ("TLS as a share of plain capacity", _ratio("capacity", TLS, THIN), ">=", 0.6),
    ("the same per CPU-second of the server", _per_cpu_second("capacity", TLS, THIN), ">=", 0.6),
    ("the same at 0.1M/s, where the core is not full", _ratio("cpu_0.1M", TLS, THIN), ">=", 0.6),
    ("p99 at 0.5M/s as a multiple of uWebSockets'", _ratio("p99_0.5M", THIN, UWS), "<=", 1.5),
    ("p99 at 2M/s as a multiple of uWebSockets'", _ratio("p99_2M", THIN, UWS), "<=", 1.5),
    ("capacity with 5,000 members", _figure("capacity_5000", THIN), ">=", 5.0e6),
    ("capacity of 100 rooms × 50", _figure("capacity_rooms", THIN), ">=", 2.0e6),
    ("echo as a share of the floor", _ratio("echo", THIN, s.Floor.label), ">=", 0.90),
    ("fan-out as a share of the floor", _ratio("fanout", THIN, s.Floor.label), ">=", 0.95),
    ("100 rooms × 50 as a share of uWebSockets", _ratio("rooms", THIN, UWS), ">=", 1.0),
    ("handshakes as a share of the floor", _ratio("handshakes", THIN, s.Floor.label), ">=", 0.85),
    ("bytes per idle connection", _figure("idle", THIN), "<=", 300),
    ("bytes with uid, group and session", _figure("idle_full", THIN), "<=", 600),
    ("login storm of 500, seconds", _figure("login_500", CHAT), "<=", 0.1),
    ("login storm of 1,000, seconds", _figure("login_1000", CHAT), "<=", 0.2),
    ("login storm of 2,000, seconds", _figure("login_2000", CHAT), "<=", 0.5),
    ("share of right lists after it", _lists_right("login_2000"), ">=", 1.0),
    ("CPU µs per idle client and second", _figure("heartbeat", s.GatehouseTwo.label), "<=", 0.5),
    ("compressions per broadcast to 5,000", _figure("deflate", s.GatehouseDeflate.label), "<=", 1.0),
    ("fullest of four gateways / emptiest", _figure("spread", s.GatehouseFour.label), "<=", 1.15),
    ("2 gateways / 1, two cores with the generator", _ratio("processes", s.GatehouseSpreadTwo.label,
                                                            s.GatehouseSpread.label), ">=", 1.0),
    ("p99 when a tenth reads nothing (close) / p99", _ratio("slow_close", PRESSED.label, PRESSED.label, "slow_none"),
     "<=", 1.10),
    ("the same with drop_new", _ratio("slow_drop_new", PRESSED.label, PRESSED.label, "slow_none"), "<=", 1.10),
    ("the same with drop_old", _ratio("slow_drop_old", PRESSED.label, PRESSED.label, "slow_none"), "<=", 1.10),
    ("memory for them / their limits (close)", _memory_of_slow("slow_close"), "<=", 1.0),
    ("the same with drop_new", _memory_of_slow("slow_drop_new"), "<=", 1.0),
    ("the same with drop_old", _memory_of_slow("slow_drop_old"), "<=", 1.0),
    ("30,000 reconnect at once: refused", _refused, "<=", 0),
]


def show(value):
    return f"{value / 1e6:.2f}M" if value >= 1e5 else f"{value:.2f}" if value < 100 else f"{value:.0f}"


def judge(results):
    """(words, sense, limit, value, whether it is met) of each goal that this run has measured."""
    for words, value_of, sense, limit in GOALS:
        value = value_of(results)
        if value is not None:
            yield words, sense, limit, value, value >= limit if sense == ">=" else value <= limit


def render(results):
    """A table of the goals that this run has measured; empty when it measured none."""
    lines = []
    for words, sense, limit, value, is_met in judge(results):
        lines.append(f"| {words} | {'≥' if sense == '>=' else '≤'} {show(limit)} | {show(value)} | "
                     f"{'yes' if is_met else '**no**'} |")
    return "\n".join(["| goal | limit | measured | met |", "|---|---|---|---|"] + lines + [""]) if lines else ""
