"""Which series a stream is of, as far as its bytes tell."""

from itertools import islice

from kho_console.abi.kstate.stream import MAGIC, Walk, magic
from kho_console.abi.reader import Reader
from kho_console.model.kstate import KstateEntry, KstateVersion

_LOOKED_AT = 4096
_V1_TRACE = range(3, 7)
_V1_TEST, _V2_TEST = (2, 30), (3, 54)
"""State id and size of the entries of their tests, which only one series has."""


def detect(reader: Reader) -> tuple[KstateVersion, str | None]:
    """The series of a stream, and why that is only a guess where it is one.

    Streams of v1 and v2 look alike but for what is in them, and a stream of the unposted step has
    no magic number: who knows the series should say so.
    """
    if magic(reader) == MAGIC:
        return KstateVersion.V3, None
    with_sections = _looks_like(reader, KstateVersion.DEV)
    plain = _looks_like(reader, KstateVersion.V1)
    if with_sections is not None and magic(reader) in (1, 2):
        doubt = "its headers read as those of v1 too" if plain else None
        return KstateVersion.DEV, doubt
    found = {(entry.state_id, entry.size) for entry in plain or ()}
    if _V2_TEST in found:
        return KstateVersion.V2, None
    if _V1_TEST in found or any(state_id in _V1_TRACE for state_id, _ in found):
        return KstateVersion.V1, None
    return KstateVersion.V2, "nothing in it tells v1 from v2"


def _looks_like(reader: Reader, version: KstateVersion) -> list[KstateEntry] | None:
    """The first entries where the stream reads as one of that series, None where it does not."""
    walk = Walk(reader, version)
    found = list(islice(walk.entries(), _LOOKED_AT))
    return None if walk.faults else found
