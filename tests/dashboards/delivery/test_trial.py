"""`sixkeys check --send-trial`: one line to each channel and webhook, and what became of it."""

import json
from typing import Any

from pydantic import SecretStr
from werkzeug import Response

from config.settings import Recipients, Reports, Settings
from dashboards.delivery.trial import send_trial_messages
from tests.support.loopback import SECRET, Receiver, webhook

SAID = "acme &lt;EU&gt;: a trial message of Sixkeys. Scorecards and alerts will arrive here."


def settings(**reports: Any) -> Settings:
    return Settings(organization="acme <EU>", reports=Reports(**reports))


def test_each_channel_and_webhook_gets_one_line_however_often_it_is_named() -> None:
    with Receiver() as server:
        address = SecretStr(f"{server.url}/services/s3cret")
        team = Recipients(slack_webhook=address, webhook=webhook(server))
        told = list(
            send_trial_messages(
                settings(slack_webhook=address, teams={"payments": team}, alerts=Recipients())
            )
        )
        assert [(one.source, one.works) for one in told] == [
            ("reports.slack_webhook", True),
            ("reports.teams.payments.webhook", True),
        ]
        slack, hook = (json.loads(body) for body in server.bodies)
    assert slack == {"text": SAID}
    assert hook["type"] == "trial"
    assert hook["data"]["organization"] == "acme <EU>"
    assert server.headers[1]["Webhook-Id"] == hook["id"]


def test_one_that_refuses_is_told_without_its_address_and_the_others_get_theirs() -> None:
    with Receiver(Response("no_service", 404)) as server:
        of = settings(slack_webhook=SecretStr(f"{server.url}/services/s3cret"), webhook=webhook(server))
        refused, taken = send_trial_messages(of)
    assert (refused.works, taken.works) == (False, True)
    assert "404 (no_service); check reports.slack_webhook" in refused.detail
    assert "s3cret" not in refused.detail
    assert SECRET not in taken.detail
