"""The result as an SVG drawing: p99 against delivered messages, and capacities as bars."""
import math
import statistics
from xml.sax.saxutils import escape

import goals

WIDTH, HEIGHT, MARGIN = 1120, 460, 60
GOAL_HEIGHT = 20
MET, MISSED = "#1e8449", "#c0392b"
COLOURS = ["#555555", "#999999", "#c0392b", "#e67e22", "#2471a3", "#1e8449", "#7d3c98", "#b7950b", "#117a65", "#a04000",
           "#5d6d7e", "#d98880"]


def text(x, y, words, size=12, anchor="start", colour="#222"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">'
            f"{escape(words)}</text>")


def line(x1, y1, x2, y2, colour="#ddd", width=1):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


class LogAxis:
    """Maps values between two powers of ten onto pixels."""

    def __init__(self, low, high, at_low, at_high):
        self.low, self.high, self.at_low, self.at_high = math.log10(low), math.log10(high), at_low, at_high

    def at(self, value):
        share = (math.log10(value) - self.low) / (self.high - self.low)
        return self.at_low + min(max(share, 0), 1) * (self.at_high - self.at_low)

    def decades(self):
        return [10.0**e for e in range(math.ceil(self.low), math.floor(self.high) + 1)]


def _name(value):
    return f"{value / 1e6:g}M" if value >= 1e6 else f"{value / 1e3:g}k" if value >= 1e3 else f"{value:g}"


def latency_panel(rounds_by_label):
    x_axis = LogAxis(1e4, 1e8, MARGIN, 600)
    y_axis = LogAxis(0.1, 1e3, HEIGHT - MARGIN, 40)
    parts = [text(MARGIN, 24, "p99 latency (ms) at deliveries per second: 500 members, 4 publishers, one core", 13)]
    for value in x_axis.decades():
        parts += [line(x_axis.at(value), 40, x_axis.at(value), HEIGHT - MARGIN),
                  text(x_axis.at(value), HEIGHT - MARGIN + 18, _name(value), 11, "middle")]
    for value in y_axis.decades():
        parts += [line(MARGIN, y_axis.at(value), 600, y_axis.at(value)),
                  text(MARGIN - 6, y_axis.at(value) + 4, _name(value), 11, "end")]
    parts.append(line(MARGIN, y_axis.at(30), 600, y_axis.at(30), "#c0392b"))
    for colour, rounds in zip(COLOURS, rounds_by_label.values()):
        points = sorted((p["per_second"], max(p["p99_us"], 100) / 1e3)
                        for r in rounds for p in r.get("probes", []) if p.get("p99_us"))
        for x, y in points:
            parts.append(f'<circle cx="{x_axis.at(x):.1f}" cy="{y_axis.at(y):.1f}" r="3.5" fill="{colour}"/>')
    return parts


def capacity_panel(rounds_by_label):
    parts = [text(640, 24, "capacity (deliveries per second, p99 ≤ 30 ms)", 13)]
    medians = {label: statistics.median([r["figure"] for r in rounds if "figure" in r] or [0])
               for label, rounds in rounds_by_label.items()}
    longest = max(medians.values(), default=1) or 1
    for i, (label, value) in enumerate(medians.items()):
        y = 44 + i * 32
        parts += [text(640, y + 10, label, 11),
                  f'<rect x="640" y="{y + 14}" width="{max(1, 380 * value / longest):.1f}" height="10" '
                  f'fill="{COLOURS[i % len(COLOURS)]}"/>',
                  text(646 + 380 * value / longest, y + 23, _name(round(value, -4)) if value else "–", 11)]
    return parts


def goals_panel(judged, top):
    """How often each goal is reached: bars beyond the line reach it, two times at most are drawn."""
    once, widest = 640, 2
    parts = [text(MARGIN, top, "goals: what was measured, as a multiple of what is wanted", 13)] if judged else []
    for i, (words, sense, limit, value, is_met) in enumerate(judged):
        y = top + 12 + i * GOAL_HEIGHT
        share = value / limit if sense == ">=" and limit else limit / value if value else widest
        colour = MET if is_met else MISSED
        parts += [text(MARGIN, y + 10, words, 11),
                  f'<rect x="400" y="{y + 1}" width="{max(1, (once - 400) * min(widest, share)):.1f}" height="10" '
                  f'fill="{colour}"/>',
                  text(896, y + 10, f"{goals.show(value)} ({'≥' if sense == '>=' else '≤'} {goals.show(limit)})", 11)]
    return parts + ([line(once, top + 8, once, top + 12 + len(judged) * GOAL_HEIGHT, "#222")] if judged else [])


def render(results, machine):
    judged = list(goals.judge(results))
    height = HEIGHT + (GOAL_HEIGHT * (len(judged) + 2) if judged else 0)
    rounds_by_label = results.get("capacity", {})
    footer = f"{machine['cpu']}, {machine['cores']} cores, Linux {machine['kernel']}, {machine['date']}"
    parts = (latency_panel(rounds_by_label) + capacity_panel(rounds_by_label) +
             goals_panel(judged, HEIGHT))
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"><rect width="100%" height="100%" fill="white"/>'
            + "\n".join(parts) + text(MARGIN, height - 8, footer, 11, colour="#666") + "</svg>\n")
