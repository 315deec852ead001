"""A curve over frames as an SVG, one line for each series."""

from collections.abc import Sequence
from html import escape
from math import isfinite

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 560, 260, 44, 36, 12
_COLOURS = ("#1f6feb", "#5a6570", "#c2410c")
_DASHES = ("", "2 4", "8 5")


def curves(series: Sequence[tuple[str, Sequence[float]]], unit: str) -> str:
    """Lines of equal length, the frame from 1 on the x axis. Values that are not finite break a line."""
    length = max(len(values) for _, values in series)
    finite = [value for _, values in series for value in values if isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 1.0)
    span = high - low or 1.0

    def x(frame: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - 12) * (frame - 1) / max(1, length - 1)

    def y(value: float) -> float:
        return _TOP + (_HEIGHT - _TOP - _BOTTOM) * (high - value) / span

    parts = [f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(unit)} by frame">']
    for value in (low, (low + high) / 2, high):
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - 12}" y1="{y(value):.1f}" y2="{y(value):.1f}"/>')
        parts.append(f'<text class="small" x="{_LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    for frame in sorted({1, (length + 1) // 2, length}):
        parts.append(f'<text class="small" x="{x(frame):.1f}" y="{_HEIGHT - 18}" text-anchor="middle">{frame}</text>')
    parts.append(f'<text class="small" x="{_LEFT}" y="{_HEIGHT - 4}">frame; {escape(unit)}</text>')
    for (_, values), colour, dash in zip(series, _COLOURS, _DASHES, strict=False):
        for run in _runs(values):
            points = " ".join(f"{x(frame):.1f},{y(value):.1f}" for frame, value in run)
            style = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"'
            parts.append(f'<polyline points="{points}" {style}/>')
    parts.append("</svg>")
    keys = (
        f'<span style="color:{colour}">{"&#9473;" if not dash else "&#9476;"} {escape(name)}</span>'
        for (name, _), colour, dash in zip(series, _COLOURS, _DASHES, strict=False)
    )
    return "".join(parts) + f"<p>{' &nbsp; '.join(keys)}</p>"


def _runs(values: Sequence[float]) -> list[list[tuple[int, float]]]:
    runs: list[list[tuple[int, float]]] = [[]]
    for frame, value in enumerate(values, 1):
        if isfinite(value):
            runs[-1].append((frame, value))
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]
