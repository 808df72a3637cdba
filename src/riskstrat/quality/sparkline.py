"""Small line charts: inline SVG for a page, block characters for a terminal; from zero, so that a fall shows."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

WIDTH, HEIGHT, EDGE = 132, 28, 4
BLOCKS = "▁▂▃▄▅▆▇█"

Values = Sequence[float | None]


def spark_svg(values: Values, said: str) -> Markup:
    """The line as SVG, its newest value a dot; a gap where a value is None. ``said`` is the same in words."""
    largest = max((value for value in values if value is not None), default=0.0) or 1.0
    step = (WIDTH - 2 * EDGE) / max(len(values) - 1, 1)
    points = [
        None
        if value is None
        else (EDGE + place * step, HEIGHT - EDGE - value / largest * (HEIGHT - 2 * EDGE))
        for place, value in enumerate(values)
    ]
    parts = [_line(stretch) for stretch in _stretches(points)]
    if points and points[-1] is not None:
        parts.append(f'<circle class="now" cx="{points[-1][0]:.1f}" cy="{points[-1][1]:.1f}" r="3"/>')
    return Markup(
        f'<svg class="spark" role="img" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">'
        f"<title>{escape(said)}</title>"
        f'<line class="zero" x1="{EDGE}" y1="{HEIGHT - EDGE}" x2="{WIDTH - EDGE}" y2="{HEIGHT - EDGE}"/>'
        f"{''.join(parts)}</svg>"
    )


def spark_text(values: Values) -> str:
    """The line as block characters, a space where a value is None.

    >>> spark_text([0, 2, None, 8])
    '▁▃ █'
    """
    largest = max((value for value in values if value is not None), default=0.0) or 1.0
    return "".join(
        " " if value is None else BLOCKS[min(int(value / largest * len(BLOCKS)), len(BLOCKS) - 1)]
        for value in values
    )


def _stretches(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """The points between gaps."""
    found: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point is None:
            found.append([])
        else:
            found[-1].append(point)
    return [stretch for stretch in found if stretch]


def _line(stretch: Sequence[tuple[float, float]]) -> str:
    if len(stretch) == 1:
        return f'<circle class="lone" cx="{stretch[0][0]:.1f}" cy="{stretch[0][1]:.1f}" r="1.5"/>'
    return f'<polyline points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in stretch)}"/>'
