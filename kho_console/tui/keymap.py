"""The keys of an operator in place of those of the command table, checked before they count."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any, Protocol, TypeAlias, runtime_checkable

from textual.app import App
from textual.binding import Binding
from textual.keys import KEY_ALIASES, REPLACED_KEYS, Keys, key_to_character

from kho_console import text
from kho_console.tui.commands import COMMANDS, HELP, QUIT, SCREENS, Command

Fault: TypeAlias = tuple[str, str]
"""The id of a command, and what is wrong with its keys."""

_ALWAYS = (QUIT, HELP, "palette")
"""What must be reachable from every keyboard."""

_MODIFIERS = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
_SEPARATORS = {",": "comma", " ": "space"}
"""Characters that cannot name themselves in a list of keys."""

# Two of the framework's names never arrive: those keys are enter and ctrl+at.
_NAMED = frozenset(
    key.value
    for key in Keys
    if not {"<", "+"} & set(key.value) and key.value not in ("return", "ctrl-at")
)
_MAIN = {alias: key for key, aliases in KEY_ALIASES.items() for alias in aliases}

_ADDED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "default": {},
    "vi": {
        "page-up": ("ctrl+b",),
        "page-down": ("ctrl+f",),
        "last": ("G",),
        "pane-left": ("h",),
        "pane-right": ("l",),
        "cell-left": ("h",),
        "cell-right": ("l",),
    },
}


class KeymapError(Exception):
    """Keys that cannot be used.

    Attributes:
        faults: All that is wrong, at least one.
    """

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__()
        self.faults = tuple(faults)
        self.args = ("; ".join(f"keys.{name}: {words}" for name, words in self.faults),)


def applied(
    keys: Mapping[str, tuple[str, ...]],
    keymap: str = "default",
    table: tuple[Command, ...] = COMMANDS,
) -> tuple[Command, ...]:
    """The command table with the keys of an operator.

    Args:
        keys: For the id of a command its keys, in place of all that it has.
        keymap: Which keys are added to those of the table, one of `config.settings.KEYMAPS`.
        table: The commands with the keys they have by themselves.

    Raises:
        KeymapError: No such command, no such key, one key for two commands on a screen, or no
            way to leave, to the help or to the palette.
    """
    added = _ADDED[keymap]
    found = tuple(
        replace(
            item,
            keys=_unique(map(canonical, keys.get(item.id, (*item.keys, *added.get(item.id, ()))))),
        )
        for item in table
    )
    faults = [*_names(keys, table), *_overlaps(found, keys), *_out_of_reach(found)]
    if faults:
        raise KeymapError(faults)
    return found


@runtime_checkable
class HasTable(Protocol):
    """An application whose commands have keys of its operator."""

    command_table: tuple[Command, ...]


def table_of(app: App[Any]) -> tuple[Command, ...]:
    """The command table of an application."""
    return app.command_table if isinstance(app, HasTable) else COMMANDS


def rebound(table: tuple[Command, ...]) -> dict[str, str]:
    """What differs from the command table, as `App.set_keymap` takes it."""
    before = {item.id: item.keys for item in COMMANDS}
    return {item.id: ",".join(item.keys) for item in table if item.keys != before[item.id]}


def canonical(key: str) -> str:
    """A key by the name that it arrives with: `slash` for `/`, `tab` for `ctrl+i`."""
    modifiers, plus, name = key.rpartition("+") if len(key) > 1 else ("", "", key)
    letter = name if len(name) == 1 else _letter(name)
    if letter in _SEPARATORS:
        name = _SEPARATORS[letter]
    elif letter is not None:
        name = next(iter(Binding.make_bindings([(letter, "", "")]))).key
    named = f"{modifiers}{plus}{name}"
    return _MAIN.get(named, named)


_STOPS = "ctrl+z"
"""Stops the program, as everywhere; the driver takes it before any command could."""


def known(key: str) -> bool:
    """Whether a key of this name can arrive."""
    if canonical(key) == _STOPS:
        return False
    *modifiers, name = canonical(key).split("+")
    if not set(modifiers) <= _MODIFIERS or len(set(modifiers)) != len(modifiers):
        return False
    if name in _NAMED:
        return True
    # A shifted letter arrives as the capital one.
    return _letter(name) is not None and modifiers != ["shift"]


def _letter(name: str) -> str | None:
    """The printable character behind the name of a key; None where it is a key of its own."""
    if name in _NAMED or not name:
        return None
    letter = key_to_character(REPLACED_KEYS.get(name, name))
    return letter if letter is not None and letter.isprintable() else None


def _names(keys: Mapping[str, tuple[str, ...]], table: tuple[Command, ...]) -> Iterator[Fault]:
    ids = [item.id for item in table]
    for name, wanted in keys.items():
        if name not in ids:
            nearest = get_close_matches(name, ids, n=1, cutoff=0.0)[0]
            yield name, f"no such command; the nearest is {nearest}"
        for key in wanted:
            if not known(key):
                yield name, f"no key is called {text.escaped(key)}"


def _overlaps(table: tuple[Command, ...], keys: Mapping[str, object]) -> Iterator[Fault]:
    """Each pair of commands that one key would mean on one screen, once."""
    seen: set[tuple[str, str]] = set()
    for screen in SCREENS:
        owner: dict[str, str] = {}
        for item in table:
            if item.screens and screen not in item.screens:
                continue
            for key in item.keys:
                other = owner.setdefault(key, item.id)
                if other == item.id or (other, item.id) in seen:
                    continue
                seen.add((other, item.id))
                blamed = item.id if item.id in keys else other
                yield blamed, f"{key} is {other} and {item.id} on {screen.capitalize()}"


def _out_of_reach(table: tuple[Command, ...]) -> Iterator[Fault]:
    for item in table:
        if item.id in _ALWAYS and not any(known(key) and _on_any(key) for key in item.keys):
            yield item.id, "at least one key must be on every keyboard, without alt or the like"


def _on_any(key: str) -> bool:
    modifiers, _, name = key.rpartition("+")
    return not modifiers or (modifiers == "ctrl" and len(name) == 1)


def _unique(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(keys))
