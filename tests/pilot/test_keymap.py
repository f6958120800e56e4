"""Keys of an operator: what is refused before they count, and that they count."""

from dataclasses import replace

import pytest
from textual.keys import Keys

from kho_console.config import log
from kho_console.config.settings import KEYMAPS, Settings
from kho_console.engine.observer import Observer
from kho_console.source.fixture import FixtureSource
from kho_console.tui.app import KhoConsole
from kho_console.tui.commands import COMMANDS, SCREENS, available
from kho_console.tui.keymap import KeymapError, applied, canonical, known
from kho_console.tui.rows import plain
from kho_console.tui.screens.help import Help
from kho_console.tui.widgets.keys import keys
from tests.pilot.machines import NEVER, LiveRecording, open_screen, seen
from tests.recordings import folder

IDS = {item.id: item for item in COMMANDS}


@pytest.mark.parametrize("keymap", KEYMAPS)
def test_the_keymaps_that_come_with_the_console_hold(keymap: str) -> None:
    table = applied({}, keymap)
    assert [replace(item, keys=IDS[item.id].keys) for item in table] == list(COMMANDS)
    for item in table:
        assert item.keys[: len(IDS[item.id].keys)] == IDS[item.id].keys
        assert all(known(key) for key in item.keys)
    assert (table == COMMANDS) == (keymap == "default")


def test_keys_take_the_place_of_those_of_the_table() -> None:
    table = {item.id: item for item in applied({"quit": ("Q", "|", "Q"), "filter": ("ctrl+f",)})}
    assert table["quit"].keys == ("Q", "vertical_line")
    assert table["filter"].keys == ("ctrl+f",)
    assert table["help"] == IDS["help"]


def test_two_commands_may_swap_their_keys() -> None:
    quit_keys, help_keys = IDS["quit"].keys, IDS["help"].keys
    table = {item.id: item for item in applied({"quit": help_keys, "help": quit_keys})}
    assert (table["quit"].keys, table["help"].keys) == (help_keys, quit_keys)


@pytest.mark.parametrize(
    ("wanted", "faults"),
    [
        ({"quite": ("Q",)}, [("quite", "no such command; the nearest is quit")]),
        ({"refresh": ("f99",)}, [("refresh", "no key is called f99")]),
        ({"refresh": ("ctrl+z",)}, [("refresh", "no key is called ctrl+z")]),
        ({"refresh": ("\x1b[2J",)}, [("refresh", "no key is called \\x1b[2J")]),
        ({"refresh": ("p",)}, [("refresh", "p is refresh and pause on Overview")]),
        ({"refresh": ("ctrl+i",)},
         [("refresh", "tab is details and refresh on Scratch"),
          ("refresh", "tab is side and refresh on Blobs")]),
        ({"pause": ("r",)}, [("pause", "r is refresh and pause on Overview")]),
        ({"owners": ("go",)}, [("owners", "no key is called go")]),
        ({"quit": ("alt+q",)},
         [("quit", "at least one key must be on every keyboard, without alt or the like")]),
        ({"help": ("f13",), "palette": ("super+p",)},
         [("palette", "at least one key must be on every keyboard, without alt or the like")]),
    ],
)  # fmt: skip
def test_what_cannot_be_pressed_is_refused(
    wanted: dict[str, tuple[str, ...]], faults: list[tuple[str, str]]
) -> None:
    with pytest.raises(KeymapError) as caught:
        applied(wanted)
    assert list(caught.value.faults) == faults


def test_one_key_on_different_screens_is_no_overlap() -> None:
    assert applied({"hex": IDS["owners"].keys, "zoom-in": IDS["dts"].keys})


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(KeymapError) as caught:
        applied({"nothing": ("a",), "refresh": ("p", "nokey")})
    assert {name for name, _ in caught.value.faults} == {"nothing", "refresh"}
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize(
    ("key", "name"),
    [("/", "slash"), ("?", "question_mark"), (",", "comma"), (" ", "space"), ("-", "minus"),
     ("+", "plus"), ("ctrl+m", "enter"), ("latin_small_letter_a", "a"), ("hyphen_minus", "minus"),
     ("Q", "Q"), ("\u00f6", "\u00f6"), ("ctrl+/", "ctrl+slash"), ("f5", "f5")],
)  # fmt: skip
def test_a_key_is_known_by_the_name_it_arrives_with(key: str, name: str) -> None:
    assert canonical(key) == name
    assert known(key)


@pytest.mark.parametrize(
    "key", ["", "shift+a", "a,b", "f25", "return", "<any>", "ctrl+", "ctrl++a", "ctrl+ctrl+a",
            "hyperspace+a", "question mark key", "\x07"],
)  # fmt: skip
def test_what_never_arrives_is_no_key(key: str) -> None:
    assert not known(key)


def test_the_frameworks_own_names_are_known() -> None:
    names = {key.value for key in Keys if "<" not in key.value}
    unknown = {name for name in names if not known(name)}
    assert {name for name in unknown if "shift+" not in name} == {"return", "ctrl-at", "ctrl+z"}


@pytest.mark.parametrize("screen", SCREENS)
def test_the_bottom_line_shows_the_keys_that_count(screen: str) -> None:
    table = applied({"quit": ("Q",), "help": ("ampersand",), "overview": ("f2",)})
    assert " ".join(plain(keys(screen, 80, table)).split()).endswith("& help Q quit")
    assert {item.id for item in available(screen, table)} == {item.id for item in available(screen)}


async def test_the_keys_of_the_operator_count() -> None:
    swapped = {
        "blobs": ("f3", "b"), "quit": ("Q",), "side": ("x",), "hex": ("tab",), "pause": ("8",),
        "findings": ("p",),
    }  # fmt: skip
    app = KhoConsole(
        Observer(LiveRecording("linux-7.3.4/ready")),
        settings=Settings(interval=NEVER, keys=swapped),
    )
    async with app.run_test(size=(120, 200)) as pilot:
        for key in ("b", "f3"):
            assert (await open_screen(pilot, key)).subject == "blobs"
            assert (await open_screen(pilot, "1")).subject == "overview"
        assert (await open_screen(pilot, "3")).subject == "overview"
        assert (await open_screen(pilot, "p")).subject == "findings"
        assert not app.condition().paused
        assert (await open_screen(pilot, "8")).subject == "findings"
        assert app.condition().paused
        screen = await open_screen(pilot, "question_mark")
        assert isinstance(screen, Help)
        assert "f3 b Blobs" in " ".join(screen.lines().text.split())
        await pilot.press("q")
        assert (await seen(pilot)).subject == "help"
        await pilot.press("Q")
    assert app.return_value == 0


async def test_the_log_tells_looks_and_commands() -> None:
    log.start(Settings(debug=True))
    try:
        app = KhoConsole(
            Observer(FixtureSource(folder("linux-7.3.4/ready"))), settings=Settings(interval=NEVER)
        )
        async with app.run_test(size=(80, 24)) as pilot:
            await seen(pilot)
            await pilot.press("p")
            await pilot.pause()
        told = "\n".join(log.recent())
    finally:
        log.stop()
    assert "full look took " in told
    assert "DEBUG   command pause" in told
