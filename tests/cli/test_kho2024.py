"""The series of 2024 on the command line, from the cold boot over the kexec."""

from pathlib import Path
from shutil import copytree

import pytest

from tests.abi.test_kho2024 import DATA, SLAB, TEN, TREE, cpu, mem, tree
from tests.cli.run import Console
from tests.cli.test_documents import validate
from tests.made_2024 import made
from tests.recordings import folder

INACTIVE = str(folder("made/kho2024-inactive"))


@pytest.mark.parametrize("name", made())
@pytest.mark.parametrize("verb", ["status", "scratch", "blobs", "preserved", "sessions"])
def test_every_document_holds(console: Console, name: str, verb: str) -> None:
    answer = console("--source", str(folder(f"made/{name}")), verb, "--json")
    validate(answer.document, verb)
    if verb != "status":
        return
    mechanism = answer.document["handover"]
    assert (mechanism["generation"], mechanism["finalize"]) == ("2024-rfc", "active-file")
    assert mechanism["map_format"] == "mem-arrays"
    active = (folder(f"made/{name}") / "root/sys/kernel/kho/active").read_text() == "1\n"
    assert mechanism["state"] == ("finalized" if active else "open")
    assert len(answer.document["scratch"]) == 1


def test_over_the_kexec(console: Console, tmp_path: Path) -> None:
    twin = ("--source", INACTIVE, "--twin", str(tmp_path / "a.twin"))
    assert console(*twin, "activate").code == 0
    document = console(*twin, "status", "--json").document
    assert document["handover"]["state"] == "finalized"
    given = document["outgoing"]["preserved"]["bytes"]
    assert console(*twin, "load", "--kernel", "twin:2024-rfc", "--append", "quiet").code == 0
    assert console(*twin, "deactivate").code == 0
    assert console(*twin, "execute").code == 0
    document = console(*twin, "status", "--json").document
    assert document["handover"]["booted_through_handover"] is True
    assert document["handover"]["state"] == "open"
    # The image had its copy, and the new tracer goes on with all of it.
    assert document["incoming"]["preserved"]["bytes"] == given
    [blob] = document["incoming"]["blobs"]
    assert (blob["name"], blob["compatible"], blob["state"]) == ("ftrace", "ftrace-v1", "valid")
    answer = console(*twin, "preserved", "--side", "in", "--json")
    assert sum(item["size"] for item in answer.document["ranges"]) == given


def test_where_the_other_name_is_meant(console: Console) -> None:
    answer = console("--source", INACTIVE, "--rehearse", "finalize")
    assert answer.code == 3
    assert "use the verb activate" in answer.err


def test_its_tree_as_source(console: Console) -> None:
    active = str(folder("made/kho2024-active"))
    answer = console("--source", active, "tree", "out", "ftrace")
    assert "trace-flags = [00 57 00 00]; /* 0x5700, native u32 */" in answer.out


def test_what_came_in_with_what_became_of_it(console: Console) -> None:
    source = ("--source", "made/kho2024-restored", "preserved")
    answer = console(*source)
    assert answer.code == 3 and "--side in" in answer.err
    lines = console(*source, "--side", "in", "--extents").out.splitlines()
    assert "2.0 MiB in 2 ranges waiting" in lines[1] and "in 4 ranges returned" in lines[1]
    assert [line.split()[-1] for line in lines if "trace buffer" in line][-4:] == [
        "claimed",
        "returned",
    ] * 2
    document = console(*source, "--side", "in", "--json").document
    validate(document, "preserved")
    fates = [item["fate"] for item in document["fates"]]
    assert [fates.count(word) for word in ("claimed", "returned", "waiting")] == [4, 4, 2]
    assert "fates" not in console(*source, "--json").document


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ((SLAB, DATA), None),
        ((SLAB, (0x10000, 65536)), None),
        # The two of a pair the other way round.
        ((DATA, SLAB), "1 of 1 data pages do not have 4096 bytes"),
        ((SLAB, (0x9010, 4096)), "a data page that is not aligned"),
    ],
)
def test_a_file_tells_the_size_of_its_pages(
    console: Console, tmp_path: Path, records: tuple[tuple[int, int], ...], said: str | None
) -> None:
    file = tmp_path / "dt"
    file.write_bytes(tree(cpu(TEN, mem(*records))))
    findings = console("decode", "kho2024", str(file), "--json").document["findings"]
    assert len(findings) == (said is not None)
    assert said is None or said in findings[0]["text"]


def test_events_and_flags_are_printed(console: Console, tmp_path: Path) -> None:
    file = tmp_path / "dt"
    file.write_bytes(TREE)
    lines = console("decode", "kho2024", str(file)).out.splitlines()
    at = lines.index("2 trace events")
    assert lines[at + 1 :] == [
        "  fingerprint 0x00000001  type 2",
        "  fingerprint 0x00000003  type 4",
        "trace array global-trace  trace flags 0x7",
        "trace array global-trace  CPU 10  1 page",
    ]


def test_a_series_whose_behaviour_is_not_known_is_not_rehearsed(
    console: Console, tmp_path: Path
) -> None:
    later = copytree(folder("made/kho2024-inactive"), tmp_path / "later")
    files = later / "root/sys/kernel/kho"
    (files / "active").rename(files / "finalize")
    answer = console("--source", str(later), "--rehearse", "finalize")
    assert (answer.code, answer.out) == (3, "")
    assert "how the v5 series of 2025 behaves is not known" in answer.err
