"""Descriptions: what gives the bytes of an entry their meaning (include/linux/kstate.h as posted).

There are no names and no types in a stream; without the description that it was written by, an
entry is bytes.
"""

import re
from collections.abc import Iterable, Iterator
from enum import IntFlag, StrEnum

from kho_console.model.kstate import KstateVersion
from kho_console.model.value import dataclass

POINTER_SIZE = 8


class KS(IntFlag):
    """The kernel's flags of a field; v1 calls BASE_TYPE `KS_SIMPLE`."""

    BASE_TYPE = 0x01
    POINTER = 0x02
    STRUCT = 0x04
    CUSTOM = 0x08
    ARRAY_OF_POINTER = 0x10
    ADDRESS = 0x20
    DEPRECATED = 0x40
    END = 0x80000000


class Custom(StrEnum):
    """The callbacks that kernels have: how they lay out what they save.

    `NOTHING` saves no byte and only does something; `STRING` ends with a NUL; `PAGES` are records
    of an order (u8) and a physical address (u64), as many as the field before says; `MARKED` are
    nested entries with a byte 1 before each and a byte 0 behind the last; `REST` is all that is
    left of the entry, of a layout that is not known.
    """

    NOTHING = "nothing"
    STRING = "string"
    PAGES = "pages"
    MARKED = "marked"
    REST = "rest"


_TYPE = re.compile(
    r"(?:(?P<sign>[uis])(?P<bits>8|16|32|64)|(?P<many>char|bytes)\[(?P<count>\d+)\])"
)
_LARGEST = 1 << 20
_DEEPEST = 64
"""Structs in structs, at most."""


@dataclass(frozen=True, slots=True)
class BaseType:
    """A plain type.

    Attributes:
        size: Bytes.
        signed: Whether a number is signed; None where it is no number but bytes.
        text: Whether bytes are text that a NUL ends.
    """

    size: int
    signed: bool | None
    text: bool = False


def base_type(name: str) -> BaseType:
    """The type called `u8` to `u64`, `i8` to `i64`, `char[N]` or `bytes[N]`.

    Raises:
        ValueError: There is none of that name, or it is larger than a megabyte.
    """
    found = _TYPE.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} is no type: u8 to u64, i8 to i64, char[N] or bytes[N]")
    if found["bits"]:
        return BaseType(int(found["bits"]) // 8, found["sign"] != "u")
    size = int(found["count"]) if len(found["count"]) < 9 else 0
    if not 0 < size <= _LARGEST:
        raise ValueError(f"{name!r} has no size from 1 to {_LARGEST}")
    return BaseType(size, None, found["many"] == "char")


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a description.

    Attributes:
        name: For people; never written.
        flags: How the kernel gets at the value and writes it.
        type: The plain type, where there is one.
        ksd: The id of the description of a nested struct.
        count: How many elements: a number, the name of a quantity of the machine such as `cpus`,
            or None where there is no callback. It is never written.
        custom: The layout of a custom field.
        version_id: The version of the description that has it first; the last one that has it
            where it is deprecated. Only v3 looks at it.
    """

    name: str
    flags: KS
    type: BaseType | None = None
    ksd: int | None = None
    count: int | str | None = None
    custom: Custom | None = None
    version_id: int = 0


@dataclass(frozen=True, slots=True)
class Description:
    """A `kstate_description`.

    Attributes:
        name: For people.
        id: What entries name it by.
        version_id: Its version.
        fields: In the order of the stream.
        min_version_id: The oldest version it says it reads; no kernel ever checks it.
        subsections: Ids of descriptions whose entries may follow (the unposted step and v3).
    """

    name: str
    id: int
    version_id: int
    fields: tuple[Field, ...]
    min_version_id: int = 0
    subsections: tuple[int, ...] = ()


class Registry:
    """The descriptions that a kernel of one series has, by their ids.

    Attributes:
        version: The series.
    """

    def __init__(self, version: KstateVersion, descriptions: Iterable[Description]) -> None:
        """Take them.

        Raises:
            ValueError: Two have one id, a nested one is missing, one nests itself, or they nest too
                deeply.
        """
        self.version = version
        self._by_id: dict[int, Description] = {}
        self._present: dict[int, tuple[Field, ...]] = {}
        for item in descriptions:
            if item.id in self._by_id:
                raise ValueError(f"{item.name}: the id {item.id} is taken")
            self._by_id[item.id] = item
        for item in self:
            for below in self._below(item):
                if below not in self._by_id:
                    raise ValueError(f"{item.name} nests a description {below} that is not there")
        self._refuse_circles()

    def __iter__(self) -> Iterator[Description]:
        return iter(self._by_id.values())

    def get(self, state_id: int) -> Description | None:
        """The description with that id."""
        return self._by_id.get(state_id)

    def nested(self, field: Field) -> Description:
        """The description of a struct field."""
        assert field.ksd is not None
        return self._by_id[field.ksd]

    def present(self, description: Description, version_id: int) -> tuple[Field, ...]:
        """The fields that an entry of that version has; deprecated ones have to be read past."""
        if version_id != description.version_id:
            return _present(description, version_id, self.version)
        found = self._present.get(description.id)
        if found is None:
            found = _present(description, version_id, self.version)
            self._present[description.id] = found
        return found

    def counted(self, description: Description) -> bool:
        """Whether a machine counts elements of it, or of what it nests."""
        left, seen = [description], {description.id}
        while left:
            fields = left.pop().fields
            if any(isinstance(field.count, str) for field in fields):
                return True
            below = {field.ksd for field in fields if field.ksd is not None} - seen
            seen |= below
            left += (self._by_id[number] for number in below)
        return False

    @staticmethod
    def _below(item: Description) -> Iterator[int]:
        yield from (field.ksd for field in item.fields if field.ksd is not None)
        yield from item.subsections

    def _refuse_circles(self) -> None:
        left = {item.id: set(self._below(item)) for item in self}
        depth = 0
        while left:
            depth += 1
            if depth > _DEEPEST:
                raise ValueError(f"descriptions nest more than {_DEEPEST} deep")
            leaves = [name for name, below in left.items() if not below & left.keys()]
            if not leaves:
                names = ", ".join(self._by_id[name].name for name in left)
                raise ValueError(f"these nest each other in a circle: {names}")
            for name in leaves:
                del left[name]


def _present(
    description: Description, version_id: int, version: KstateVersion
) -> tuple[Field, ...]:
    ends = (at for at, field in enumerate(description.fields) if field.flags & KS.END)
    fields = description.fields[: next(ends, None)]
    if not version.has_sections:
        return fields
    return tuple(
        field
        for field in fields
        if (
            version_id <= field.version_id
            if KS.DEPRECATED in field.flags
            else field.version_id <= version_id
        )
    )
