"""The pages' own HTML from templates; every text from data is escaped, and legible."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zlib import crc32

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

# a table with a row for each thing, but for those that have their own form on a phone
_CARDS = re.compile(
    r'(<table class="six-table six-(?:rows|map|rounds|archive)(?! six-list-table)[^"]*">)(<thead>.*?</thead>)'
    r"((?:(?!<table).)*?</table>)",
    re.S,
)
_HEAD = re.compile(r"<th\b[^>]*>(.*?)</th>", re.S)
_ROW = re.compile(r"<tr\b.*?</tr>", re.S)
_CELL = re.compile(r"<td(?=[ >])(?! colspan)")
# what of a head is for those who hear it, who click on it, and all markup
_UNHEARD = re.compile(
    r'<span class="heard">.*?</span>|<button.*?</button>|<span class="six-pop".*?</span>|<[^>]*>', re.S
)


def part(name: str, *values: Any, of: str = "frame") -> str:
    """The HTML of one macro of a folder's template, `metric/metric.j2`; those of `frame/frame.j2` are for all pages."""
    macro: Callable[..., Markup] = getattr(_environment().get_template(f"{of}/{of}.j2").module, name)
    return _CARDS.sub(_labelled, _UNSEEN.sub("><", macro(*values)))


def _labelled(table: re.Match[str]) -> str:
    """A table whose cells say the head that they stand below: a phone shows each row as a card."""
    opening, head, body = table.groups()
    heads = [
        " ".join(_UNHEARD.sub(" ", one.replace("<small>", " · ").replace("&nbsp;", " ")).split()).replace(
            '"', "&#34;"
        )
        for one in _HEAD.findall(head)
    ]

    def row(found: re.Match[str]) -> str:
        # what names the row is the title of its card
        at = iter(heads[found[0].count("<th") :])
        return _CELL.sub(lambda cell: f'{cell[0]} data-label="{next(at, "")}"', found[0])

    return f'{opening[:-2]} six-cards">{head}{_ROW.sub(row, body)}'


def _name_of(text: str) -> str:
    """A name for an element by what it says, the same each time."""
    return f"told-{crc32(text.encode('utf-8', 'replace')):08x}"


def style() -> str:
    """The page's style sheets as an element."""
    sheets = ((DASHBOARDS / name).read_text(encoding="utf-8") for name in ("page.css", "page_lists.css"))
    return f"<style>{''.join(sheets)}</style>"


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
        name_of=_name_of,
        metric_address=_metric_address,
    )
    return environment
