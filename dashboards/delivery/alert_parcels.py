"""A crossed target in words, as a letter to whom it is to be told."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from config.metrics import metrics
from config.settings import Settings
from config.text.legible import one_line
from dashboards.delivery.parcels import Letter, Parcel, parcels
from dashboards.delivery.posting import TIMEOUT
from dashboards.delivery.slack import escape, linked, slack_section
from dashboards.delivery.subjects import alert_subject
from dashboards.figures import formats
from dashboards.frame.view import Filters, link
from dashboards.scorecards.rendering import METRIC_PAGE
from warehouse.metrics.periods import parse_week
from warehouse.metrics.values import kept_name
from warehouse.scorecards.alerts import Alert
from warehouse.scorecards.delivery_book import Message


def alert_parcels(alerts: Iterable[Alert], settings: Settings, timeout: float = TIMEOUT) -> list[Parcel]:
    """What is sent of alerts, all to where `reports.alerts` says."""
    reports = settings.reports
    if reports.alerts is None:
        return []
    return [
        parcel
        for alert in alerts
        for parcel in parcels(
            letter(alert, settings), reports.alerts, reports.email, "reports.alerts", timeout
        )
    ]


def letter(alert: Alert, settings: Settings) -> Letter:
    """The alert for each channel; a link to the rows of the week where the dashboard's address is configured."""
    lines, address = [one_line(line) for line in alert_sentences(alert)], _address(alert, settings)
    told = {**asdict(alert), "organization": settings.organization, "text": " ".join(lines), "url": address}
    return Letter(
        message=Message(
            f"alert {alert.metric} {alert.state}", alert.scope, kept_name(alert.scope, alert.name), alert.week
        ),
        organization=settings.organization,
        subject=alert_subject(settings.organization, alert_headline(alert)),
        text=lambda: "\n".join([*lines, *([address] if address else [])]) + "\n",
        html=None,
        slack=lambda: _slack(alert, lines, address),
        data=lambda: told,
    )


def alert_headline(alert: Alert) -> str:
    """What happened in one line."""
    name = metrics()[alert.metric].name
    if alert.state == "met":
        return f"{alert.name} is back: {name} meets its target"
    return f"{alert.name} misses its target: {name}"


def alert_sentences(alert: Alert) -> list[str]:
    """What happened, with value, target, rows, and why it is more than noise."""
    metric = metrics()[alert.metric]
    value = formats.figure_against(alert.metric, alert.value, alert.unit, alert.target)
    kind = "" if alert.scope == "organisation" else f" ({alert.scope})"
    counted = formats.counted(alert.n, metric.fact)
    about = f"{metric.name} of {alert.name}{kind}, week {alert.week}: {value}, target {alert.target}, from {counted}."
    changed = (
        [f"Until week {alert.target_until} the target was {alert.target_before or 'not set'}."]
        if alert.target_until
        else []
    )
    if alert.state == "met":
        return [about, f"The target is met again; it was missed from week {alert.since} on.", *changed]
    since = (
        f"The target is missed since week {alert.since}."
        if alert.since != alert.week
        else "It was met before."
    )
    return [about, f"This is more than the usual variation: {alert.reason}.", since, *changed]


def _address(alert: Alert, settings: Settings) -> str | None:
    base = settings.dashboard.url
    if base is None:
        return None
    monday = parse_week(alert.week)
    narrowed: Mapping[str, Any] = {} if alert.scope == "organisation" else {alert.scope: alert.name}
    view = Filters(
        period="custom", start=monday, end=monday + timedelta(days=7), metric=alert.metric, **narrowed
    )
    return f"{base}/{link(METRIC_PAGE, view)}"


def _slack(alert: Alert, lines: Iterable[str], address: str | None) -> dict[str, Any]:
    symbol = formats.STATUSES[alert.state].symbol
    said = "\n".join(escape(line) for line in lines)
    text = f"{symbol} *{escape(alert_headline(alert))}*\n{said}"
    if address:
        text += f"\n{linked('The rows behind it', address)}"
    return {
        "text": escape(alert_headline(alert)),
        "blocks": [slack_section(text)],
    }
