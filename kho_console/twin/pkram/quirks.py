"""What the posted series of PKRAM do that nobody wanted, each by a name."""

from enum import StrEnum


class Quirk(StrEnum):
    """A quirk; the value is its sentence."""

    PUT_TWICE = "the page of bytes that nobody read is freed with its object and with its node"
    SLOT_OF_A_HEAD = "a folio is tracked by its head alone: as the 2 MiB around it, all of them"
    COPIES_LEAK = "pages that were moved have two references: dropped, they stay for ever"
