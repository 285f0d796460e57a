"""The survey page: opened by a signed link, it takes a score and a comment, and shows nothing of the dashboard."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from collectors.survey.inbox import COMMENT, LEAST, MOST, answer_path, inbox, put
from config.errors import SixkeysError
from config.settings import Settings, load_settings
from dashboards.figures import formats
from dashboards.frame.markup import DASHBOARDS, part, style
from dashboards.frame.notices import Notice
from dashboards.satisfaction.survey_links import (
    LONGEST_COMMENT,
    PATH,
    BadLink,
    RoundClosed,
    SurveyLink,
    answer,
    answer_id,
    opened,
    signing_key,
)

log = logging.getLogger("sixkeys.survey")

# what the ends of the scale mean
_CAPTIONS = {LEAST: "not at all", MOST: "very"}


def is_asked() -> bool:
    """Whether the address is the survey page's; the answer stays for as long as the page is open."""
    if urlsplit(st.context.url or "").path.rstrip("/").endswith(f"/{PATH}"):
        st.session_state["is_survey"] = True
    return bool(st.session_state.get("is_survey"))


def run_survey_page(config: Path, warehouse: Path | None = None) -> None:
    """Draws the page alone: no other page of the dashboard is named or can be reached from it."""
    st.set_page_config(
        "Survey", str(DASHBOARDS / "icon.svg"), layout="centered", initial_sidebar_state="collapsed"
    )
    st.html(style())

    def page() -> None:
        # who answers is told nothing of the configuration or of what broke
        try:
            settings = load_settings(config)
            show_survey(settings, inbox(warehouse or settings.warehouse), st.query_params.get("token", ""))
        except SixkeysError as error:
            log.error("the survey cannot be opened: %s", error)
            _say("The survey cannot be opened at the moment", "Please try again later.", bad=True)
        except Exception:  # the last border before a person
            log.exception("the survey cannot be opened")
            _say("The survey cannot be opened at the moment", "Please try again later.", bad=True)

    # Streamlit gives the first page no path of its own
    st.navigation([st.Page(_nothing, default=True), st.Page(page, url_path=PATH)], position="hidden").run()


def show_survey(
    settings: Settings,
    folder: Path,
    token: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> None:
    """Asks the holder of `token` and puts the answer into `folder`; says so where the link is not good or closed."""
    if settings.survey_page is None:
        _say("There is no survey here", "Ask whoever sent you the link.", bad=True)
        return
    key = signing_key(settings)
    try:
        link = opened(token, key, now())
        space = st.empty()
        with space.container():
            given = _asked(
                settings.survey_page.question, link, settings.timezone, _is_answered(folder, link, key)
            )
        if given:
            put(folder, answer(link, key, *given, now()))
            space.html(part("notice", Notice("Thank you", (_kept(link, settings.timezone),))))
    except BadLink:
        _say(
            "This link does not work",
            "It is not complete, or it was changed. Open it just as it was sent to you.",
            bad=True,
        )
    except RoundClosed:
        _say("This survey has closed", "Answers are no longer taken. There will be a next one.")
    except OSError as error:
        log.error("an answer cannot be kept in %s: %s", folder, error)
        _say("Your answer could not be kept", "Please send it again later.", bad=True)


def _asked(question: str, link: SurveyLink, timezone: str, is_answered: bool) -> tuple[int, str] | None:
    """The form; the score and the comment once somebody has sent both, or the score alone."""
    told = [f"Round {link.round}, team {link.team}, open until {formats.instant(link.closes_at, timezone)}."]
    told.append("Your answer is stored without your name, your address or anything else about you.")
    told.append(
        "A comment is shown as you write it, with the team, where five or more of the team have answered."
    )
    if is_answered:
        told.append("This link was answered before: sending again replaces that answer.")
    st.html(part("notice", Notice("A short survey", tuple(told))))
    with st.form("survey", enter_to_submit=False):
        scores = list(range(LEAST, MOST + 1))
        captions = [_CAPTIONS.get(score, "") for score in scores]
        score = st.radio(
            formats.plain_markdown(question), scores, index=None, horizontal=True, captions=captions
        )
        comment = st.text_area(f"{COMMENT} (optional)", max_chars=LONGEST_COMMENT)
        sent = st.form_submit_button("Send", type="primary")
    if sent and score is None:
        st.html(part("notice", Notice(f"Choose a score from {LEAST} to {MOST} first", bad=True)))
    return (score, comment or "") if sent and score is not None else None


def _is_answered(folder: Path, link: SurveyLink, key: bytes) -> bool:
    return answer_path(folder, link.round, answer_id(link, key)).exists()


def _kept(link: SurveyLink, timezone: str) -> str:
    until = formats.instant(link.closes_at, timezone)
    return f"Your answer is kept. Until {until} you can open the same link again and answer anew."


def _say(title: str, line: str, bad: bool = False) -> None:
    st.html(part("notice", Notice(title, (line,), bad)))


def _nothing() -> None:
    """The page that nobody opens."""
