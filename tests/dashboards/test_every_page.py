"""Every page on the sample organisation in a real browser: accessible, in the dark, by keyboard, on a phone, on paper.

A page is covered by being in PAGES, most of them by `make soak` alone. The pictures are left in `artifacts/` for
people to look at.
"""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, ViewportSize, expect

from dashboards.frame.navigation import PAGES
from tests.support import running_dashboard
from tests.support.chromium import artifact
from tests.support.running_dashboard import Running

# the pages that `make test` looks at: all kinds of parts are on them
OFTEN = ("overview",)
# a page that is about one thing is opened from it
ABOUT = {"service": "&service=checkout", "team": "&team=payments"}
# what axe finds in Streamlit's own widgets: the rule, with the reason to live with it
STREAMLITS_OWN: dict[str, str] = {}
DESK: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
PAPER: ViewportSize = {"width": 1344, "height": 922}  # within the margins


@pytest.fixture(scope="module")
def running(sample_dashboard: Running) -> Running:
    return sample_dashboard


@pytest.fixture(
    scope="module",
    params=[at if at in OFTEN else pytest.param(at, marks=pytest.mark.soak) for at in PAGES],
)
def tab(running: Running, request: pytest.FixtureRequest) -> Page:
    """The page, opened once; each test says what it wants of the window."""
    path = "" if request.param == next(iter(PAGES)) else request.param
    return running.open(f"{path}?period=4w{ABOUT.get(request.param, '')}")


@pytest.fixture
def at(tab: Page, request: pytest.FixtureRequest) -> str:
    """The page's path."""
    return request.node.callspec.params["tab"]


def look(tab: Page, size: ViewportSize, media: Literal["screen", "print"] = "screen") -> None:
    """Gives the window a size, and what is seen in it the form for that medium."""
    tab.emulate_media(color_scheme="light", media=media)
    tab.set_viewport_size(size)


def serious(tab: Page) -> list[str]:
    """What axe finds to be serious or critical, or a heading out of order, but for what Streamlit is known for."""
    return [
        f"{'ours' if ours(tab, node['target']) else 'Streamlit'}: {rule['id']}: {node['html'][:200]}"
        for rule in Axe().run(tab, options={"resultTypes": ["violations"]}).response["violations"]
        if rule["impact"] in ("serious", "critical") or rule["id"] == "heading-order"
        for node in rule["nodes"]
        if ours(tab, node["target"]) or rule["id"] not in STREAMLITS_OWN
    ]


def ours(tab: Page, target: list[str]) -> bool:
    """Whether an element is one that we render."""
    return bool(tab.locator(target[0]).first.evaluate("e => e.closest('[data-testid=stHtml]') !== null"))


def pictured(tab: Page, name: str) -> None:
    """Leaves a picture of the whole page; Streamlit scrolls within the window, so that is made as high."""
    height = tab.get_by_test_id("stMain").evaluate("main => main.scrollHeight")
    size = tab.viewport_size or DESK
    tab.set_viewport_size({"width": size["width"], "height": min(max(height, 600), 3000)})
    tab.screenshot(path=artifact(name))


def test_axe_finds_nothing_serious(tab: Page, at: str) -> None:
    look(tab, DESK)
    pictured(tab, f"{at}-light.png")
    assert serious(tab) == []


def test_no_page_and_no_list_scrolls_sideways_on_a_phone_and_the_first_number_is_in_sight(
    tab: Page, at: str
) -> None:
    look(tab, PHONE)
    expect(tab.get_by_test_id("stMain")).to_have_css("width", "390px")
    pictured(tab, f"{at}-phone.png")
    width = "() => Math.max(...[...document.querySelectorAll('html, section, main')].map(e => e.scrollWidth))"
    assert tab.evaluate(width) <= PHONE["width"]
    wider = """() => [...document.querySelectorAll('.six-scroll')]
        .filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1).map(e => e.ariaLabel)"""
    assert tab.evaluate(wider) == []
    for first in tab.locator(".six-tile .value, .six-number .value, .six-table td").all()[:1]:
        box = first.bounding_box()
        assert box is not None
        assert box["y"] < PHONE["height"]


def test_explanations_open_by_key_and_close_again(tab: Page, at: str) -> None:
    look(tab, DESK)
    for button in tab.locator("[popovertarget]:visible").all()[:3]:
        button.focus()
        tab.keyboard.press("Enter")
        told = tab.locator("[popover]:popover-open")
        expect(told).to_have_count(1)
        expect(told).to_be_in_viewport()
        tab.keyboard.press("Escape")
        expect(told).to_have_count(0)
        expect(button).to_be_focused()


def test_the_head_and_the_names_stay_and_a_long_name_takes_little_room(tab: Page, at: str) -> None:
    look(tab, {"width": 800, "height": 500})
    for table in tab.locator(".six-scroll:has(> .six-map)").all():
        moved = table.evaluate(
            """box => {
                const [head, name] = [box.querySelector('thead th:nth-child(2)'), box.querySelector('tbody th')];
                const link = name.querySelector('a');
                link.textContent = 'a-long-name-'.repeat(9);
                box.scrollTo(0, 0);
                const [top, left] = [head.getBoundingClientRect().top, name.getBoundingClientRect().left];
                box.scrollTo(200, 200);
                const widest = 24 * parseFloat(getComputedStyle(link).fontSize);
                return [box.scrollLeft > 0 || box.scrollWidth <= box.clientWidth,
                    Math.abs(head.getBoundingClientRect().top - top) < 2,
                    Math.abs(name.getBoundingClientRect().left - left) < 2,
                    link.getBoundingClientRect().width < widest];
            }"""
        )
        assert moved == [True] * 4


def test_long_names_widen_no_list(tab: Page, at: str) -> None:
    look(tab, DESK)
    wider = """() => {
        const names = '.six-table tbody th > :is(a, .name), .six-rows td.wide > a, .six-list-table td > a';
        document.querySelectorAll(names).forEach(e => { e.textContent = 'a-name-of-200-letters-'.repeat(9) });
        return [...document.querySelectorAll('.six-scroll')]
            .filter(e => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1).map(e => e.ariaLabel);
    }"""
    assert tab.evaluate(wider) == []
    tab.reload()
    running_dashboard.drawn(tab, at)


def test_the_focus_is_not_taken_for_the_current_page(tab: Page, at: str) -> None:
    look(tab, DESK)
    links = tab.locator(".st-key-nav [data-testid=stPageLink-NavLink]")
    here = tab.locator(".st-key-nav-here a")
    if PAGES[at].listed:
        expect(here).to_have_text(PAGES[at].title)
    other = links.first if at != next(iter(PAGES)) else links.nth(1)
    look_of = (
        "e => { const s = getComputedStyle(e); return [s.backgroundColor, s.boxShadow, s.outlineStyle] }"
    )
    unfocused = other.evaluate(look_of)
    tab.get_by_test_id("stMain").focus()
    tab.keyboard.press("Tab")
    tab.keyboard.press("Tab")
    if at == next(iter(PAGES)):
        tab.keyboard.press("Tab")
    expect(other).to_be_focused()
    assert other.evaluate(look_of) == [*unfocused[:2], "solid"]


def test_the_keyboard_reaches_everything_and_shows_where_it_is(tab: Page, at: str) -> None:
    look(tab, DESK)
    skip = tab.get_by_role("link", name="Skip to the numbers")
    # the first stop within the page: the one after Streamlit's own
    tab.get_by_test_id("stMain").focus()
    tab.keyboard.press("Tab")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    tab.keyboard.press("Enter")
    assert tab.evaluate("document.activeElement.id") == "content"
    hidden = tab.evaluate(
        """() => [...document.querySelectorAll('[data-testid=stHtml] :is(a, summary, button)')]
            .filter(e => !e.matches('.six-skip') && e.checkVisibility())
            .filter(e => {
                e.focus({focusVisible: true});
                const style = getComputedStyle(e);
                const shown = style.outlineStyle !== 'none' && style.outlineWidth !== '0px';
                const twin = e.tabIndex < 0 && [...document.querySelectorAll('a')]
                    .some(other => other !== e && other.href === e.href && other.tabIndex >= 0);
                return document.activeElement !== e || !shown || (e.tabIndex < 0 && !twin);
            }).map(e => e.outerHTML)"""
    )
    assert hidden == []


def test_print_shows_the_numbers_whole_and_nothing_to_click(tab: Page, at: str) -> None:
    look(tab, DESK, "print")
    tab.pdf(path=artifact(f"{at}-print.pdf"), prefer_css_page_size=True, print_background=True)
    for control in (
        ".st-key-nav",
        ".st-key-filters",
        "[data-testid=stSelectbox]",
        "[data-testid=stDownloadButton]",
    ):
        for found in tab.locator(control).all():
            expect(found).to_be_hidden()
    look(tab, PAPER, "print")
    pictured(tab, f"{at}-print.png")
    cut = tab.evaluate(
        """() => [...document.querySelectorAll('.six-scroll, .six-tall, .js-plotly-plot')]
            .filter(e => e.checkVisibility())
            .filter(e => e.getBoundingClientRect().right > 1345 || e.scrollWidth > e.clientWidth + 1
                || e.scrollHeight > e.clientHeight + 1)
            .map(e => `${e.className} ${e.scrollWidth}x${e.scrollHeight} in ${e.clientWidth}x${e.clientHeight}`)"""
    )
    assert cut == []


def test_axe_finds_nothing_serious_in_the_dark(tab: Page, at: str) -> None:
    tab.emulate_media(color_scheme="dark", media="screen")
    tab.set_viewport_size(DESK)
    tab.reload()  # a chart is drawn for the scheme that the page was opened in
    running_dashboard.drawn(tab, at)
    expect(tab.get_by_test_id("stApp")).to_have_css("background-color", "rgb(16, 21, 28)")
    pictured(tab, f"{at}-dark.png")
    assert serious(tab) == []


def test_no_request_leaves_for_another_host(running: Running, tab: Page) -> None:
    assert tab.url.startswith(running.url)
    tab.wait_for_load_state("networkidle")
    assert running.foreign == []
