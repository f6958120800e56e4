"""The verb `config`: the settings, where each one comes from, and whether they hold."""

import os
from argparse import Namespace
from pathlib import Path

from kho_console.cli import exit_code, keymap, options, output
from kho_console.config import load
from kho_console.config.file import read
from kho_console.config.load import Loaded
from kho_console.config.origin import ConfigError, Fault, Layer, Origin
from kho_console.config.settings import Settings
from kho_console.config.table import KEYS, SETTINGS


def config(wanted: Namespace) -> int:
    """Show the settings, their files, or what is wrong with them."""
    answers = {"show": _show, "path": _path, "check": _check, "keys": _keys}
    return answers[wanted.what](wanted)


def _show(wanted: Namespace) -> int:
    try:
        found = options.loaded(wanted)
    except ConfigError as error:
        return options.unusable(error)
    values = _values(found.settings)
    if wanted.json:
        listed = [
            {"name": name, **_json_value(value), "origin": _json_origin(found.origins[name])}
            for name, value in values.items()
        ]
        output.document({"schema": 1, "settings": listed})
    elif wanted.origin:
        rows = ((name, _word(value), str(found.origins[name])) for name, value in values.items())
        output.table(rows, ("setting", "value", "origin"))
    else:
        output.table([(name, _word(value)) for name, value in values.items()], ("setting", "value"))
    return exit_code.DONE


def _path(wanted: Namespace) -> int:
    for path in load.files():
        state = "there" if path.exists() else "not there"
        output.line(f"{path}  {state}")
    return exit_code.DONE


def _check(wanted: Namespace) -> int:
    """Every fault, of one file or of all that would be in use."""
    if wanted.file is None:
        found, faults = options.looked(wanted)
        return _told((*faults, *_key_faults(found)))
    content = read(Path(wanted.file))
    if content is None:
        output.say(f"{wanted.file}: there is no such file")
        return exit_code.NOT_AVAILABLE
    keys = str(content.values.get("keymap", Settings().keymap))
    return _told((*content.faults, *keymap.faults(content.keys, keys, content.origins)))


def _keys(wanted: Namespace) -> int:
    """The keys as they are in use: those of the settings too."""
    try:
        found = options.loaded(wanted)
    except ConfigError as error:
        return options.unusable(error)
    wrong = _key_faults(found)
    if wrong:
        return options.unusable(ConfigError(*wrong))
    rows = keymap.table(found.settings.keys, found.settings.keymap)
    output.table(rows, ("command", "keys", "screens"))
    return exit_code.DONE


def _told(faults: tuple[Fault, ...]) -> int:
    for fault in faults:
        output.line(str(fault))
    if not faults:
        output.line("the settings hold")
    return exit_code.BAD_NEWS if faults else exit_code.DONE


def _key_faults(found: Loaded) -> tuple[Fault, ...]:
    return keymap.faults(found.settings.keys, found.settings.keymap, found.origins)


def _values(settings: Settings) -> dict[str, object]:
    values: dict[str, object] = {item.name: getattr(settings, item.name) for item in SETTINGS}
    return values | {f"{KEYS}.{name}": list(keys) for name, keys in settings.keys.items()}


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(value)
    return "none" if value is None else str(value)


def _json_value(value: object) -> dict[str, object]:
    if value is None:
        return {"value": None, "value_reason": "no file is named"}
    return {"value": os.fspath(value) if isinstance(value, Path) else value}


def _json_origin(origin: Origin) -> dict[str, object]:
    """As a document: the layer, what it calls itself, and the line where there is one."""
    found: dict[str, object] = {"layer": origin.layer}
    if origin.layer is not Layer.DEFAULT:
        found["name"] = origin.name
    if origin.line is not None:
        found["line"] = origin.line
    return found
