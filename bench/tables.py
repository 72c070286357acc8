"""Medians, spreads and ratios of the rounds, as Markdown tables."""
import statistics

import generator

FLOOR = "floor"
HOP = "floor + hop"
NOW, BEFORE = "Gatehouse, thin module", "Gatehouse, before"
# column: heading, unit scale, format, what its ratio is taken to
COLUMNS = {
    "capacity": ("deliveries/s, 500 members, 128 B, p99 ≤ 30 ms", 1e-6, "{:.2f}M", HOP),
    "capacity_equal": ("the same with the chat's bytes", 1e-6, "{:.2f}M", None),
    "capacity_5000": ("5,000 members, p99 ≤ 130 ms", 1e-6, "{:.2f}M", HOP),
    "capacity_rooms": ("100 rooms × 50, p99 ≤ 130 ms", 1e-6, "{:.2f}M", None),
    "p99_0.5M": ("p99 at 0.5M/s", 1e-3, "{:.1f} ms", None),
    "p99_2M": ("p99 at 2M/s", 1e-3, "{:.1f} ms", None),
    "p99_7M": ("p99 at 7M/s", 1e-3, "{:.1f} ms", None),
    "cpu_0.1M": ("per CPU-second at 0.1M/s", 1e-3, "{:.0f}k", None),
    "calls_0.5M": ("system calls per delivery at 0.5M/s", 1, "{:.3f}", None),
    "calls_4M": ("system calls per delivery at 4M/s", 1, "{:.3f}", None),
    "deflate": ("compressions per broadcast to 5,000", 1, "{:.3f}", None),
    "processes": ("deliveries/s, two cores for server and generator", 1e-3, "{:.0f}k", None),
    "spread": ("10,000 connections: fullest / emptiest gateway", 1, "{:.3f}", None),
    "slow_none": ("p99, 10,000 members read", 1e-3, "{:.1f} ms", None),
    "slow_close": ("1,000 of them do not: closed", 1e-3, "{:.1f} ms", None),
    "slow_drop_new": ("the same, new messages dropped", 1e-3, "{:.1f} ms", None),
    "slow_drop_old": ("the same, old messages dropped", 1e-3, "{:.1f} ms", None),
    "storm": ("all 15,000 per process reconnect at once", 1, "{:.2f} s", None),
    "echo": ("echo, 100 clients, 1 in flight", 1e-3, "{:.0f}k", FLOOR),
    "fanout": ("fan-out 500, 1 in flight", 1e-3, "{:.0f}k", FLOOR),
    "rooms": ("100 rooms × 50, 100 publishers", 1e-3, "{:.0f}k", None),
    "handshakes": ("handshakes", 1e-3, "{:.1f}k", FLOOR),
    "idle": ("user bytes per idle connection", 1, "{:.0f}", None),
    "idle_full": ("with uid, group, session", 1, "{:.0f}", None),
    "login_500": ("login storm, 500", 1, "{:.2f} s", None),
    "login_1000": ("login storm, 1,000", 1, "{:.2f} s", None),
    "login_2000": ("login storm, 2,000", 1, "{:.2f} s", None),
    "heartbeat": ("CPU per idle client and second, 30,000 clients", 1, "{:.2f} µs", None),
}
TABLES = [
    ("Capacity of a busy room, one core (open loop, latency from the scheduled send)",
     ["capacity", "capacity_equal", "capacity_5000", "capacity_rooms", "p99_0.5M", "p99_2M", "p99_7M", "cpu_0.1M",
      "calls_0.5M", "calls_4M"]),
    ("Closed loop, per CPU-second of all server processes (in brackets: per second of wall clock)",
     ["echo", "fanout", "rooms", "handshakes"]),
    ("Several gateway processes, compression, clients that do not read",
     ["processes", "spread", "deflate", "slow_none", "slow_close", "slow_drop_new", "slow_drop_old"]),
    ("Connections and logins", ["idle", "idle_full", "login_500", "login_1000", "login_2000", "heartbeat", "storm"]),
]
WITH_WALL_CLOCK = {"echo", "fanout", "rooms", "handshakes"}


def figures(results, column, label):
    return [r["figure"] for r in results.get(column, {}).get(label, []) if "figure" in r]


def _ratio_of_round(mine, its):
    """Of slices, which were taken one right after the other: the machine may have changed between them and the next."""
    pairs = list(zip(mine.get("slices", [mine]), its.get("slices", [its])))
    counted = generator.undisturbed(pairs, lambda pair: max(r.get("others_busy", 0) for r in pair))
    return statistics.median(a["figure"] / b["figure"] for a, b in counted)


def ratio(results, column, label, base):
    """Median over the rounds of what it is to the base in the same round."""
    rounds = zip(results.get(column, {}).get(label, []), results.get(column, {}).get(base, []))
    ratios = [_ratio_of_round(mine, its) for mine, its in rounds if "figure" in mine and its.get("figure")]
    return statistics.median(ratios) if ratios else None


def _notes(rounds, column):
    notes = []
    if column.startswith("login"):
        wrong = max(r["members"] - r["complete"] for r in rounds)
        notes += [f"{wrong} lists wrong"] if wrong else []
    if column.startswith("capacity"):
        notes.append(f"p99 {statistics.median(r['p99_us'] for r in rounds) / 1e3:.0f} ms")
        notes.append(f"core {100 * statistics.median(r['cpu_seconds'] / r['seconds'] for r in rounds):.0f} % busy")
        notes.append(f"generator {100 * statistics.median(r['generator_busy'] for r in rounds):.0f} %")
    last = rounds[-1]
    if "deflates" in last:
        notes.append(f"{last['deflates']} for {last['published']}")
    if "connections" in last:
        notes.append("/".join(str(n) for n in last["connections"]))
    if column.startswith("processes"):
        notes.append(f"server {last['server_cores']:.2f} cores, generator {last['generator_cores']:.2f}")
    if "peak_bytes" in last:
        notes.append(f"peak {last['peak_bytes'] / 2**20:.0f} MiB")
    if "peak_bytes_before" in last:
        notes.append(f"{last['peak_bytes_before'] / 2**20:.0f} before")
    if "refused" in last and column == "storm":
        notes.append(f"{last['refused']} of {last['members']} refused, half back in {last['p50_us'] / 1e6:.1f} s")
    if "dropped_new" in last and column.startswith("slow"):
        notes.append(f"before {statistics.median(r['warmup_p99_us'] for r in rounds) / 1e3:.0f} ms")
        words = {"slow_closed": "closed", "dropped_new": "dropped", "dropped_old": "dropped"}
        notes += [f"{last[name]} {word}" for name, word in words.items() if last[name]]
    if "on_connect_share" in rounds[-1]:
        notes.append(f"on_connect {100 * min(r['on_connect_share'] for r in rounds):.1f} %")
    if max(r.get("others_busy", 0) for r in rounds) > generator.DISTURBED:
        notes.append("disturbed")
    return notes


def cell(results, column, label):
    """What stands in one place of a table."""
    rounds = results.get(column, {}).get(label)
    if rounds is None:
        return "–"
    good = [r for r in rounds if "figure" in r]
    if not good:
        return "skipped: " + rounds[-1]["skipped"].replace("|", "\\|")
    _, scale, fmt, base = COLUMNS[column]
    values = [r["figure"] * scale for r in good]
    text = fmt.format(statistics.median(values))
    if len(values) > 1:
        text += f" ({fmt.format(min(values))}–{fmt.format(max(values))})"
    share = ratio(results, column, label, base) if base and label != base else None
    if share is not None:
        text += f" **{share:.2f}**"
    if column in WITH_WALL_CLOCK:
        text += f" [{fmt.format(statistics.median(r['per_second'] * scale for r in good))}]"
    notes = _notes(good, column)
    change = ratio(results, column, NOW, BEFORE) if label == NOW else None
    if change is not None:
        notes.append(f"{change:.2f} × before")
    return text + (", " + ", ".join(notes) if notes else "")


def render(results, labels):
    lines = []
    for title, columns in TABLES:
        columns = [c for c in columns if c in results]
        rows = [l for l in labels if any(l in results[c] for c in columns)]
        if not columns:
            continue
        lines += [f"**{title}**", "", "| | " + " | ".join(COLUMNS[c][0] for c in columns) + " |",
                  "|---" * (len(columns) + 1) + "|"]
        lines += [f"| {label} | " + " | ".join(cell(results, c, label) for c in columns) + " |" for label in rows]
        lines.append("")
    return "\n".join(lines) + "Bold: ratio to the floor (capacity: to floor + hop) of the same round.\n"
