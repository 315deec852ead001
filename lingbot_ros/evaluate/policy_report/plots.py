"""Plots as inline SVG, which stay sharp on paper and small in the page."""

from collections.abc import Callable, Sequence
from html import escape

from lingbot_ros.evaluate.results.evaluation import PolicyResult
from lingbot_ros.evaluate.statistics.interval import Interval

_ROW, _LEFT, _WIDTH = 26, 112, 300


def rates_plot(imagined: Sequence[PolicyResult], reference: Sequence[PolicyResult]) -> str:
    """Every policy's rate with its Wilson interval, best first; the reference's as a ring below."""
    real = {policy.policy: policy for policy in reference}
    height = _ROW * len(imagined) + 34
    parts = [_axis_lines(height)]
    for index, policy in enumerate(imagined):
        y = _ROW * index + 18
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4}" text-anchor="end">{escape(_short(policy.policy))}</text>')
        parts.append(_mark(policy, y - 3, "imagined"))
        if policy.policy in real:
            parts.append(_mark(real[policy.policy], y + 5, "real"))
    return _svg(_LEFT + _WIDTH + 24, height, "".join(parts), "Success rates of the policies with 95 % intervals")


def _mark(policy: PolicyResult, y: float, kind: str) -> str:
    if policy.rate is None or policy.wilson is None:
        return ""
    line = f'<line class="{kind}" x1="{_x(policy.wilson.low)}" x2="{_x(policy.wilson.high)}" y1="{y}" y2="{y}"/>'
    return f'{line}<circle class="{kind}" cx="{_x(policy.rate)}" cy="{y}" r="4"/>'


def _axis_lines(height: float) -> str:
    lines = []
    for percent in (0, 25, 50, 75, 100):
        x = _x(percent / 100)
        lines.append(f'<line class="grid" x1="{x}" x2="{x}" y1="4" y2="{height - 22}"/>')
        lines.append(f'<text x="{x}" y="{height - 6}" text-anchor="middle">{percent} %</text>')
    return "".join(lines)


def _x(rate: float) -> float:
    return round(_LEFT + rate * _WIDTH, 1)


def scatter_plot(imagined: Sequence[PolicyResult], reference: Sequence[PolicyResult]) -> str:
    """Imagined rate over the reference's, intervals both ways; on the diagonal the two agree."""
    real = {policy.policy: policy for policy in reference}
    low, size, top = 46, 300, 24

    def place(rate: float) -> float:
        return low + rate * size

    def up(rate: float) -> float:
        return top + (1 - rate) * size

    parts = [
        f'<rect class="frame" x="{low}" y="{top}" width="{size}" height="{size}"/>',
        f'<line class="same" x1="{low}" y1="{top + size}" x2="{low + size}" y2="{top}"/>',
        f'<text x="{low + size / 2}" y="{size + top + 34}" text-anchor="middle">success in the simulator</text>',
        f'<text transform="translate(12 {top + size / 2}) rotate(-90)" text-anchor="middle">imagined success</text>',
    ]
    for percent in (0, 50, 100):
        parts.append(f'<text x="{place(percent / 100)}" y="{size + top + 16}" text-anchor="middle">{percent} %</text>')
        parts.append(f'<text x="{low - 4}" y="{up(percent / 100) + 4}" text-anchor="end">{percent}</text>')
    for policy in imagined:
        other = real.get(policy.policy)
        if other is None or policy.rate is None or other.rate is None:
            continue
        x, y = place(other.rate), up(policy.rate)
        parts += [_cross(policy.wilson, other.wilson, x, y, place, up)]
        title = f"{policy.policy}: imagined {policy.rate:.2f}, simulator {other.rate:.2f}"
        parts.append(
            f'<circle class="imagined" cx="{x:.1f}" cy="{y:.1f}" r="5"><title>{escape(title)}</title></circle>'
        )
        parts.append(f'<text class="small" x="{x + 7:.1f}" y="{y - 6:.1f}">{escape(_short(policy.policy))}</text>')
    return _svg(low + size + 90, size + top + 42, "".join(parts), "Imagined success over success in the simulator")


_Scale = Callable[[float], float]


def _cross(mine: Interval | None, theirs: Interval | None, x: float, y: float, place: _Scale, up: _Scale) -> str:
    if mine is None or theirs is None:
        return ""
    tall = f'<line class="thin" x1="{x:.1f}" x2="{x:.1f}" y1="{up(mine.low):.1f}" y2="{up(mine.high):.1f}"/>'
    wide = f'<line class="thin" x1="{place(theirs.low):.1f}" x2="{place(theirs.high):.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return tall + wide


def _short(name: str) -> str:
    return name if len(name) <= 18 else f"{name[:17]}…"


def _svg(width: float, height: float, inside: str, label: str) -> str:
    return f'<svg viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(label)}">{inside}</svg>'
