"""A scorecard's content as HTML, Markdown, plain text or JSON, made of nothing but what the content holds."""

import json
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from config.metrics import metrics
from config.text.legible import legible, legible_json, one_line
from dashboards.figures import formats, pictures
from dashboards.figures.event_marks import event_about
from dashboards.frame.view import Filters, link
from warehouse.metrics.attainment import standing
from warehouse.metrics.periods import parse_week
from warehouse.metrics.units import figure_beside, figures_of

FORMATS = ("html", "md", "txt", "json")
METRIC_PAGE = "metric"
PLATFORM_PAGE = "platform"
# so many systems and teams are summed up: mail programs cut a message that is longer than 100 kB
MOST_BELOW = 50


def render(scorecard: Mapping[str, Any], format: str) -> str:
    """The scorecard in one of `FORMATS`; text from data never becomes markup."""
    if format == "json":
        return legible_json(json.dumps(scorecard, indent=2, ensure_ascii=False)) + "\n"
    template = _environment(format).get_template(f"scorecard_{format}.j2")
    below = sorted(scorecard["below"], key=lambda one: one["attainment"]["met"] - one["attainment"]["judged"])
    footnotes: list[str] = []
    return template.render(
        scorecard,
        title=title(scorecard),
        below=below[:MOST_BELOW],
        below_more=len(below) - MOST_BELOW,
        view=partial(view_of, scorecard),
        address=partial(leads_to, scorecard),
        said=partial(_said_markdown if format == "md" else partial(_said_plainly, footnotes), scorecard),
        footnotes=footnotes,
    )


def title(scorecard: Mapping[str, Any]) -> str:
    """Whose scorecard it is: "acme", "payments (team), acme"."""
    if scorecard["scope"] == "organisation":
        return str(scorecard["organization"])
    return f"{scorecard['name']} ({scorecard['scope']}), {scorecard['organization']}"


def view_of(
    scorecard: Mapping[str, Any],
    metric: str | None = None,
    scope: str | None = None,
    name: str | None = None,
    order: str | None = None,
) -> str | None:
    """The dashboard's address at the week and scope (or another's), of a metric or of all; None where none is set."""
    if not scorecard["dashboard"]:
        return None
    scope, name = (scope, name) if scope else (scorecard["scope"], scorecard["name"])
    filters = Filters(
        period="custom",
        start=date.fromisoformat(scorecard["week_start"]),
        end=date.fromisoformat(scorecard["week_end"]),
        system=name if scope == "system" else None,
        group=name if scope == "group" else None,
        team=name if scope == "team" else None,
        service=name if scope == "service" else None,
        metric=metric or Filters.metric,
        order=order or Filters.order,
    )
    page = link(_page_of(metric), filters)
    return f"{scorecard['dashboard']}/{page.removeprefix('.')}"


def _page_of(metric: str | None) -> str:
    if metric is None:
        return "."
    return PLATFORM_PAGE if metrics()[metric].group == "platform" else METRIC_PAGE


def leads_to(scorecard: Mapping[str, Any], part: Mapping[str, Any]) -> str | None:
    """Where a part of a sentence leads: only http and https, since data may name anything."""
    if "url" in part:
        url = str(part["url"])
        return url if re.fullmatch(r"https?://[^\s<>\"\\^`{|}]+", url) and legible(url) == url else None
    if "metric" in part:
        return view_of(scorecard, part["metric"], part.get("scope"), part.get("name"), part.get("order"))
    return None


def _said_markdown(scorecard: Mapping[str, Any], parts: list[Mapping[str, Any]]) -> Markup:
    """A sentence with its links, the spaces between the parts kept."""
    told = ""
    for part in parts:
        text, inner = part["text"], part["text"].strip()
        to = leads_to(scorecard, part)
        plain = formats.plain_markdown(inner)
        shown = f"[{plain}](<{to}>)" if to and plain else plain
        told += " " * text[:1].isspace() + shown + " " * (bool(inner) and text[-1].isspace())
    return Markup(told)  # noqa: S704 -- escaped for Markdown


def _said_plainly(footnotes: list[str], scorecard: Mapping[str, Any], parts: list[Mapping[str, Any]]) -> str:
    """A sentence whose links are numbers of the `footnotes`, which grow."""
    told = ""
    for part in parts:
        told += part["text"]
        if to := leads_to(scorecard, part):
            footnotes.append(to)
            told += f" [{len(footnotes)}]"
    return told


@cache
def _environment(format: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape((), default=format == "html"),
        finalize={"html": _legible, "md": _markdown}.get(format, _one_line),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.globals.update(
        statuses=formats.STATUSES,
        figure=lambda m: formats.figure(m["value"], m["unit"], m["limit"]),
        exact=lambda m: formats.exact(m["value"], m["unit"]),
        usual=_usual,
        verdict=week_verdict,
        weeks=_weeks,
        known=_known,
        attained=_attained,
        headline=lambda of: standing(of).text,
        counted=lambda m: formats.counted(m["n"], m["counts"]),
        others=lambda m: formats.percentiles(m["p75"], m["p90"], m["unit"]),
        missed=_missed,
        event_parts=_event_parts,
        value=formats.figure,
        picture=_picture,
        day=lambda on: formats.day(date.fromisoformat(on)),
        days=lambda first, after: formats.days(date.fromisoformat(first), date.fromisoformat(after)),
        instant=lambda at, zone: formats.instant(datetime.fromisoformat(at), zone),
        plural=formats.plural,
    )
    return environment


def _legible(text: Any) -> Any:
    return text if isinstance(text, Markup) else legible(text)


def _markdown(text: Any) -> Any:
    return text if isinstance(text, Markup) else formats.plain_markdown(str(text))


def _one_line(text: Any) -> Any:
    return text if isinstance(text, Markup) else one_line(text)


def _usual(metric: Mapping[str, Any]) -> str:
    """The week against the twelve before: "↓ 18 % from the usual 3.9 h"; nothing where the verdict says it, or none."""
    if metric["usual"] is None or metric["change"]["kind"] != "normal":
        return ""
    centre = metric["usual"]["centre"]
    moved = formats.moved_by(metric["value"], centre, metric["unit"])
    usual = f"the usual {figure_beside(centre, metric['value'], metric['unit'])}"
    return f"as {usual}" if moved.startswith("→") else f"{moved} from {usual}"


def week_verdict(metric: Mapping[str, Any]) -> str:
    """Whether that is a change: "worse: 9.6 h against …", "within normal variation", or why that is unknown."""
    if metric["value"] is None:
        return ""
    change = metric["change"]
    if change["kind"] == "signal":
        return f"{'better' if change['is_better'] else 'worse'}: {change['reason']}"
    # an older version has told of no change at all
    told = {"normal": "within normal variation", "not told": ""}
    return told.get(change["kind"], change["reason"] or "too little history to tell")


def _attained(metric: Mapping[str, Any]) -> str:
    """ "met in 3 of 12 weeks, missed since 5 Oct 2026"; nothing where no week could be judged."""
    found = metric["attainment"]
    if not found["judged"]:
        return ""
    told = f"met in {found['met']} of {formats.plural(found['judged'], 'week')}"
    if not found["missed_since"]:
        return told
    since = formats.day(date.fromisoformat(found["missed_since"]))
    return f"{told}, missed since {since}{' or before' if found['or_before'] else ''}"


def _missed(scope: Mapping[str, Any]) -> str:
    """The metrics whose target is missed: "MTTR, LT", or nothing."""
    return ", ".join(metric["short"] for metric in scope["metrics"] if metric["status"] == "missed")


def _event_parts(event: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The parts of "Christmas freeze (20 – 31 Dec 2026, freeze, organisation)", the title with where it leads."""
    first, last = (date.fromisoformat(event[key]) for key in ("first_day", "last_day"))
    about = event_about(event["kind"], event["scope"], event["name"], event["resets"])
    when = formats.days(first, last + timedelta(days=1))
    return [{"text": event["title"], "url": event["url"]}, {"text": f" ({when}, {about})"}]


def _weeks(metric: Mapping[str, Any]) -> str:
    """The weeks of its history, oldest first, in one unit: "3.5 h, 50.4 h, –"."""
    return ", ".join(figures_of([week["value"] for week in metric["history"]], metric["unit"]))


def _known(metric: Mapping[str, Any]) -> str:
    """ "24 min, the last known, of 2026-W42, 12 – 18 Oct 2026" where the week has none and that is known."""
    if not (last := metric["last_known"]):
        return ""
    return (
        f"{formats.figure(last['value'], metric['unit'])}, {formats.of_past_week(parse_week(last['week']))}"
    )


def _picture(metric: Mapping[str, Any]) -> pictures.Picture:
    history = metric["history"]
    alt = f"{metric['name']}, the last {len(history)} weeks: {_weeks(metric)}"
    return pictures.sparkline_picture([week["value"] for week in history], metric["limit"], alt)
