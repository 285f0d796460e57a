"""The pages' own HTML from templates; every text from data is escaped, and legible."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from config.text.legible import legible
from dashboards.figures import formats
from dashboards.figures.fact_cells import followable
from dashboards.figures.sparklines import HEIGHT, WIDTH, Sparkline
from dashboards.figures.terms import TERMS
from dashboards.frame.view import Filters, link
from warehouse.scorecards.sentences import SentencePart

DASHBOARDS = Path(__file__).parents[1]
# space that a browser would keep as a node of its own, and never show: tables have as much of it as of text
_UNSEEN = re.compile(
    r">\s+<(?=/?(?:table|thead|tbody|tr|th|td|dl|dt|dd|div|section|article|details|summary|ul|li|p|h[1-3])\b)"
)


def part(name: str, *values: Any, of: str = "frame") -> str:
    """The HTML of one macro of a folder's template, `metric/metric.j2`; those of `frame/frame.j2` are for all pages."""
    macro: Callable[..., Markup] = getattr(_environment().get_template(f"{of}/{of}.j2").module, name)
    return _UNSEEN.sub("><", macro(*values))


def style() -> str:
    """The page's style sheet as an element."""
    return f"<style>{(DASHBOARDS / 'page.css').read_text(encoding='utf-8')}</style>"


def _mask(spark: Sparkline) -> str:
    """The line as a CSS mask: Streamlit drops SVG from HTML, and through a mask it takes the theme's colour."""
    svg = " ".join(_environment().get_template("figures/sparkline.j2").render(spark=spark).split())
    uri = f'url("data:image/svg+xml,{quote(svg)}")'
    return f"-webkit-mask-image:{uri};mask-image:{uri}"


def _metric_address(part: SentencePart, view: Filters) -> str:
    """The page of the metric that a piece of a sentence is about, of the scope that it names within the view."""
    narrowed: dict[str, Any] = {part.scope: part.name} if part.scope not in (None, "organisation") else {}
    narrowed |= {"order": part.order} if part.order else {}
    return link("metric", replace(view, metric=part.metric or "", **narrowed))


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(DASHBOARDS),
        autoescape=True,
        finalize=lambda told: told if isinstance(told, Markup) else legible(told),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        statuses=formats.STATUSES,
        terms=TERMS,
        mask=_mask,
        width=WIDTH,
        height=HEIGHT,
        figure=formats.figure,
        day=formats.day,
        followable=followable,
        metric_address=_metric_address,
    )
    return environment
