"""What must survive a kexec: noted before it, verified behind it."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kho_console.abi.memory import PhysicalMemory
from kho_console.engine.observe import observe
from kho_console.engine.verify import note_file, owner_file
from kho_console.engine.verify.note import note
from kho_console.engine.verify.note_file import NoteError
from kho_console.engine.verify.verify import verify
from kho_console.model.snapshot import Snapshot
from kho_console.model.unknown import Cause, Unknown
from kho_console.model.verification import Fate, Kind, Note, Noted, Standing, Verification
from kho_console.source.fixture import FixtureSource
from kho_console.source.protocol import Source
from kho_console.twin import TwinSource, twin_of
from tests.recordings import folder
from tests.twin.scenes import execute, load, recorded
from tests.twin.test_recorded import HELD

PAIRS = {
    ("6.17.8", "restored"): {Fate.ARRIVED: 3, Fate.UNCHANGED: 1, Fate.RELEASED: 1},
    ("6.18.15", "restored"): {Fate.ARRIVED: 3, Fate.UNCHANGED: 1, Fate.RELEASED: 1},
    ("6.19.11", "restored"): {
        Fate.UNKNOWN: 1, Fate.ARRIVED: 9, Fate.UNCHANGED: 1, Fate.RELEASED: 1},
    ("7.1.13", "restored"): {
        Fate.UNKNOWN: 1, Fate.ARRIVED: 9, Fate.UNCHANGED: 2, Fate.RELEASED: 1},
    ("7.1.13", "retrieved"): {
        Fate.UNKNOWN: 4, Fate.ARRIVED: 6, Fate.UNCHANGED: 2, Fate.RELEASED: 1},
    ("7.2.13", "restored"): {
        Fate.UNKNOWN: 6, Fate.ARRIVED: 3, Fate.UNCHANGED: 2, Fate.RELEASED: 2},
    ("7.3.4", "restored"): {
        Fate.UNKNOWN: 1, Fate.ARRIVED: 9, Fate.UNCHANGED: 2, Fate.RELEASED: 1},
    ("7.3.4", "retrieved"): {
        Fate.UNKNOWN: 5, Fate.ARRIVED: 4, Fate.UNCHANGED: 2, Fate.RELEASED: 2},
}  # fmt: skip
READY, RESTORED = "linux-7.3.4/ready", "linux-7.3.4/restored"


class MoreMemory:
    """Memory with some more bytes than a recording has."""

    def __init__(self, base: PhysicalMemory, address: int, data: bytes) -> None:
        self._base, self._address, self._data = base, address, data

    def read(self, address: int, size: int) -> bytes:
        first = address - self._address
        if first >= 0 and first + size <= len(self._data):
            return self._data[first : first + size]
        return self._base.read(address, size)


def with_memory(name: str, address: int, data: bytes) -> Source:
    """A recording of its own, for its memory is changed."""
    source = FixtureSource(folder(name))
    source._memory = MoreMemory(source.memory, address, data)  # type: ignore[assignment]
    return source


def noted(name: str, *declared: Noted) -> Note:
    source = recorded(name)
    return note(source, observe(source), declared)[0]


def held_against(made: Note, name: str) -> Verification:
    source = recorded(name)
    return verify(source, observe(source), made)


def fates(found: Verification, kind: Kind) -> dict[bytes, Fate]:
    return {item.item.name: item.fate for item in found.traced if item.item.kind is kind}


def why(found: Verification, name: bytes) -> str:
    return next(item.why for item in found.traced if item.item.name == name)


@pytest.mark.parametrize(("release", "moment"), PAIRS)
def test_real_kernels(release: str, moment: str) -> None:
    found = held_against(noted(f"linux-{release}/ready"), f"linux-{release}/{moment}")
    assert Counter(item.fate for item in found.traced) == PAIRS[release, moment]
    unseen = [item for item in found.traced if item.fate is Fate.UNKNOWN]
    partly = any(item.item.kind is not Kind.OWNER for item in unseen)
    assert partly == (PAIRS[release, moment].get(Fate.UNKNOWN, 0) > 1)
    expected = Standing.PARTLY if partly else Standing.VERIFIED
    assert (found.standing, found.remarks) == (expected, ())
    assert set(fates(found, Kind.RESERVE_MEM).values()) == {Fate.ARRIVED}
    assert fates(found, Kind.BLOB)[b"memblock"] is Fate.UNCHANGED
    assert all(item.why for item in found.traced)


def test_what_a_kernel_frees_by_design_is_not_missing() -> None:
    found = held_against(noted(READY), "linux-7.3.4/retrieved")
    assert fates(found, Kind.BLOB)[b"LUO"] is Fate.RELEASED
    assert fates(found, Kind.MAP)[b""] is Fate.RELEASED
    assert fates(found, Kind.SESSION) == {
        b"vm-web": Fate.ARRIVED, b"vm-db": Fate.UNKNOWN, b"empty": Fate.UNKNOWN}  # fmt: skip
    assert "opened since the boot" in why(found, b"vm-db")


@pytest.mark.parametrize("release", ["6.18.15", "6.19.11", "7.1.13", "7.2.13", "7.3.4"])
def test_a_twin_hands_all_over_to_its_own_release(release: str) -> None:
    twin = twin_of(recorded(f"linux-{release}/ready"), files=HELD.get(release, {}))
    source = TwinSource(twin)
    load(twin, release)
    made, doubts = note(source, observe(source))
    assert verify(source, observe(source), made).standing is Standing.SAME_BOOT
    execute(twin)
    found = verify(source, observe(source), made)
    assert (found.standing, doubts) == (Standing.VERIFIED, ())
    expected = dict.fromkeys(HELD.get(release, {}), Fate.ARRIVED)
    assert fates(found, Kind.SESSION) == expected


def test_a_twin_that_crosses_to_another_protocol_loses_all() -> None:
    twin = twin_of(recorded("linux-7.1.13/ready"), files=HELD["7.1.13"])
    source = TwinSource(twin)
    load(twin, "7.3.4")
    made, _ = note(source, observe(source))
    execute(twin)
    found = verify(source, observe(source), made)
    assert found.standing is Standing.NO_HANDOVER
    assert {item.fate for item in found.traced} == {Fate.MISSING}
    assert "did not take it" in found.traced[0].why


def without_blob(seen: Snapshot) -> Snapshot:
    assert not isinstance(seen.incoming, Unknown)
    assert not isinstance(seen.incoming.tree, Unknown)
    assert not isinstance(seen.incoming.blobs, Unknown)
    tree = replace(
        seen.incoming.tree,
        pointers=tuple(at for at in seen.incoming.tree.pointers if at.name != b"memblock"),
    )
    blobs = tuple(item for item in seen.incoming.blobs if item.name != b"memblock")
    return replace(seen, incoming=replace(seen.incoming, tree=tree, blobs=blobs))


def without_session(seen: Snapshot) -> Snapshot:
    sessions = seen.inventory.sessions
    assert not isinstance(sessions, Unknown)
    left = tuple(item for item in sessions if item.name != b"vm-db")
    return replace(seen, inventory=replace(seen.inventory, sessions=left, waiting=2))


def without_live_update(seen: Snapshot) -> Snapshot:
    return replace(seen, liveupdate_device=False)


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        (without_blob, {b"memblock", b"oops", b"trace"}),
        (without_session, {b"vm-db", b""}),
        (without_live_update, {b"vm-web", b"vm-db", b"empty", b""}),
    ],
)
def test_what_is_missing_is_said(change: Callable[[Snapshot], Snapshot], lost: set[bytes]) -> None:
    source = recorded(RESTORED)
    found = verify(source, change(observe(source)), noted(READY))
    assert found.standing is Standing.MISSING
    assert {item.item.name for item in found.traced if item.fate is Fate.MISSING} == lost


def hidden(seen: Snapshot, *names: bytes) -> Snapshot:
    """Where no file shows these blobs, and the root tree that came in is not to be read."""
    assert not isinstance(seen.incoming, Unknown) and not isinstance(seen.incoming.blobs, Unknown)
    blobs = tuple(item for item in seen.incoming.blobs if item.name not in names)
    tree = Unknown(Cause.NOT_PERMITTED, "not permitted")
    return replace(seen, incoming=replace(seen.incoming, tree=tree, blobs=blobs))


def test_what_only_the_tree_could_tell_is_not_missing() -> None:
    source, made = recorded(RESTORED), noted(READY)
    seen = hidden(observe(source), b"memblock", b"LUO")
    found = verify(source, seen, made)
    assert found.standing is Standing.PARTLY
    for name in (b"memblock", b"oops", b"trace", b"LUO", b"vm-db"):
        assert "not permitted" in why(found, name)
    lost = verify(source, replace(seen, incoming=Unknown(Cause.LATE, "late")), made)
    assert (lost.standing, lost.traced[0].why) == (Standing.UNKNOWN, "late")
    # The tree names what no file shows: its regions are not gone for that.
    tree = observe(source).incoming
    assert not isinstance(tree, Unknown) and not isinstance(seen.incoming, Unknown)
    named = verify(source, replace(seen, incoming=replace(seen.incoming, tree=tree.tree)), made)
    assert fates(named, Kind.BLOB)[b"memblock"] is Fate.ARRIVED
    assert fates(named, Kind.RESERVE_MEM) == {b"oops": Fate.UNKNOWN, b"trace": Fate.UNKNOWN}
    assert Fate.MISSING not in fates(named, Kind.SESSION).values()


def test_what_this_kernel_asks_for_may_be_hidden_too() -> None:
    source = recorded(RESTORED)
    seen = observe(source)
    late = replace(seen.outgoing, blobs=Unknown(Cause.LATE, "late"))
    found = verify(source, replace(seen, outgoing=late), noted(READY))
    assert fates(found, Kind.RESERVE_MEM)[b"oops"] is Fate.ARRIVED
    assert "does not ask" not in why(found, b"oops")


def test_content_of_reserve_mem() -> None:
    made = noted(READY)
    oops = next(item for item in made.items if item.name == b"oops")
    assert oops.address is not None and oops.size is not None and oops.sha256 is None
    before = with_memory(READY, oops.address, b"a" * oops.size)
    made, _ = note(before, observe(before))
    assert next(item for item in made.items if item.name == b"oops").sha256

    def behind(data: bytes, against: Note) -> Fate:
        source = with_memory(RESTORED, oops.address or 0, data)
        found = verify(source, observe(source), against)
        return fates(found, Kind.RESERVE_MEM)[b"oops"]

    assert behind(b"a" * oops.size, made) is Fate.UNCHANGED
    changed = b"a" * (oops.size - 1) + b"b"
    assert behind(changed, made) is Fate.ARRIVED  # Its owner may write to it at any time.
    digest = hashlib.sha256(b"a" * oops.size).hexdigest()
    declared = Noted(Kind.RESERVE_MEM, b"oops", sha256=digest)
    made, _ = note(before, observe(before), [declared])
    assert behind(changed, made) is Fate.MISSING
    # A region of that name in another place is not the one.
    moved = replace(made, items=(replace(oops, address=oops.address + 4096),))
    assert behind(changed, moved) is Fate.MISSING


def test_declared_memory_and_tokens() -> None:
    page = recorded(READY).memory.read(0x66F000, 4096)
    digest = hashlib.sha256(page).hexdigest()
    here = Noted(Kind.REGION, b"metadata", 0x66F000, 4096, sha256=digest)
    outside = Noted(Kind.REGION, b"nowhere", 0x1000, 4096)
    tokens = Noted(Kind.SESSION, b"vm-web", tokens=(0x1001, 0x9999))
    nobody = Noted(Kind.SESSION, b"vm-nobody")
    source = recorded(READY)
    made, doubts = note(source, observe(source), [here, outside, tokens, nobody])
    assert [words.partition(" is ")[0] for words in doubts] == ["region nowhere",
                                                               "session vm-nobody"]  # fmt: skip
    found = held_against(made, RESTORED)
    assert fates(found, Kind.SESSION)[b"vm-web"] is Fate.MISSING
    assert "0x9999" in why(found, b"vm-web") and "0x1001" not in why(found, b"vm-web")
    assert fates(found, Kind.SESSION)[b"vm-nobody"] is Fate.MISSING
    assert fates(found, Kind.REGION)[b"metadata"] is Fate.UNCHANGED
    assert fates(found, Kind.REGION)[b"nowhere"] is Fate.UNKNOWN


def test_boots_hosts_and_counts() -> None:
    made = noted(READY)
    assert held_against(made, READY).standing is Standing.SAME_BOOT
    assert held_against(replace(made, host="hv-18"), RESTORED).standing is Standing.OTHER_HOST
    source = recorded(RESTORED)
    renamed = verify(source, observe(source), replace(made, host="hv-18"), any_host=True)
    assert renamed.standing is Standing.VERIFIED
    cold = held_against(replace(made, boot="another"), "linux-7.3.4/cold")
    assert cold.standing is Standing.NO_HANDOVER
    later = held_against(replace(made, kexec_count=3, release="7.9", boot=None), RESTORED)
    assert len(later.remarks) == 3
    hidden = replace(
        observe(source), booted_through_handover=Unknown(Cause.NOT_PERMITTED, "no debugfs")
    )
    assert verify(source, hidden, made).standing is Standing.UNKNOWN


def test_a_note_goes_to_a_file_and_back(tmp_path: Path) -> None:
    place = tmp_path / "note.json"
    tokens = Noted(Kind.SESSION, b"\xff\x1b[31m", tokens=(1 << 63,))
    made = noted(READY, tokens)
    note_file.write(made, place)
    note_file.write(made, place)
    assert note_file.read(place) == made
    assert place.stat().st_mode & 0o777 == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["note.json"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.replace(b"oops", b"ooqs", 1),
        lambda data: data[:-40],
        lambda data: b"[1]",
        lambda data: b"[" * 100_000,
        lambda data: data.replace(b'"schema": 1', b'"schema": 2'),
        lambda data: b"\0" * 100,
    ],
)
def test_a_damaged_note_is_refused_and_nothing_else_is_overwritten(
    damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    place = tmp_path / "note.json"
    note_file.write(noted(READY), place)
    place.write_bytes(damage(place.read_bytes()))
    before = place.read_bytes()
    with pytest.raises(NoteError):
        note_file.read(place)
    with pytest.raises(NoteError):
        note_file.write(noted(READY), place)
    assert place.read_bytes() == before


def test_a_note_of_wrong_types_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "note.json"
    note_file.write(noted(READY), place)
    body = json.loads(place.read_text())
    del body["sha256"]
    nameless = [{**body["items"][0], "name": 5}]
    wrongs = {"items": 3, "made": None, "boot": 5, "kexec_count": "1"}.items()
    for key, value in (*wrongs, ("items", nameless)):
        wrong = {**body, key: value}
        plain = json.dumps(wrong, sort_keys=True, separators=(",", ":"))
        wrong["sha256"] = hashlib.sha256(plain.encode()).hexdigest()
        place.write_text(json.dumps(wrong))
        with pytest.raises(NoteError):
            note_file.read(place)


def test_what_owners_declare(tmp_path: Path) -> None:
    file = tmp_path / "keep.toml"
    file.write_text(
        '[[keep]]\nname = "a"\naddress = 0x1000\nsize = 4096\n'
        '[[keep]]\nname = "b"\nsession = "vm-web"\ntokens = [0x1001, 2]\n'
        f'[[keep]]\nname = "c"\nblob = "LUO"\nsha256 = "{"AB" * 32}"\n'
    )
    assert owner_file.read(file) == (
        Noted(Kind.REGION, b"a", 0x1000, 4096),
        Noted(Kind.SESSION, b"vm-web", tokens=(0x1001, 2)),
        Noted(Kind.BLOB, b"LUO", sha256="ab" * 32),
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("x = 1\n", ":1: there is no 'x'"),
        ('[[keep]]\nname = "a"\n', ":1: 'a' is one of blob, session, reserve_mem"),
        ('[[keep]]\nname = "a"\nblob = "b"\nsession = "c"\n', ":1: 'a' is one of"),
        ('[[keep]]\nname = "a"\n\naddress = -1\nsize = 1\n', ":4: 'address' is a number"),
        ('[[keep]]\nname = "a"\naddress = true\nsize = 1\n', ":3: 'address' is a number"),
        ('[[keep]]\nname = "a"\nblob = "b"\nsha256 = "12"\n', ":4: 'sha256' has 64"),
        ('[[keep]]\nname = "a"\nsession = "b"\ntokens = [1, 1]\n', ":4: 'tokens' are numbers"),
        ('[[keep]]\nname = "a"\nblob = "b"\nsizes = 1\n', ":4: there is no 'sizes'"),
        ('[[keep]]\nname = 3\nblob = "b"\n', ":2: 'name' is a text"),
        ('[[keep]]\nname="a"\nblob="b"\n[[keep]]\nname="c"\nblob="b"\n', ":4: it is declared tw"),
        ("keep = 3\n", ":1: entries are [[keep]]"),
        ("keep", "Expected '='"),
    ],
)
def test_a_wrong_declaration_names_line_and_key(content: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "keep.toml"
    file.write_text(content)
    with pytest.raises(owner_file.OwnerFileError) as caught:
        owner_file.read(file)
    assert words in str(caught.value)
