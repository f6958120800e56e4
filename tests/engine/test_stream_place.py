"""Where a machine says that its stream of kstate is, read as its kernel reads it."""

from pathlib import Path

import pytest

from kho_console.engine.mechanisms.observe import mechanisms, stream
from kho_console.engine.opening import CannotOpenError
from kho_console.model.kstate import KstateVersion
from kho_console.model.mechanism import KstateSeen
from kho_console.model.unknown import Unknown
from kho_console.source.fixture import FixtureSource
from tests.abi.kstate.streams import V1, V2, V3
from tests.made import Made

AT = 0x100000
DEV = V3[4:]


def machine(place: Path, line: str, content: bytes) -> FixtureSource:
    pages = {AT: content.ljust(4096, b"\0")}
    for name, data in Made("a machine", "6.3.0", line, pages).files():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return FixtureSource(place)


def seen(source: FixtureSource, line: str) -> KstateSeen:
    found = mechanisms(source, line.encode()).kstate
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("line", "content", "version", "entries"),
    [
        ("kstate_stream=0x100000@4096", V2, "v2", 1),
        # The step behind v2 has its option, and headers of 20 bytes.
        ("kstate_stream=0x100000@4096", DEV, "dev", 3),
        # Nothing reserves a stream of no size; it is read all the same.
        ("kstate_stream=0x100000", V2, "v2", 1),
        ("kstate_stream=0x100000", DEV, "dev", 3),
        ("migrate_stream=8M@0x100000", V1, "v1", 2),
        # To a kernel hyphens are underscores.
        ("kstate-stream=0x100000@4096", V2, "v2", 1),
        # Refused, and nothing is changed by it.
        ("migrate_stream=0x100000 migrate_stream", V1, "v1", 2),
    ],
)
def test_the_stream_is_read_where_the_kernel_reads_it(
    tmp_path: Path, line: str, content: bytes, version: str, entries: int
) -> None:
    found = seen(machine(tmp_path, line, content), line)
    assert not isinstance(found.entries, Unknown)
    assert (found.version, len(found.entries), found.terminated) == (version, entries, True)
    unreserved = "kstate-unreserved" in {item.id for item in found.findings}
    assert unreserved is (version != "v1" and "@" not in line)
    with stream(str(tmp_path)) as (reader, named):
        assert (named, reader.read(0, 16)) == (KstateVersion(version), content[:16])


@pytest.mark.parametrize(
    ("line", "place", "said"),
    [
        ("migrate_stream", "nowhere", "names no address"),
        ("kstate_stream=0xffffffffffffffff", "nowhere", "names no address"),
        ("kstate_stream=zzz", "nowhere", "refuses it, and takes 0x0"),
        ("migrate_stream=0x100000@8M", "0x800000", "memory at 0x800000"),
    ],
)
def test_why_there_is_no_stream(tmp_path: Path, line: str, place: str, said: str) -> None:
    found = seen(machine(tmp_path, line, V1), line)
    assert isinstance(found.entries, Unknown)
    assert found.place == place and said in found.entries.reason
    with pytest.raises(CannotOpenError, match=said), stream(str(tmp_path)):
        pass
