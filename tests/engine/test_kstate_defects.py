"""Every defect that is known of kstate has a place, and its finding where a stream shows it."""

import re
import struct

import pytest

from kho_console.abi.kstate.description import KS, Custom, Description, Field, Registry, base_type
from kho_console.abi.kstate.v3 import reserve_mem_instance
from kho_console.abi.reader import Bytes
from kho_console.engine.findings.mechanisms import RULES
from kho_console.engine.formats.kstate import KstateStream, encoded
from kho_console.model.kstate import KstateEntry, KstateVersion
from kho_console.twin.kstate import Defect, Kstate, KstateV3
from kho_console.twin.kstate.defects import KNOWN, NOT_MODELLED
from tests.abi.kstate.streams import V1, V2, V3, shipped

KNOWN_NUMBERS = range(1, 17)
END = b"\xff" * 4
NUMBER = Field("n", KS.BASE_TYPE, base_type("u32"))
PAGES = Field("pages", KS.CUSTOM, custom=Custom.PAGES)
OWN = {
    "end": (NUMBER, Field("end", KS.END | KS.BASE_TYPE)),
    "counted": (Field("words", KS.BASE_TYPE, base_type("u32"), count="cpus"),),
    "large": (Field("large", KS.BASE_TYPE, base_type("bytes[9000]")),),
    "pages": (NUMBER, PAGES),
}


def own(version: KstateVersion, kind: str) -> Registry:
    return Registry(version, [Description(kind, 20, 0, OWN[kind])])


def entry(version: KstateVersion, state_id: int, instance: int, data: bytes) -> bytes:
    section = 2 if version.has_sections else None
    header = KstateEntry(0, section, state_id, 0, instance, len(data), 0)
    return b"".join(encoded(version, [(header, data)], Registry(version, ())))


def kept(*records: tuple[int, int], more: int = 0) -> bytes:
    packed = b"".join(struct.pack("<BQ", *record) for record in records)
    return entry(KstateVersion.V2, 20, 1, (len(records) + more).to_bytes(4, "little") + packed)


def region(instance: int) -> bytes:
    return entry(KstateVersion.V3, 5, instance, struct.pack("<16sQQ", b"oops", 0x5000, 4096))


def fields(version: KstateVersion, size: int) -> bytes:
    return entry(version, 20, 1, bytes(size))


V_1, V_2, _, V_3 = KstateVersion
OF_V3 = shipped(V_3)
MANY = V3[:-4] + V3[74:-4] * 200 + END
STREAMS = {
    Defect.END_IS_COMPARED: (own(V_1, "end"), fields(V_1, 4), V1),
    Defect.BYTE_IS_BOOL: (own(V_2, "pages"), kept((2, 0x8000)), kept((1, 0x8000))),
    Defect.READS_ON: (own(V_2, "pages"), fields(V_2, 3), kept()),
    Defect.NOT_CONSUMED: (own(V_2, "pages"), fields(V_2, 5), kept()),
    Defect.LED_BACK: (shipped(V_1), V1[:-4] + struct.pack("<4i", 9, 0, 1, -20), V1),
    Defect.COUNTED_AGAIN: (own(V_2, "counted"), fields(V_2, 8), V2),
    Defect.STALE_COUNT: (own(V_2, "pages"), kept((0, 0x5000), more=1), kept((0, 0x5000))),
    Defect.PAGE_TWICE: (own(V_2, "pages"), kept((0, 0x5000), (0, 0x5000)), kept((0, 0x5000))),
    Defect.NO_BOUNDS: (shipped(V_1), fields(V_1, 8 << 20), fields(V_1, 4096)),
    Defect.ENDLESS_ZEROS: (shipped(V_2), V2[:-4] + bytes(64), V2 + bytes(64)),
    Defect.UNPROTECTED: (own(V_2, "pages"), kept((0, 0x5000)), kept()),
    Defect.FOLIO_LOST: (OF_V3, MANY, V3),
    Defect.ONE_ORDER: (own(V_3, "large"), fields(V_3, 9000), V3),
    Defect.NAME_UNPADDED: (OF_V3, region(7), region(reserve_mem_instance(b"oops"))),
    Defect.STALE_ID: (OF_V3, V3[:4] + END + bytes(8), V3[:4] + END + b"\x02" * 8),
}


def found(registry: Registry, stream: bytes) -> set[str]:
    reading = KstateStream(Bytes(stream), registry.version, registry)
    for _ in reading.entries():
        pass
    return {item.id for item in reading.findings()}


def test_every_number_is_a_defect_or_has_its_reason() -> None:
    left_out = {
        int(match[1]) for name in NOT_MODELLED if (match := re.match(r"kstate (\d+)", name))
    }
    assert {item.number for item in KNOWN.values()} | left_out == set(KNOWN_NUMBERS)
    assert KNOWN.keys() == set(Defect)
    assert all(NOT_MODELLED.values())


def test_every_trace_in_a_stream_has_its_finding() -> None:
    named = {defect for defect, item in KNOWN.items() if item.finding}
    assert named == STREAMS.keys()
    assert {KNOWN[defect].finding for defect in named} <= {rule.id for rule in RULES}


@pytest.mark.parametrize("defect", STREAMS)
def test_what_a_defect_leaves_is_found(defect: Defect) -> None:
    registry, bad, good = STREAMS[defect]
    assert KNOWN[defect].finding in found(registry, bad)
    assert KNOWN[defect].finding not in found(registry, good)
    assert registry.version in KNOWN[defect].series


def test_what_twins_leave_is_found() -> None:
    first = Kstate(shipped(V_2))
    first.preserve_page(0x5000)
    assert "kstate-stale-count" in found(shipped(V_2), Kstate(shipped(V_2), first.save()).save())
    later = KstateV3(OF_V3)
    later.reserve_mem(b"oops", {"name": b"oops", "start": 1, "size": 1}, b"behind")
    assert found(OF_V3, later.save()) == {"kstate-v3-name"}
    assert found(OF_V3, KstateV3(OF_V3).save() + bytes(8)) >= {"kstate-v3-stale-id"}
