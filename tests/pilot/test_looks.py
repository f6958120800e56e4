"""Letters can be told from what is behind them, in every theme and with few colours too."""

import pytest
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from kho_console.config.settings import THEMES as NAMES
from kho_console.tui.filters import AsciiSigns, SixteenColours
from kho_console.tui.looks import LOOKS, styles
from kho_console.tui.themes import THEMES
from kho_console.tui.widgets.keys import keys, sign_at

READABLE, SEEN = 4.5, 2.0
"""Contrast of letters by which somebody reads; of lines and of what is not there."""

VGA = (
    *("#000000", "#aa0000", "#00aa00", "#aa5500", "#0000aa", "#aa00aa", "#00aaaa", "#aaaaaa"),
    *("#555555", "#ff5555", "#55ff55", "#ffff55", "#5555ff", "#ff55ff", "#55ffff", "#ffffff"),
)
"""What a Linux console shows for the sixteen colours."""


def colours(theme: str) -> dict[str, str]:
    return THEMES[theme].to_color_system().generate() | THEMES[theme].variables


def contrast_of(letters: str, behind: str) -> float:
    """The ratio of the two luminances, as WCAG 2 defines it."""
    dark, bright = sorted(map(luminance, (letters, behind)))
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    shares = (0.2126, 0.7152, 0.0722)
    parts = Color.parse(colour).normalized
    linear = ((it / 12.92) if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in parts)
    return sum(share * part for share, part in zip(shares, linear, strict=True))


def pairs(theme: str) -> list[tuple[str, str, float]]:
    """Names of letters and of what is behind them, and the contrast that is asked for."""
    letters = [look for look in LOOKS if look.startswith("letter-")]
    text = ["foreground", "dim", "address", "primary", "success", "warning", "error", *letters]
    faint = {"letter-hole"}
    return [
        *((name, "background", SEEN if name in faint else READABLE) for name in text),
        ("line", "background", SEEN),
        ("foreground", "panel", READABLE),
        ("dim", "panel", READABLE),
        ("cursor-text", "cursor", READABLE),
        ("mark-text", "mark", READABLE),
    ]


def test_each_name_of_the_settings_is_a_theme() -> None:
    assert set(THEMES) == set(NAMES)
    assert len({frozenset(theme.variables) for theme in THEMES.values()}) == 1


@pytest.mark.parametrize("theme", NAMES)
def test_contrast(theme: str) -> None:
    found = colours(theme)
    for letters, behind, wanted in pairs(theme):
        contrast = contrast_of(found[letters], found[behind])
        assert contrast >= wanted, (letters, behind, contrast)


@pytest.mark.parametrize("theme", NAMES)
def test_contrast_of_sixteen_colours(theme: str) -> None:
    found = colours(theme)
    for letters, behind, _ in pairs(theme):
        style = Style.from_color(
            Color.parse(found[letters]).rich_color, Color.parse(found[behind]).rich_color
        )
        (segment,) = SixteenColours().apply([Segment("x", style)], Color(0, 0, 0))
        assert segment.style and segment.style.color and segment.style.bgcolor
        front, back = segment.style.color.number, segment.style.bgcolor.number
        assert front is not None and back is not None and back < 8
        contrast = contrast_of(VGA[front], VGA[back])
        assert contrast >= 2.5, (letters, behind, front, back, contrast)


def test_ascii_signs_are_as_wide_as_what_they_stand_for() -> None:
    drawn = "─ ━ │ ┌ ┤ ┼ · … → ▁ █ é 漢"
    (segment,) = AsciiSigns().apply([Segment(drawn)], Color(0, 0, 0))
    assert segment.text == "- - | + + + - ~ > # # ? ??"
    assert segment.cell_length == Segment(drawn).cell_length


def test_the_bottom_line_knows_what_the_mouse_points_at() -> None:
    shown = keys("preserved", 80)
    words = "".join(text for text, _ in shown)
    assert sign_at(shown, words.index("filter")) == "/"
    assert sign_at(shown, words.index("+")) == "+"
    assert sign_at(shown, words.index("-")) == "-"
    assert sign_at(shown, words.index("quit") + 3) == "q"
    assert sign_at(shown, 79) == ""
    screens = keys("doctor", 80)
    at = "".join(text for text, _ in screens).index("1-9")
    assert [sign_at(screens, at + place) for place in range(3)] == ["1", "1", "9"]


@pytest.mark.parametrize("theme", THEMES.values(), ids=list(THEMES))
def test_a_look_has_the_colours_of_its_theme(theme: Theme) -> None:
    named = theme.to_color_system().generate() | theme.variables
    for name, style in styles(theme.name, False).items():
        look = LOOKS[name]
        for word, colour in ((look.colour, style.color), (look.behind, style.bgcolor)):
            assert (colour is None) == (word == "")
            if colour is not None:
                wanted, found = Color.parse(named[word]), Color.parse(colour.name)
                # The framework rounds its own names down by one now and then.
                assert all(abs(a - b) <= 1 for a, b in zip(wanted.rgb, found.rgb, strict=True))


def test_without_colours_what_matters_still_stands_out() -> None:
    mono = styles("kho-dark", True)
    assert all(style.color is None and style.bgcolor is None for style in mono.values())
    assert mono["cursor"].reverse and mono["mark"].underline
    for look in ("warning", "error", "good", "info", "letter-s", "letter-m"):
        assert mono[look].bold
    assert mono["letter-C"].underline
