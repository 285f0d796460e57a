"""The scorecard's forms: complete, safe against what data says, and readable in a mail program."""

import base64
import io
import json
import re
from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from PIL import Image

from dashboards.figures.pictures import drawn_range, sparkline_picture
from dashboards.frame.navigation import PAGES
from dashboards.scorecards.rendering import FORMATS, METRIC_PAGE, render
from tests.support.chromium import artifact
from tests.support.small_scorecard import HOSTILE, scorecard
from warehouse.metrics.published_facts import open_facts
from warehouse.scorecards.content import scorecard as computed

CONTENT = scorecard("payments", HOSTILE)
ANY_TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=40)


class Tags(HTMLParser):
    """The start tags of a document with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def html() -> str:
    return render(CONTENT, "html")


class TestEveryForm:
    @pytest.mark.parametrize("format", ["html", "md", "txt"])
    def test_it_has_the_value_target_status_and_n_of_every_metric(self, format):
        text = render(CONTENT, format)
        text = Tags(text).text if format == "html" else text.replace("\\", "")
        said = (
            "20 min",
            "4.5 a day",
            "3.2 h",
            "5.04 %",
            "–",
            "15 min",
            "25 %",
            "< 30 minutes",
            "> 10/day",
            "met",
        )
        for part in (*said, "missed", "none", "withheld", "too few", "no target", "96 changes", "↓ 50 %"):
            assert part in text, part

    @pytest.mark.parametrize("format", ["html", "md", "txt"])
    def test_beside_a_verdict_stands_no_other_number_that_it_could_be_of(self, format):
        one = scorecard()
        (lead_time,) = (m for m in one["metrics"] if m["metric"] == "lead_time")
        # less than the week before, more than usual
        one["metrics"] = [lead_time | {"previous": lead_time["value"] * 3}]
        text = render(one, format)
        assert "worse: 3.2 h against 1.6 h in the 12 weeks before" in text
        assert not {"↓", "↑"} & set(text)

    @pytest.mark.parametrize("format", ["html", "md", "txt"])
    def test_the_usual_has_the_unit_of_the_number_beside_it(self, format):
        one = scorecard()
        (often,) = (m for m in one["metrics"] if m["metric"] == "deployment_frequency")
        one["metrics"] = [often | {"value": 1.4, "usual": often["usual"] | {"centre": 0.8}}]
        assert "↑ 75 % from the usual 0.8 a day" in render(one, format)

    @pytest.mark.parametrize("format", ["html", "md", "txt"])
    def test_why_nothing_can_be_told_is_said_as_on_the_pages(self, format):
        one = scorecard()
        unknown = {"kind": "unknown", "direction": None, "is_better": None, "reason": "too few to tell"}
        one["metrics"] = [one["metrics"][0] | {"change": unknown}]
        assert "too few to tell" in render(one, format)
        assert "too little history" not in render(one, format)

    def test_json_is_the_content_itself(self):
        assert json.loads(render(CONTENT, "json")) == CONTENT

    @pytest.mark.parametrize("format", FORMATS)
    def test_the_same_content_gives_the_same_bytes(self, format):
        assert render(CONTENT, format) == render(scorecard("payments", HOSTILE), format)

    def test_a_computed_week_has_every_form(self, small):
        with open_facts(small.settings.warehouse) as facts:
            content = computed(facts, small.settings)
        for format in FORMATS:
            assert content["week"] in render(content, format), format


class TestHtml:
    def test_nothing_runs_and_nothing_is_loaded(self, html):
        found = Tags(html)
        known = "html head meta title style body table tr th td p h1 h2 b br span ul li img a"
        assert {tag for tag, _ in found.tags} == set(known.split())
        for _, attributes in found.tags:
            assert not any(name.startswith("on") for name in attributes)
            assert (attributes.get("href") or "https://").startswith("https://")
            assert (attributes.get("src") or "data:image/png;base64,").startswith("data:image/png;base64,")
        assert "url(" not in html
        assert "@import" not in html

    def test_links_lead_to_the_evidence_and_to_the_dashboard_at_exactly_that_view(self, html):
        links = [attributes["href"] for tag, attributes in Tags(html).tags if tag == "a"]
        week = "period=custom&from=2026-11-09&to=2026-11-16"
        for expected in (
            f"https://sixkeys.acme.example/?{week}",
            f"https://sixkeys.acme.example/?team=payments&{week}",
            f"https://sixkeys.acme.example/{METRIC_PAGE}?{week}",
            "https://github.com/acme/checkout/deployments/1?a=1&b=(2)",
            "https://github.com/acme/checkout",
        ):
            assert expected in links, expected
        assert not any("javascript" in (link or "") for link in links)

    def test_the_dashboard_has_the_page_that_metrics_lead_to(self):
        assert METRIC_PAGE in PAGES

    def test_without_an_address_of_the_dashboard_it_leads_to_the_evidence_only(self):
        found = Tags(render(CONTENT | {"dashboard": None}, "html")).tags
        links = [attributes["href"] or "" for tag, attributes in found if tag == "a"]
        assert links
        assert all(link.startswith("https://github.com/") for link in links)

    def test_mail_programs_do_not_cut_it_off_however_many_teams_there_are(self):
        many = render(scorecard(*(f"a team with a long name, number {n}" for n in range(300))), "html")
        assert len(many.encode()) < 100_000
        assert "and 250 more" in many

    def test_it_uses_nothing_that_mail_programs_drop(self, html):
        body = html.partition("<body")[2]
        for dropped in ("display:flex", "display:grid", "position:", "<svg", "<div", "var(--", 'class=""'):
            assert dropped not in body, dropped
        for tag, attributes in Tags(html).tags:
            if tag in ("p", "h1", "h2", "ul", "li", "a", "span", "td", "th"):
                assert attributes.get("style"), tag

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_it_prints_to_two_pages_at_most_with_dark_text_on_white(self, browser, tmp_path, scheme):
        (tmp_path / "card.html").write_text(render(scorecard(*"abcdefgh"), "html"))
        with browser.new_page(color_scheme=scheme) as tab:
            tab.goto((tmp_path / "card.html").as_uri())
            pdf = tab.pdf(path=artifact(f"scorecard-{scheme}.pdf"), prefer_css_page_size=True)
            tab.emulate_media(media="print", color_scheme=scheme)
            for part, expected in ((".page", "rgb(255, 255, 255)"), (".card", "rgb(255, 255, 255)")):
                shown = tab.locator(part).first.evaluate("e => getComputedStyle(e).backgroundColor")
                assert shown == expected
            text = tab.locator("td.text, .text td").first.evaluate("e => getComputedStyle(e).color")
            assert text == "rgb(28, 36, 48)"
        assert 1 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 2

    def test_text_from_data_is_text(self, html):
        assert HOSTILE in Tags(html).text
        assert "<script" not in html

    def test_pictures_are_png_with_words_for_those_who_do_not_see_them(self, html):
        images = [attributes for tag, attributes in Tags(html).tags if tag == "img"]
        assert len(images) == 8
        for image in images:
            assert base64.b64decode((image["src"] or "").partition(",")[2]).startswith(b"\x89PNG")
        assert images[2]["alt"] == (
            "Lead Time for Changes, the last 12 weeks: –, 4 h, 4 h, 4 h, 4 h, –, 4 h, 4 h, 4 h, 4 h, –, 3.2 h"
        )

    def test_without_the_style_sheet_each_cell_has_its_own_style(self, html):
        cells = [attributes for tag, attributes in Tags(html).tags if tag in ("td", "th")]
        assert all(attributes.get("style") for attributes in cells)

    def test_it_has_a_dark_form(self, html):
        assert "@media (prefers-color-scheme: dark)" in html
        assert '<meta name="color-scheme" content="light dark">' in html

    @pytest.mark.parametrize(("scheme", "width"), [("light", 800), ("dark", 800), ("light", 400)])
    def test_it_fits_its_width_in_a_browser(self, browser, html, tmp_path, scheme, width):
        (tmp_path / "card.html").write_text(html)
        with browser.new_page(color_scheme=scheme, viewport={"width": width, "height": 900}) as tab:
            tab.goto((tmp_path / "card.html").as_uri())
            tab.screenshot(path=artifact(f"scorecard-{scheme}-{width}.png"), full_page=True)
            assert tab.evaluate("document.documentElement.scrollWidth") <= width
            shown = tab.locator(".card").first.evaluate("e => getComputedStyle(e).backgroundColor")
            assert shown == ("rgb(26, 33, 43)" if scheme == "dark" else "rgb(255, 255, 255)")


class TestMarkdown:
    def test_text_from_data_is_text(self):
        reader = MarkdownIt("gfm-like", {"linkify": False, "html": True})
        html = reader.render(render(CONTENT, "md"))
        assert "<script" not in html
        assert set(re.findall(r'<a href="(https?://[^/"]+)', html)) == {
            "https://github.com",
            "https://sixkeys.acme.example",
        }
        assert html.count("<a ") == len(re.findall(r'<a href="https://(?:github|sixkeys)', html))
        assert HOSTILE.replace("<", "&lt;").replace(">", "&gt;") in html

    def test_it_has_a_table_of_all_metrics_and_one_of_those_below(self):
        html = MarkdownIt("gfm-like", {"linkify": False}).render(render(CONTENT, "md"))
        rows = re.findall(r"<tr>(.*?)</tr>", html, re.S)
        assert [row.count("<td>") for row in rows] == [0, *[8] * 8, 0, 5, 0, 3, 3]

    @settings(max_examples=50)
    @given(ANY_TEXT)
    def test_any_text_from_data_is_shown_as_it_is(self, text):
        part = {"text": text, "url": "https://github.com/acme"}
        content = scorecard() | {"sentences": [{"text": text, "parts": [part]}], "caveats": [text]}
        html = MarkdownIt("gfm-like", {"linkify": False}).render(render(content, "md"))
        shown = " ".join(text.split())
        told = Tags(html).text
        if shown:
            assert " ".join(told.split()).count(" ".join(shown.split())) >= 2
        # what holds back, where the hours lie, the platform's, the restatement's, the dashboard's, and the text's own
        assert html.count("<a ") == 6 + bool(shown)


@pytest.mark.parametrize("format", ["html", "md", "txt"])
def test_what_holds_back_comes_first_and_leads_to_the_rows_the_highest_first(format):
    text = render(CONTENT, format)
    service = "metric?service=%3Cscript%3E"
    assert service in text
    assert "order=highest" in text[text.index(service) :].split("to=2026-11-16")[0]
    shown = Tags(text).text if format == "html" else text
    first, then, last = (
        shown.index(part) for part in ("What holds you back", "Where the time goes", "1 of 31")
    )
    assert first < then < last
    assert "the median would be 2.1 h" in shown


def test_the_weeks_of_a_metric_are_told_in_one_unit():
    content = scorecard()
    (lead,) = (one for one in content["metrics"] if one["metric"] == "lead_time")
    for week, value in zip(lead["history"], (12600, 181440, None), strict=False):
        week["value"] = value
    for format in ("html", "md", "txt"):
        assert "3.5 h, 50.4 h, –" in unescape(render(content, format)).replace("\\", ""), format


def test_the_last_known_stands_with_its_week_where_this_one_has_none():
    content = scorecard()
    first = content["metrics"][0]
    first |= {
        "value": None,
        "status": "none",
        "usual": None,
        "last_known": {"week": "2026-W42", "value": 1440.0},
    }
    for format in ("html", "md", "txt"):
        told = unescape(render(content, format)).replace("\\", "")
        assert told.count("24 min, the last known, of 2026-W42, 12 – 18 Oct 2026") == 1, format


@pytest.mark.parametrize("format", ["html", "md", "txt"])
def test_where_nothing_holds_back_nothing_is_headed(format):
    text = render(CONTENT | {"holding_back": [], "hours": None}, format)
    for heading in ("What holds you back", "Where the time goes", "What happened\n", "What happened<"):
        assert heading not in text


class TestText:
    def test_links_are_numbered_and_listed_at_the_end(self):
        text = render(CONTENT, "txt")
        assert "1 of 31 deployments failed: checkout on Friday [5] (" in text
        assert text.rstrip().endswith("[8] https://github.com/acme/checkout")
        assert "[5] https://github.com/acme/checkout/deployments/1?a=1&b=(2)" in text

    @settings(max_examples=50)
    @given(ANY_TEXT)
    def test_text_from_data_makes_no_line_of_its_own(self, text):
        content = scorecard(text) | {"name": text, "caveats": [text], "scope": "team"}
        plain = scorecard("x") | {"name": "x", "caveats": ["x"], "scope": "team"}
        assert len(render(content, "txt").splitlines()) == len(render(plain, "txt").splitlines())


class TestRestatements:
    @pytest.mark.parametrize("format", ["html", "md", "txt"])
    def test_old_and_new_are_told_with_n_and_the_reasons(self, format):
        text = render(CONTENT, format)
        text = Tags(text).text if format == "html" else text.replace("\\", "")
        for part in ("2026-W45", "5 %", "10 %", "n 20", "deployment", "failed", "and 12 more"):
            assert part in text, part


class TestPicture:
    def test_it_is_transparent_so_that_it_stands_on_light_and_dark(self):
        data = base64.b64decode(sparkline_picture([1, None, 3], 2, "").uri.partition(",")[2])
        corner = Image.open(io.BytesIO(data)).convert("RGBA").getpixel((0, 0))
        assert corner[3] == 0

    @pytest.mark.parametrize("values", [[], [None], [None] * 12, [5.0], [0.0] * 12, [1e9, 0.0]])
    def test_any_history_can_be_drawn(self, values):
        low, high = drawn_range(values, 3.0)
        assert low < high
        assert sparkline_picture(values, 3.0, "").uri.startswith("data:image/png;base64,")


@pytest.mark.parametrize(
    ("format", "linked"),
    [
        ("html", 'href="https://x.example/1"'),
        ("md", "](<https://x.example/1>)"),
        ("txt", "] https://x.example/1"),
    ],
)
def test_what_happened_in_the_week_is_told_with_where_more_is_said(format: str, linked: str) -> None:
    content = scorecard()
    content["events"][0] |= {"title": "A freeze", "name": "web", "url": "https://x.example/1"}
    told = render(content, format)
    assert "What happened in this week" in told
    assert "10 – 12 Nov 2026, freeze, team web, limits begin anew" in told
    assert linked in told
    content["events"] = []
    assert "What happened in this week" not in render(content, format)
