"""Charts as SVG text: no script, no web address, the same bytes every time, with words for whoever cannot see them."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import vl_convert

INK = "#1b2733"
SOFT = "#51606e"
GRID = "#dde3e8"
BAR = "#2f6f9f"
FONT = "Arial, Liberation Sans, Helvetica, sans-serif"
NAMESPACE = 'xmlns="http://www.w3.org/2000/svg"'


def svg(
    name: str,
    title: str,
    chart: Any,
    width: int | None = None,
    height: int | None = None,
    description: str = "",
) -> str:
    """The chart as an ``svg`` element named ``name``, with its accessible ``title`` and ``description``.

    A chart made of several carries its own sizes: no ``width`` and ``height`` then.
    Inside a page SVG needs no namespace declarations, so no web address is left in it; ``standalone`` puts one back.
    """
    sized = chart if width is None else chart.properties(width=width, height=height)
    sized = sized.configure(font=FONT, aria=False, background="transparent", padding=4)
    spec = (
        sized.configure_view(stroke=None)
        .configure_axis(
            labelColor=INK,
            titleColor=INK,
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            gridColor=GRID,
        )
        .configure_legend(labelFontSize=13, labelColor=INK)
        .to_dict()
    )
    text = re.sub(r'\sxmlns(:\w+)?="[^"]*"', "", vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]))
    text = _own_ids(name, text)
    labels = {f"{escape(name)}-title": ("title", title)}
    if description:
        labels[f"{escape(name)}-description"] = ("desc", description)
    words = "".join(f'<{tag} id="{label}">{escape(said)}</{tag}>' for label, (tag, said) in labels.items())
    opening = f'<svg role="img" aria-labelledby="{" ".join(labels)}"'
    return text.replace("<svg", opening, 1).replace(">", f">{words}", 1)


def _own_ids(name: str, text: str) -> str:
    """Clip paths are numbered on from chart to chart; numbered within the chart, the same chart has the same bytes."""
    found = list(dict.fromkeys(re.findall(r'\bid="(clip\d+)"', text)))
    places = {old: f"{name}-clip{place}" for place, old in enumerate(found)}
    return re.sub(r'(?<=id=")clip\d+(?=")|(?<=url\(#)clip\d+(?=\))', lambda match: places[match[0]], text)


def standalone(element: str) -> str:
    """An ``svg`` element as a file that a browser opens: it needs its namespace, which is a name and is not loaded."""
    return element.replace("<svg", f"<svg {NAMESPACE}", 1) + "\n"
