"""Names in any script: set where a font has them, else told by number; nothing else moves."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from bench.report.figures import fonts


def forget() -> None:
    fonts.families.cache_clear()
    fonts.known.cache_clear()


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    forget()
    yield
    forget()


def test_a_character_that_no_font_has_is_told_by_its_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fonts, "FALLBACKS", ())
    assert fonts.families() == ("DejaVu Sans",)
    assert fonts.printable("良性  ورم é\n🫁") == "[U+826F][U+6027] ورم é [U+1FAC1]"


def test_a_fallback_sets_what_dejavu_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "FALLBACKS", ())
    dejavu = fonts.known()
    forget()
    monkeypatch.setattr(fonts, "FALLBACKS", (("nobody has it", "STIXGeneral"),))  # matplotlib's own
    assert fonts.families() == ("DejaVu Sans", "STIXGeneral")
    added = chr(min(fonts.known() - dejavu))
    assert fonts.printable(added) == added
    assert fonts.known() > dejavu


def test_of_each_script_the_first_that_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("WenQuanYi Zen Hei", "Noto Sans CJK JP", "Symbola", "DejaVu Sans")
    listed = SimpleNamespace(ttflist=[SimpleNamespace(name=name) for name in names])
    monkeypatch.setattr(fonts, "fontManager", listed)
    assert fonts.families() == ("DejaVu Sans", "Noto Sans CJK JP", "Symbola")
