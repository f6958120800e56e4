"""The fixtures of mechanisms that no kernel here has: what decoding says of each."""

import pytest

from tests.cli.run import Console
from tests.cli.test_documents import validate
from tests.made import FOLDER, PFN, STREAM, every, made

PKRAM = [name for name in made() if "pkram" in name]
KSTATE = [name for name in made() if "kstate" in name]


@pytest.mark.parametrize("name", every())
def test_they_are_what_the_writers_make(name: str) -> None:
    files = {
        str(path.relative_to(FOLDER / name)): path.read_bytes()
        for path in (FOLDER / name).rglob("*")
        if path.is_file()
    }
    assert files == every()[name], "run `python -m tests.made`"
    assert b"Made up" in files["manifest.json"]


@pytest.mark.parametrize("name", PKRAM)
def test_nodes(console: Console, name: str) -> None:
    hostile = name.startswith("hostile")
    version = () if hostile else ("--version", name[-2:])
    words = ("decode", "pkram", str(FOLDER / name), "--pfn", f"{PFN:x}", *version)
    answer = console(*words, "--json")
    validate(answer.document, "pkram")
    assert (answer.code, console(*words).code) == (int(hostile), int(hostile))
    if not hostile:
        first, last = answer.document["nodes"]
        assert (first["name"], last["name"]) == ("shmem-guests", "empty")
        assert [item["blocks_by_order"] for item in first["objects"]] == [{"9": 3}, {"0": 700}]
        assert [item["byte_count"] for item in first["objects"]] == [52, 52]


@pytest.mark.parametrize("name", KSTATE)
def test_streams(console: Console, name: str) -> None:
    hostile = name.startswith("hostile")
    file = FOLDER / name / "physmem" / f"0x{STREAM:x}.bin"
    answer = console("decode", "kstate", str(file), "--version", name[-2:], "--json")
    validate(answer.document, "kstate")
    assert answer.code == int(hostile)
    assert answer.document["terminated"] is not hostile


@pytest.mark.parametrize("name", made())
def test_each_is_a_machine_without_a_handover(console: Console, name: str) -> None:
    answer = console("--source", str(FOLDER / name), "status", "--json")
    validate(answer.document, "status")
    assert answer.document["handover"]["state"] == "unavailable"


@pytest.mark.parametrize(
    ("name", "line"),
    [("pkram-v3", "PKRAM      v3, 2 nodes"), ("kstate-v1", "kstate     v1, 2 entries")],
)
def test_status_names_the_mechanism_and_no_option_that_the_kernel_lacks(
    console: Console, name: str, line: str
) -> None:
    words = ("--source", str(FOLDER / name), "status")
    answer = console(*words)
    assert line in answer.out and "older than kexec handover" in answer.out
    assert "kho=on" not in answer.out
    document = console(*words, "--json").document
    validate(document, "status")
    key = name.split("-")[0]
    assert document["mechanisms"][key]["version"] == name.split("-")[1]
    assert [item for item in document["mechanisms"].values() if item is None] == [None]


@pytest.mark.parametrize("name", ["kstate-v1", "kstate-v2", "kstate-v3", "pkram-v1", "pkram-v3"])
def test_a_fixture_tells_where_to_decode(console: Console, name: str) -> None:
    kind = name.split("-")[0]
    told = console("decode", kind, str(FOLDER / name))
    assert told.code == 0 and f"{kind} v".lower() in told.out.lower().replace(", read as", "")
    assert console("decode", kind, f"made/{name}").out == told.out
    other = {"kstate": "pkram", "pkram": "kstate"}[kind]
    answer = console("decode", other, str(FOLDER / name))
    assert answer.code == 3 and "names" in answer.err


def test_the_stream_of_v3_ends_where_its_end_mark_is(console: Console) -> None:
    answer = console("--source", "made/kstate-v3", "status", "--json").document
    assert answer["mechanisms"]["kstate"]["version"] == "v3"
    assert not [item for item in answer["findings"] if item["id"].startswith("kstate")]


def test_an_image_of_memory_needs_the_frame(console: Console) -> None:
    answer = console("decode", "pkram", str(FOLDER / "pkram-v3" / "physmem" / "0x40000.bin"))
    assert answer.code == 2 and "--pfn" in answer.err


def test_a_twin_that_is_not_there_brings_the_names_of_those_that_are(console: Console) -> None:
    answer = console("--source", "made/kho2024-active", "check", "--kernel", "twin:2024")
    assert answer.code == 3
    assert "twin:2024-rfc" in answer.err and "twin:7.3" in answer.err
