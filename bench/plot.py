# SPDX-License-Identifier: Apache-2.0
"""A plot without libraries: how many times better Berth is, one bar a peer, on a logarithmic scale."""
import html
import math

import runtimes

COLOURS = {"containerd-debian": "#9a6b1f", "containerd-2": "#2a6f97"}
LABELS, WIDTH, BAR, GAP, TOP = 330, 900, 9, 9, 56


def ratios(rows):
    """rows: what report.lines() gives."""
    rows = [row for row in rows if row[4]]
    peers = [name for name in runtimes.NAMES if any(name in row[4] for row in rows)]
    highest = max([2, *(ratio[2] for row in rows for ratio in row[4].values())])
    lowest = min([1, *(ratio[1] for row in rows for ratio in row[4].values())])
    low, high = math.floor(math.log10(lowest) * 4) / 4, math.ceil(math.log10(highest) * 4) / 4
    step = BAR * len(peers) + GAP
    height = TOP + step * len(rows) + 24

    def x(value):
        return LABELS + (math.log10(value) - low) / (high - low) * (WIDTH - LABELS - 60)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" '
           'font-size="12" fill="#222">', f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
           '<text x="8" y="20" font-size="15">How many times better Berth is (logarithmic; line: as good)</text>']
    for i, peer in enumerate(peers):
        out.append(f'<rect x="{LABELS + 180 * i}" y="30" width="12" height="12" fill="{COLOURS[peer]}"/>'
                   f'<text x="{LABELS + 180 * i + 18}" y="40">than {runtimes.CLASSES[peer].label}</text>')
    for value in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000):
        if low <= math.log10(value) <= high:
            colour = "#222" if value == 1 else "#ddd"
            out.append(f'<line x1="{x(value):.1f}" x2="{x(value):.1f}" y1="{TOP - 6}" y2="{height - 22}" stroke="{colour}"/>'
                       f'<text x="{x(value):.1f}" y="{height - 8}" text-anchor="middle">{value:g}</text>')
    for i, (what, _, _, _, each) in enumerate(rows):
        y = TOP + i * step
        middle = y + BAR * len(peers) / 2 + 4
        out.append(f'<text x="{LABELS - 8}" y="{middle:.1f}" text-anchor="end">{html.escape(what.replace("`", ""))}</text>')
        for j, peer in enumerate(peers):
            if peer in each:
                out.append(bar(x, y + j * BAR, each[peer], COLOURS[peer]))
    return "\n".join([*out, "</svg>\n"])


def bar(x, y, ratio, colour):
    """The bar of a ratio, with a whisker from its lowest to its highest."""
    middle, lowest, highest = ratio
    left, right, centre = min(x(1), x(middle)), max(x(1), x(middle)), y + BAR / 2
    return (f'<rect x="{left:.1f}" y="{y}" width="{right - left:.1f}" height="{BAR - 2}" fill="{colour}"/>'
            f'<line x1="{x(lowest):.1f}" x2="{x(highest):.1f}" y1="{centre - 1}" y2="{centre - 1}" stroke="#000"/>'
            f'<text x="{max(right, x(highest)) + 4:.1f}" y="{centre + 3}" font-size="9">{middle:.3g}</text>')
