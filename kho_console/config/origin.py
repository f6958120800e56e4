"""Where a setting came from, and what is wrong with one."""

from enum import StrEnum

from kho_console.model.value import dataclass


class Layer(StrEnum):
    """The kinds of places a setting comes from; each one goes before those above it."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    OPTION = "option"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a setting came from.

    Attributes:
        layer: The kind of place.
        name: The file, the variable or the option; empty for a default.
        line: The line in a file, from 1; None where there is none or it is not known.
    """

    layer: Layer
    name: str = ""
    line: int | None = None

    def __str__(self) -> str:
        if self.layer is Layer.DEFAULT:
            return "default"
        if self.layer is Layer.FILE:
            return self.name if self.line is None else f"{self.name}:{self.line}"
        return f"{self.layer} {self.name}"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is wrong with a setting, and where it stands."""

    origin: Origin
    words: str

    def __str__(self) -> str:
        return f"{self.origin}: {self.words}"


class ConfigError(Exception):
    """Settings that cannot be used.

    Attributes:
        faults: All that is wrong, in the order of reading; at least one.
    """

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults
