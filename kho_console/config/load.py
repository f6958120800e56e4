"""Puts the layers of settings together: defaults, files, environment, options."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from kho_console.config import places
from kho_console.config.origin import ConfigError, Fault, Layer, Origin
from kho_console.config.settings import Settings
from kho_console.config.table import SETTINGS, Form, Setting, Value
from kho_console.model.value import dataclass

NO_CONFIG = "KHO_CONSOLE_NO_CONFIG"
"""The environment variable that has the files left alone."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """The settings, and where each one came from.

    Attributes:
        settings: The settings.
        origins: For the name of a setting, or `keys.ID` of a command, where it came from.
    """

    settings: Settings
    origins: Mapping[str, Origin]


def files(environment: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """The files of settings, whether they are there or not; the last one goes first."""
    user = places.user_file(environment)
    return (places.MACHINE,) if user is None else (places.MACHINE, user)


def load(
    options: Mapping[str, str | bool],
    environment: Mapping[str, str] = os.environ,
    read_from: Sequence[Path] | None = None,
) -> Loaded:
    """The settings, from what `look` takes.

    Raises:
        ConfigError: Something in them is wrong.
    """
    found, faults = look(options, environment, read_from)
    if faults:
        raise ConfigError(*faults)
    return found


def look(
    options: Mapping[str, str | bool],
    environment: Mapping[str, str] = os.environ,
    read_from: Sequence[Path] | None = None,
) -> tuple[Loaded, tuple[Fault, ...]]:
    """The settings without those that are wrong, and all that is wrong.

    Args:
        options: What the command line gives, by the name of the setting.
        environment: The environment variables.
        read_from: The files to read, the last one going first; those of the machine and the
            user where None.
    """
    layers = _Layers()
    layers.read(files(environment) if read_from is None else read_from)
    for setting in SETTINGS:
        word = environment.get(setting.variable, "") if setting.variable else ""
        if word:
            layers.word(setting, word, Origin(Layer.ENVIRONMENT, setting.variable))
    for setting in SETTINGS:
        if setting.name in options:
            _option(layers, setting, options[setting.name])
    return layers.loaded(), tuple(layers.faults)


def option(setting: Setting, value: object) -> str:
    """The option that gives a setting a value: `--no-mouse`."""
    return f"--no-{setting.name}" if value is False else f"--{setting.name}"


def _option(layers: "_Layers", setting: Setting, given: str | bool) -> None:
    origin = Origin(Layer.OPTION, option(setting, given))
    if isinstance(given, bool):
        layers.put(setting.name, given, origin)
    else:
        layers.word(setting, given, origin)


class _Layers:
    """Values so far; what is put later goes before what is there."""

    def __init__(self) -> None:
        plain = Settings()
        self._values: dict[str, Value] = {item.name: getattr(plain, item.name) for item in SETTINGS}
        self._origins = {item.name: Origin(Layer.DEFAULT) for item in SETTINGS}
        self._keys: dict[str, tuple[str, ...]] = {}
        self._files: list[Path] = []
        self.faults: list[Fault] = []

    def read(self, paths: Iterable[Path]) -> None:
        """Put what files say."""
        for path in paths:
            if not _stands(path):
                continue
            # Not above: most machines have no such file, and need no parser for it.
            from kho_console.config.file import read

            found = read(path)
            if found is not None:
                self._files.append(path)
                self._values.update(found.values)
                self._keys.update(found.keys)
                self._origins.update(found.origins)
                self.faults.extend(found.faults)

    def word(self, setting: Setting, word: str, origin: Origin) -> None:
        """Put what a word of the environment or the command line gives."""
        try:
            self.put(setting.name, setting.of_word(word), origin)
        except ValueError:
            expected = "a file" if setting.form is Form.FILE else setting.expected
            self.faults.append(Fault(origin, f"{word!a}; expected {expected}"))

    def put(self, name: str, value: Value, origin: Origin) -> None:
        """Put a value."""
        self._values[name], self._origins[name] = value, origin

    def loaded(self) -> Loaded:
        """All together."""
        if self._values["debug"] and self._origins["log"].layer is Layer.DEFAULT:
            self.put("log", places.log_file(), self._origins["debug"])
        given: dict[str, Any] = dict(self._values)
        return Loaded(Settings(**given, keys=self._keys, files=tuple(self._files)), self._origins)


def _stands(path: Path) -> bool:
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # Reading it tells what is the matter.
    return True
