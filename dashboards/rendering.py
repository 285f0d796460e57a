"""A scorecard's content as HTML, Markdown, plain text or JSON."""

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from config.metrics import metrics
from config.targets import parse_target
from dashboards import formats, pictures

FORMATS = ("html", "md", "txt", "json")


def render(scorecard: Mapping[str, Any], format: str) -> str:
    """The scorecard in one of `FORMATS`; text from data never becomes markup."""
    if format == "json":
        return json.dumps(scorecard, indent=2, ensure_ascii=False) + "\n"
    template = _environment(format).get_template(f"scorecard_{format}.j2")
    return template.render(scorecard, title=title(scorecard))


def title(scorecard: Mapping[str, Any]) -> str:
    """Whose scorecard it is: "acme", "payments (team), acme"."""
    if scorecard["scope"] == "organisation":
        return str(scorecard["organization"])
    return f"{scorecard['name']} ({scorecard['scope']}), {scorecard['organization']}"


@cache
def _environment(format: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape((), default=format == "html"),
        finalize=_markdown if format == "md" else None,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(
        declared=metrics(),
        statuses=formats.STATUSES,
        figure=lambda m: formats.figure_against(m["metric"], m["value"], m["unit"], m["target"]),
        exact=lambda m: formats.exact(m["value"], m["unit"]),
        was=lambda m: formats.figure(m["previous"], m["unit"]),
        moved=lambda m: _change(m, formats.change),
        change=_change,
        counted=lambda m: formats.counted(m["n"], metrics()[m["metric"]].fact),
        others=_others,
        missed=_missed,
        picture=_picture,
        days=lambda first, after: formats.days(date.fromisoformat(first), date.fromisoformat(after)),
        instant=lambda at, zone: formats.instant(datetime.fromisoformat(at), zone),
        plural=lambda count, word: f"{count} {word}{'' if count == 1 else 's'}",
    )
    return environment


def _markdown(text: Any) -> Any:
    return text if isinstance(text, Markup) else formats.plain_markdown(str(text))


def _change(metric: Mapping[str, Any], told: Callable[..., str] = formats.change_from) -> str:
    """How far the metric moved from the week before; nothing where either week has too few rows."""
    if min(metric["n"], metric["previous_n"] or 0) < metrics()[metric["metric"]].floor:
        return ""
    return told(metric["value"], metric["previous"], metric["unit"])


def _others(metric: Mapping[str, Any]) -> str:
    """The other percentiles: "p75 5.1 h, p90 9.8 h", or nothing."""
    known = ((name, metric[name]) for name in ("p75", "p90") if metric[name] is not None)
    return ", ".join(f"{name} {formats.figure(value, metric['unit'])}" for name, value in known)


def _missed(scope: Mapping[str, Any]) -> str:
    """The metrics whose target is missed: "MTTR, Lead Time", or nothing."""
    return ", ".join(metric["name"] for metric in scope["metrics"] if metric["status"] == "missed")


def _picture(metric: Mapping[str, Any]) -> pictures.Picture:
    history = metric["history"]
    declared = metrics()[metric["metric"]]
    limit = parse_target(metric["target"], declared).limit if metric["target"] else None
    figures = ", ".join(formats.figure(week["value"], metric["unit"]) for week in history)
    alt = f"{metric['name']}, the last {len(history)} weeks: {figures}"
    return pictures.sparkline([week["value"] for week in history], limit, alt)
