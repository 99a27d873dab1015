"""A plot of the bench as SVG, written by hand: rates beside the verify rate, and the cost of an order as the state grows."""

from collections.abc import Sequence
from html import escape
from typing import Any

WIDTH, HEIGHT, MARGIN = 760, 560, 60
BAR_HEIGHT, BAR_GAP, LABEL_WIDTH = 22, 10, 250
CHART_TOP = 330
RATES = (
    ("pynacl_verify_per_s_2cores", "PyNaCl verify, 2 cores 双核验签"),
    ("batched_orders_per_s", "orders in batches 批量申报"),
    ("single_orders_per_s_fast", "single orders, fast 单笔申报（加速库）"),
    ("single_orders_per_s", "single orders 单笔申报"),
    ("single_orders_followed_per_s", "the same, read models followed 含查询库"),
    ("replay_per_s", "replay 重放核对"),
)


def svg(result: dict[str, Any]) -> str:
    """The plot of what ``shudian bench ledger`` measured; rates that were not measured are left out."""
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(MARGIN, 30, "per second 每秒", size=14),
        *_bars([(label, result[name]) for name, label in RATES if result.get(name)]),
    ]
    if result.get("growth"):
        parts.append(_text(MARGIN, CHART_TOP - 30, "CPU µs per order by resting orders 每笔微秒与在册申报数", size=14))
        parts.extend(_growth([(row["resting_orders"], row["us_per_order"]) for row in result["growth"]]))
    return "\n".join([*parts, "</svg>", ""])


def _bars(rates: Sequence[tuple[str, float]]) -> list[str]:
    longest = max(rate for _, rate in rates)
    parts = []
    for place, (label, rate) in enumerate(rates):
        top = 50 + place * (BAR_HEIGHT + BAR_GAP)
        length = rate / longest * (WIDTH - MARGIN - LABEL_WIDTH - 80)
        parts.append(_text(MARGIN, top + 15, label))
        parts.append(
            f'<rect x="{LABEL_WIDTH + MARGIN - 10}" y="{top}" width="{length:.1f}" height="{BAR_HEIGHT}" fill="#2a7f62"/>'
        )
        parts.append(_text(LABEL_WIDTH + MARGIN - 4 + length, top + 15, f"{rate:,.0f}"))
    return parts


def _growth(points: Sequence[tuple[int, float]]) -> list[str]:
    """A line over sizes that stand evenly, from zero up."""
    highest = max(cost for _, cost in points)
    bottom, height = HEIGHT - MARGIN, HEIGHT - MARGIN - CHART_TOP
    step = (WIDTH - 2 * MARGIN - 60) / max(1, len(points) - 1)
    places = [
        (MARGIN + 30 + number * step, bottom - cost / highest * height) for number, (_, cost) in enumerate(points)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    parts = [
        f'<path d="M{MARGIN} {CHART_TOP} V{bottom} H{WIDTH - MARGIN}" fill="none" stroke="#888"/>',
        f'<polyline points="{line}" fill="none" stroke="#2a7f62" stroke-width="2"/>',
    ]
    for (x, y), (size, cost) in zip(places, points, strict=True):
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#2a7f62"/>')
        parts.append(_text(x - 14, y - 10, f"{cost:,.0f}"))
        parts.append(_text(x - 24, bottom + 20, f"{size:,}"))
    return parts


def _text(x: float, y: float, words: str, *, size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}">{escape(words)}</text>'
