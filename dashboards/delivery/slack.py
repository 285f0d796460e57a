"""The scorecard as a Slack message in Block Kit."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from config.text.legible import one_line
from dashboards.figures import formats
from dashboards.scorecards.rendering import leads_to, title, view_of, week_verdict
from warehouse.metrics.attainment import standing

BLOCKS, SECTION, HEADER = 50, 3000, 150  # Slack's limits: blocks a message, characters a section, a header


def message(scorecard: Mapping[str, Any]) -> dict[str, Any]:
    """The payload of an incoming webhook: a fallback text and blocks; the organisation's sums up those below."""
    head = one_line(f"{title(scorecard)}: week {scorecard['week']}")
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": head[:HEADER], "emoji": False}}
    ]
    blocks += [slack_section(_summary(scorecard)), *_sections(_held(scorecard))]
    blocks += _sections(map(_line, scorecard["metrics"]))
    blocks += _sections(_said(scorecard, "• ", one["parts"]) for one in scorecard["sentences"])
    blocks += _sections(_platform(scorecard))
    if scorecard["restatements"]:
        told = (_restated(scorecard, one) for one in scorecard["restatements"])
        blocks += _sections(["*Said before and different now*", *told])
    blocks += _sections(f"> {escape(caveat)}"[:SECTION] for caveat in scorecard["caveats"])
    if scorecard["below"]:
        blocks += [{"type": "divider"}, *(slack_section(_summary(one)) for one in scorecard["below"])]
    as_of = formats.instant(datetime.fromisoformat(scorecard["as_of"]), scorecard["timezone"])
    text = f"Data as of {as_of}"
    if dashboard := view_of(scorecard):
        text += f" · {linked('In the dashboard', dashboard)}"
    context = {"type": "context", "elements": [_mrkdwn(text)]}
    left_out = len(blocks) - (BLOCKS - 1)
    if left_out > 0:
        blocks = [*blocks[: BLOCKS - 2], slack_section(f"… and {left_out + 1} more in the scorecard.")]
    return {"text": escape(head), "blocks": [*blocks, context]}


def trial_message(text: str) -> bytes:
    """The payload of an incoming webhook that says `text` and nothing else."""
    return json.dumps({"text": escape(text)}, ensure_ascii=False).encode()


def escape(text: str) -> str:
    """Text from data as Slack shows it: no link, mention or emphasis."""
    text = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # mrkdwn has no escape for its marks: a zero-width space keeps them from pairing
    return re.sub(r"([*_~`@]|:(?=[a-z0-9+-]))", "\\1\u200b", text)


def linked(text: str, address: str) -> str:
    """Text, escaped already, that leads to an address."""
    safe = address.replace("&", "&amp;").replace("|", "%7C").replace("<", "%3C").replace(">", "%3E")
    return f"<{safe}|{text}>"


def slack_section(text: str) -> dict[str, Any]:
    """A block of text with Slack's marks, cut where Slack would refuse it."""
    return {"type": "section", "text": _mrkdwn(text[:SECTION])}


def _mrkdwn(text: str) -> dict[str, Any]:
    # verbatim: what looks like an address or a channel in the data does not become a link
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _sections(lines: Iterable[str]) -> list[dict[str, Any]]:
    """The lines in as few sections as hold them, so that no link is cut."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + 1 + len(line) <= SECTION:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return [slack_section(text) for text in texts]


def _held(scorecard: Mapping[str, Any]) -> Iterator[str]:
    """What holds the missed targets back, and where the hours lie."""
    if scorecard["holding_back"]:
        yield "*What holds you back*"
        yield from (_said(scorecard, "• ", one["parts"]) for one in scorecard["holding_back"])
    if scorecard["hours"]:
        yield _said(scorecard, "*Where the time goes:* ", scorecard["hours"]["parts"])


def _platform(scorecard: Mapping[str, Any]) -> Iterator[str]:
    """What is said of the platform."""
    if scorecard["platform"]:
        yield "*The platform*"
        yield from (_said(scorecard, "• ", one["parts"]) for one in scorecard["platform"])


def _said(scorecard: Mapping[str, Any], before: str, parts: Iterable[Mapping[str, Any]]) -> str:
    """A sentence with its links, or without them where it is too long for one section."""
    parts = list(parts)
    plain = "".join(part["text"] for part in parts)
    told = before
    for part in parts:
        text, shown, to = part["text"], escape(part["text"]), leads_to(scorecard, part)
        if not shown:
            told += " " if text else ""
            continue
        told += " " * text[0].isspace() + (linked(shown, to) if to else shown) + " " * text[-1].isspace()
    return told if len(told) <= SECTION else (before + escape(plain))[: SECTION - 1] + "…"


def _restated(scorecard: Mapping[str, Any], one: Mapping[str, Any]) -> str:
    was, became = (
        f"{formats.figure(one[which]['value'], one['unit'])} (n {one[which]['n']})"
        for which in ("old", "new")
    )
    why = [part for reason in one["why"] for part in (reason, {"text": "; "})][:-1]
    return _said(scorecard, f"• {escape(one['name'])}, {one['week']}: {was}, now {became}: ", why)


def _summary(scope: Mapping[str, Any]) -> str:
    missed = [escape(metric["name"]) for metric in scope["metrics"] if metric["status"] == "missed"]
    kind = "" if scope["scope"] == "organisation" else f" ({scope['scope']})"
    text = f"*{escape(scope['name'])}*{kind}: {escape(standing(scope['metrics']).text)}"
    return f"{text}. Missed: {', '.join(missed)}" if missed else text


def _line(metric: Mapping[str, Any]) -> str:
    status = formats.STATUSES[metric["status"]]
    value = formats.figure(metric["value"], metric["unit"], metric["limit"])
    target = f", target {escape(metric['target'])}" if metric["target"] else ""
    text = (
        f"{status.symbol or '–'} {escape(metric['name'])}: *{value}* ({status.word}{target}, n {metric['n']})"
    )
    return f"{text}, {escape(week_verdict(metric))}" if metric["change"]["kind"] == "signal" else text
