"""The pages in a real Chromium, offline: sorting, filtering, records, figures, dark, axe."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest

from bench.report.page.document import document
from bench.toml_file import ROOT
from tests.bench.report.page.made import content

pytestmark = pytest.mark.browser

AXE = Path(__file__).parent / "axe" / "axe.min.js"
SIZES = [(1440, 1000), (390, 844)]


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Generator[Any]:
    """Chromium without a window or a network, where it is asked for and installed."""
    if "browser" not in str(request.config.option.markexpr):
        pytest.skip("the pages in Chromium: `make test-browser` runs this")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    driver = shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("no chromium with chromedriver (Debian: apt install chromium chromium-driver)")
    webdriver = pytest.importorskip("selenium.webdriver", reason="no selenium (make setup)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path=driver)
    opened = webdriver.Chrome(options=options, service=service)
    opened.execute_cdp_cmd("Network.enable", {})
    opened.execute_cdp_cmd(
        "Network.emulateNetworkConditions",
        {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0},
    )
    yield opened
    opened.quit()


Open = Callable[..., Any]


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Generator[Open]:
    """Shows a page at a size; when the test ends, nothing may have been complained of."""

    def open_page(
        text: str | None = None,
        *,
        width: int = 1440,
        height: int = 1000,
        dark: bool = False,
        path: Path | None = None,
        hash_: str = "",
    ) -> Any:
        if path is None:
            path = tmp_path / "index.html"
            path.write_text(document(content()) if text is None else text, encoding="utf-8")
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        wanted = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [wanted]})
        browser.get("about:blank")
        browser.get(path.as_uri() + hash_)
        return browser

    browser.get_log("browser")
    yield open_page
    assert browser.get_log("browser") == []
    with contextlib.suppress(Exception):
        browser.execute_script("localStorage.clear()")


def rows(browser: Any) -> list[str]:
    """The beginnings of the rows that are there, in order."""
    script = "return [...document.querySelectorAll(arguments[0])].map(c => c.innerText.slice(0, 4))"
    found: list[str] = browser.execute_script(script, "#grid-accuracy tbody tr > :first-child")
    return found


def key(browser: Any, name: str) -> None:
    """Press a key where the focus is."""
    keys = pytest.importorskip("selenium.webdriver").Keys
    browser.switch_to.active_element.send_keys(getattr(keys, name))


def head(browser: Any, column: int) -> Any:
    """The head of a column, by its place."""
    return browser.find_element(
        "css selector", f"#grid-accuracy thead tr:last-child > :nth-child({column})"
    )


def sorted_so(browser: Any, column: int, wanted: str | None) -> list[str]:
    """The rows, once the column says that it is sorted so (the table is drawn a moment later)."""
    for _ in range(50):
        if head(browser, column).get_attribute("aria-sort") == wanted:
            return rows(browser)
        time.sleep(0.02)
    raise AssertionError(f"aria-sort is {head(browser, column).get_attribute('aria-sort')!r}")


AS_MADE = ["beta", "a_mo", "<scr", "Läsi"]


def test_a_click_sorts_by_number_and_blanks_stay_last(show: Open) -> None:
    browser = show()
    assert rows(browser) == AS_MADE
    head(browser, 2).click()
    assert sorted_so(browser, 2, "ascending") == ["beta", "Läsi", "<scr", "a_mo"]
    head(browser, 2).click()
    assert sorted_so(browser, 2, "descending") == ["<scr", "Läsi", "beta", "a_mo"]
    head(browser, 4).click()
    assert sorted_so(browser, 4, "ascending") == ["a_mo", "<scr", "beta", "Läsi"]
    assert head(browser, 2).get_attribute("aria-sort") is None


@pytest.mark.parametrize("name", ["ENTER", "SPACE"])
def test_the_keyboard_sorts(show: Open, name: str) -> None:
    browser = show()
    button = head(browser, 4).find_element("css selector", "[role=button]")
    assert "params (M)" in button.get_attribute("aria-label")
    browser.execute_script("arguments[0].focus()", button)
    key(browser, name)
    assert sorted_so(browser, 4, "ascending")[0] == "a_mo"


def test_rows_are_filtered_by_what_is_read_not_by_markup(show: Open) -> None:
    browser = show()
    field = browser.find_element("css selector", "#table-accuracy input[type=search]")
    field.send_keys("病变")
    assert rows(browser) == ["Läsi"]
    status = browser.find_element("css selector", "#table-accuracy [role=status]")
    assert status.text == "1 of 4 rows"
    field.clear()
    field.send_keys("data-r")  # stands in every row's markup
    assert browser.find_elements("css selector", "#grid-accuracy tbody a") == []
    assert status.text == "0 of 4 rows"


def test_a_number_opens_its_records_and_gives_the_focus_back(show: Open) -> None:
    browser = show()
    link = browser.find_element("css selector", "#grid-accuracy tbody td a[data-r='1 2']")
    browser.execute_script("arguments[0].focus()", link)
    key(browser, "ENTER")
    dialog = browser.find_element("css selector", "dialog[open]")
    assert browser.find_element("id", "window-title").text == "beta, ACC (%): 9.5 ± 0.1: 2 records"
    cards = dialog.find_elements("css selector", ".card")
    assert [card.get_attribute("open") is not None for card in cards] == [True, False]
    assert "r1" in cards[0].text
    assert "make it again" in cards[0].text
    key(browser, "ESCAPE")
    assert browser.find_elements("css selector", "dialog[open]") == []
    assert browser.switch_to.active_element == link


def test_an_address_with_a_record_opens_it(show: Open) -> None:
    browser = show(hash_="#record-audit-x-28")
    card = browser.find_element("css selector", ".card[open]")
    assert "audit/x-28" in card.text
    assert "commit" in card.text


def test_a_figure_is_enlarged_by_keyboard(show: Open) -> None:
    browser = show(width=390, height=844)
    button = browser.find_element("css selector", "button.zoom")
    small = button.find_element("css selector", "img").size["width"]
    browser.execute_script("arguments[0].focus()", button)
    key(browser, "ENTER")
    image = browser.find_element("css selector", "dialog[open] img")
    assert image.size["width"] > 2 * small
    browser.find_element("css selector", "dialog .close").click()
    assert browser.find_elements("css selector", "dialog[open]") == []
    assert browser.switch_to.active_element == button


def background(browser: Any) -> str:
    script = "return getComputedStyle(document.body).backgroundColor"
    return str(browser.execute_script(script))


def test_dark_follows_the_system_and_the_toggle(show: Open) -> None:
    browser = show(dark=True)
    assert background(browser) == "rgb(21, 24, 28)"
    toggle = browser.find_element("id", "theme")
    assert toggle.get_attribute("aria-pressed") == "true"
    toggle.click()
    assert background(browser) == "rgb(255, 255, 255)"
    browser.refresh()
    assert background(browser) == "rgb(255, 255, 255)"


def test_the_first_tab_skips_to_the_verdicts(show: Open) -> None:
    browser = show()
    browser.find_element("tag name", "body").send_keys(
        pytest.importorskip("selenium.webdriver").Keys.TAB
    )
    active = browser.switch_to.active_element
    assert active.get_attribute("class") == "skip"
    assert active.location["y"] >= 0


def violations(browser: Any) -> list[str]:
    browser.execute_script(AXE.read_text(encoding="utf-8"))
    found = browser.execute_async_script(
        "const done = arguments[0]; axe.run(document, {resultTypes: ['violations']}).then("
        "r => done(r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' | '))))"
    )
    return [str(one)[:600] for one in found]


def beyond_the_edge(browser: Any, width: int) -> list[str]:
    """What reaches beyond the page's right edge and does not lie in a box that scrolls."""
    found: list[str] = browser.execute_script(
        "const inside = e => e.closest('.scroll > *, pre > *, dialog:not([open])');"
        "const edge = arguments[0] + 1;"
        "return [...document.querySelectorAll('body *')]"
        ".filter(e => !inside(e) && e.getBoundingClientRect().right > edge)"
        ".map(e => e.outerHTML.slice(0, 200))",
        width,
    )
    wide = browser.execute_script("return document.documentElement.scrollWidth") - width
    return [*found, *([f"the page by {wide} px"] if wide > 0 else [])]


@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("which", ["by hand", "from records", "claims"])
def test_axe_finds_nothing_and_nothing_runs_over_the_edge(
    show: Open, text: str, which: str, width: int, height: int, dark: bool
) -> None:
    path = ROOT / "reports" / "claims.html" if which == "claims" else None
    page = text if which == "from records" else None
    browser = show(page, width=width, height=height, dark=dark, path=path)
    browser.execute_script("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert violations(browser) == []
    assert beyond_the_edge(browser, width) == []
    if which == "claims":
        return
    browser.execute_script("document.querySelector('a[data-r]').click()")
    assert violations(browser) == []
