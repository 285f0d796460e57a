"""The scorecard as a Slack message in Block Kit."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from dashboards import formats
from dashboards.rendering import title

BLOCKS, SECTION, HEADER = 50, 3000, 150  # Slack's limits: blocks a message, characters a section, a header


def message(scorecard: Mapping[str, Any]) -> dict[str, Any]:
    """The payload of an incoming webhook: a fallback text and blocks; the organisation's sums up those below."""
    head = f"{title(scorecard)}: week {scorecard['week']}"
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": head[:HEADER], "emoji": False}}
    ]
    blocks += [_section(_summary(scorecard)), _section("\n".join(map(_line, scorecard["metrics"])))]
    if scorecard["sentences"]:
        said = (f"• {escape(sentence['text'])}" for sentence in scorecard["sentences"])
        blocks.append(_section("\n".join(said)))
    if scorecard["below"]:
        blocks += [{"type": "divider"}, *(_section(_summary(one)) for one in scorecard["below"])]
    as_of = formats.instant(datetime.fromisoformat(scorecard["as_of"]), scorecard["timezone"])
    context = {"type": "context", "elements": [{"type": "mrkdwn", "text": f"Data as of {as_of}"}]}
    left_out = len(blocks) - (BLOCKS - 1)
    if left_out > 0:
        blocks = [*blocks[: BLOCKS - 2], _section(f"… and {left_out + 1} more in the scorecard.")]
    return {"text": escape(head), "blocks": [*blocks, context]}


def escape(text: str) -> str:
    """Text from data as Slack shows it: no link, mention or emphasis."""
    text = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # mrkdwn has no escape for its marks: a zero-width space keeps them from pairing
    return re.sub(r"([*_~`@]|:(?=[a-z+]))", "\\1\u200b", text)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text[:SECTION]}}


def _summary(scope: Mapping[str, Any]) -> str:
    judged = [metric for metric in scope["metrics"] if metric["status"] in ("met", "missed")]
    missed = [escape(metric["name"]) for metric in judged if metric["status"] == "missed"]
    kind = "" if scope["scope"] == "organisation" else f" ({scope['scope']})"
    text = f"*{escape(scope['name'])}*{kind}: {len(judged) - len(missed)} of {len(judged)} targets met"
    return f"{text}; missed: {', '.join(missed)}" if missed else text


def _line(metric: Mapping[str, Any]) -> str:
    status = formats.STATUSES[metric["status"]]
    value = formats.figure(metric["value"], metric["unit"], metric["limit"])
    target = f", target {escape(metric['target'])}" if metric["target"] else ""
    return (
        f"{status.symbol or '–'} {escape(metric['name'])}: *{value}* ({status.word}{target}, n {metric['n']})"
    )
