"""The curves of a long run as an SVG drawing: one panel per quantity, one line per series, faults as marks."""

from xml.sax.saxutils import escape

WIDTH, PANEL, LEFT, RIGHT, TOP = 1000, 200, 70, 150, 30
COLOURS = ["#2471a3", "#c0392b", "#1e8449", "#7d3c98", "#e67e22", "#555555"]


def text(x, y, words, anchor="start", size=11, colour="#222"):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{colour}">{escape(words)}</text>'


def nice(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:.3g}"


def panel(top, title, curves, seconds, marks):
    """curves: {name: [(second, value)]}"""
    most = max((v for curve in curves.values() for _, v in curve), default=1) * 1.1 or 1
    wide, high = WIDTH - LEFT - RIGHT, PANEL - 2 * TOP

    def x(second):
        return LEFT + wide * second / seconds

    def y(value):
        return top + TOP + high * (1 - value / most)

    parts = [text(LEFT, top + TOP - 10, title, size=13)]
    for share in (0, 0.5, 1):
        parts += [f'<path d="M{LEFT} {y(most * share):.1f}H{LEFT + wide}" stroke="#ddd"/>',
                  text(LEFT - 6, y(most * share) + 4, nice(most * share), "end")]
    for second, _ in marks:
        parts.append(f'<path d="M{x(second):.1f} {top + TOP}v{high}" stroke="#bbb" stroke-dasharray="2 3"/>')
    for i, (name, curve) in enumerate(sorted(curves.items())):
        colour = COLOURS[i % len(COLOURS)]
        points = " ".join(f"{x(s):.1f},{y(v):.1f}" for s, v in curve)
        parts += [f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>',
                  text(LEFT + wide + 10, top + TOP + 12 + 15 * i, name, colour=colour)]
    return parts


def draw(title, panels, seconds, marks):
    """panels: [(title, curves)]; marks: [(second, word)]. The SVG text."""
    height = TOP * 2 + PANEL * len(panels) + 40
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif">',
             '<rect width="100%" height="100%" fill="white"/>', text(LEFT, 24, title, size=14)]
    for i, (name, curves) in enumerate(panels):
        parts += panel(TOP + PANEL * i, name, curves, seconds, marks)
    bottom = TOP + PANEL * len(panels)
    for second, word in marks:
        at = LEFT + (WIDTH - LEFT - RIGHT) * second / seconds
        parts.append(f'<text transform="translate({at + 3:.1f} {bottom + 4}) rotate(40)" font-size="8" '
                     f'fill="#777">{escape(word)}</text>')
    parts.append(text(LEFT, bottom - 8, f"0 to {seconds / 60:.3g} minutes; dashed: reloads and kills"))
    return "\n".join(parts + ["</svg>"]) + "\n"
