"""The stream of kstate: state that a kernel saves record by record for the next one.

Posted as v1 (October 2024), v2 (March 2025), an unposted step behind it, and v3 (September 2025).
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from kho_console.model.tree import Fault
from kho_console.model.unknown import Maybe
from kho_console.model.value import dataclass


class KstateVersion(StrEnum):
    """A series; each has its own stream."""

    V1 = "v1"
    V2 = "v2"
    DEV = "dev"
    V3 = "v3"

    @property
    def has_sections(self) -> bool:
        """Whether each header begins with a section type."""
        return self in (KstateVersion.DEV, KstateVersion.V3)

    @property
    def header(self) -> int:
        """Bytes of the header of an entry."""
        return 20 if self.has_sections else 16

    @property
    def start(self) -> int:
        """Offset of the first entry: v3 has a magic number before it."""
        return 4 if self is KstateVersion.V3 else 0


@dataclass(frozen=True, slots=True)
class KstateEntry:
    """The header of an entry at the top level.

    Attributes:
        offset: Of the header in the stream.
        section: 2 for a section, 1 for a subsection; None where the series has none.
        state_id: The description that it was written by.
        version_id: The version of that description when it was written.
        instance_id: Which object of that description.
        size: Bytes behind the header.
        data: Offset of these bytes.
    """

    offset: int
    section: int | None
    state_id: int
    version_id: int
    instance_id: int
    size: int
    data: int

    @property
    def end(self) -> int:
        """Offset of what follows."""
        return self.data + self.size


StateValue: TypeAlias = int | bytes | list["StateValue"] | Mapping[str, "StateValue"]
"""The value of a field: a number, bytes, several of these, or a struct by its fields' names."""


@dataclass(frozen=True, slots=True)
class FieldLine:
    """A field at its place in the stream.

    Attributes:
        depth: How many structs it lies in.
        label: Its name, with the number of the element where there are several.
        offset: Where it begins in the stream.
        value: Its value; None for a struct, whose fields follow.
    """

    depth: int
    label: str
    offset: int
    value: StateValue | None


@dataclass(frozen=True, slots=True)
class DecodedEntry:
    """An entry and what its description makes of it.

    Attributes:
        entry: Its header.
        name: The name of its description.
        fields: Its fields in their order.
        content: Its bytes.
        faults: What does not fit its description; offsets are those of the stream.
        warnings: What the kernel warns of and goes on: it is of another version or instance.
        lines: The fields at their places, where they were asked for.
    """

    entry: KstateEntry
    name: Maybe[str]
    fields: Maybe[Mapping[str, StateValue]]
    content: Maybe[bytes]
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    lines: tuple[FieldLine, ...] = ()
