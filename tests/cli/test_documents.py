"""Every verb's JSON on every recording against the schemas in the repository."""

import json
from importlib import resources
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.cli.run import Console
from tests.recordings import RECORDINGS

SCHEMAS = json.loads(resources.files("kho_console").joinpath("schemas/documents.json").read_text())

VERBS = {
    ("status",): "status",
    ("scratch",): "scratch",
    ("blobs",): "blobs",
    ("preserved",): "preserved",
    ("preserved", "--extents"): "extents",
    ("preserved", "--filter", "memfd size:>4k !order:1"): "preserved",
    ("preserved", "--filter", "memfd node:0", "--extents"): "extents",
    ("preserved", "--side", "in", "--residue"): "preserved",
    ("preserved", "--side", "in", "--residue", "--extents"): "extents",
    ("sessions",): "sessions",
    ("crash",): "crash",
    ("doctor",): "checks",
}


def validate(document: Any, kind: str) -> None:
    schema = {**SCHEMAS, "$ref": f"#/$defs/{kind}"}
    faults = [
        f"{fault.json_path}: {fault.message}"
        for fault in Draft202012Validator(schema).iter_errors(document)
    ]
    assert not faults
    assert_nulls_have_reasons(document)


def assert_nulls_have_reasons(value: Any, path: str = "$") -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            if item is None:
                assert value.get(f"{key}_reason"), f"{path}.{key} is null without a reason"
            assert_nulls_have_reasons(item, f"{path}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            assert_nulls_have_reasons(item, f"{path}[{index}]")


def test_the_schemas_are_schemas() -> None:
    Draft202012Validator.check_schema(SCHEMAS)
    assert set(VERBS.values()) | {"tree", "struct"} <= set(SCHEMAS["$defs"])


def test_a_schema_refuses_a_document_without_its_keys() -> None:
    with pytest.raises(AssertionError):
        validate({"schema": 1}, "status")
    with pytest.raises(AssertionError):
        validate({"schema": 1, "scratch": None}, "scratch")


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_every_verb_on_every_recording(console: Console, name: str, verb: tuple[str, ...]) -> None:
    answer = console("--source", name, *verb, "--json")
    validate(answer.document, VERBS[verb])
    assert answer.code in (0, 3)


@pytest.mark.parametrize("name", RECORDINGS)
@pytest.mark.parametrize("side", ["out", "in"])
def test_every_tree_of_every_recording(console: Console, name: str, side: str) -> None:
    blobs = console("--source", name, "blobs", "--json").document
    listed = blobs["outgoing" if side == "out" else "incoming"] or []
    root = console("--source", name, "tree", side, "--json")
    assert (root.code == 0) == bool(root.out)
    if root.out:
        validate(root.document, "tree")
    for blob in listed:
        answer = console("--source", name, "tree", side, blob["name"], "--json")
        assert answer.code == 0
        validate(answer.document, "tree" if blob["format"] == "fdt" else "struct")


def test_status_of_the_7_3_4_sessions(console: Console) -> None:
    document = console("--source", "linux-7.3.4/sessions", "status", "--json").document
    assert document["source"] == {"kind": "fixture", "name": "linux-7.3.4/sessions"}
    assert document["kernel"] == {"release": "7.3.4", "machine": "x86_64", "page_size": 4096}
    handover = document["handover"]
    assert handover["generation"] == "kho-v4"
    assert handover["map_format"] == "radix"
    assert handover["finalize"] == "none"
    assert handover["state"] == "stateless"
    assert handover["booted_through_handover"] is False
    assert handover["kexec_count"] == 0
    assert [area["size"] for area in document["scratch"]] == [780140544, 0, 37748736, 58720256]
    assert [area["node"] for area in document["scratch"]] == [None, None, 0, 1]
    outgoing = document["outgoing"]
    assert [blob["name"] for blob in outgoing["blobs"]] == ["LUO", "kexec-metadata", "memblock"]
    assert outgoing["tree"]["bytes"] == 233
    assert outgoing["tree"]["totalsize"] == 345
    assert outgoing["tree"]["truncated"] is True
    assert outgoing["tree"]["completed_from_memory"] is True
    assert outgoing["preserved"] == {
        "bytes": 15896576,
        "ranges": 49,
        "blocks_by_order": {"0": 2603, **{str(order): 1 for order in (1, 2, 3, 4, 5, 6, 7, 10)}},
    }
    assert document["incoming"] is None
    assert document["sessions"] == {"held": 3, "waiting": None, "waiting_reason": _COLD}
    assert document["verdict"] == {
        "standing": "not yet",
        "sentence": "no image is loaded",
        "detail": "load one by file (kexec -s)",
    }


_COLD = "this kernel did not come through a handover"


def test_status_of_a_kernel_that_came_through_a_handover(console: Console) -> None:
    document = console("--source", "linux-7.1.13/restored", "status", "--json").document
    assert document["sessions"] == {"held": 0, "waiting": 3}
    assert document["handover"]["previous_release"] == "7.1.13"
    assert document["handover"]["kexec_count"] == 1
    assert document["incoming"]["preserved"] is None
    assert document["incoming"]["preserved_reason"] == "released by the kernel at boot"


def test_preserved_of_the_6_18_15_finalized(console: Console) -> None:
    document = console("--source", "linux-6.18.15/finalized", "preserved", "--json").document
    assert len(document["ranges"]) == 3
    assert sum(item["size"] for item in document["ranges"]) == 5251072
    starts = [item["address"] for item in document["ranges"]]
    assert starts == sorted(starts)


def test_extents_name_the_owners(console: Console) -> None:
    answer = console("--source", "linux-7.3.4/sessions", "preserved", "--extents", "--json")
    extents = answer.document["extents"]
    by_owner: dict[str, int] = {}
    for item in extents:
        owner = item["owner"]
        by_owner[f"{owner['kind']} {owner['name']}"] = (
            by_owner.get(f"{owner['kind']} {owner['name']}", 0) + item["size"]
        )
    assert by_owner["reserve_mem oops"] == 4 << 20
    assert by_owner["reserve_mem trace"] == 1 << 20
    memfds = sorted(size for owner, size in by_owner.items() if owner.startswith("memfd 0x"))
    assert memfds == [64 << 10, 2 << 20, 8 << 20]
    assert sum(by_owner.values()) == 15896576
    reasons = {item["owner"]["kind"]: item["owner"]["session_reason"] for item in extents}
    assert {len(item["orders"]) for item in extents if item["size"] == 4096} == {1}
    assert [item["orders"] for item in extents if item["owner"]["name"] == "oops"] == [[10]]
    assert reasons["memfd"] == "session unknown"
    assert reasons["memfd record"] == reasons["reserve_mem"] == "not a memfd"


def test_sessions_that_wait_in_the_records_of_7_1_13(console: Console) -> None:
    document = console("--source", "linux-7.1.13/restored", "sessions", "--json").document
    assert [
        (item["name"], item["direction"], item["holder"], item["files"])
        for item in document["sessions"]
    ] == [
        (
            "vm-web",
            "incoming",
            None,
            [
                {"token": 0x1001, "handler": "memfd-v2", "size": 2 << 20},
                {"token": 0x1002, "handler": "memfd-v2", "size": 64 << 10},
            ],
        ),
        ("vm-db", "incoming", None, [{"token": 0x2001, "handler": "memfd-v2", "size": 8 << 20}]),
        ("empty", "incoming", None, []),
    ]


def test_sessions_that_a_process_holds(console: Console) -> None:
    sessions = console("--source", "linux-7.3.4/sessions", "sessions", "--json").document[
        "sessions"
    ]
    assert [item["name"] for item in sessions] == ["empty", "vm-db", "vm-web"]
    for item in sessions:
        assert item["direction"] == "outgoing"
        assert item["holder"]["pid"] == 66
        assert item["files"] is None
        assert "kexec" in item["files_reason"]


def test_a_session_held_after_a_handover_has_no_known_direction(console: Console) -> None:
    sessions = console("--source", "linux-7.1.13/retrieved", "sessions", "--json").document[
        "sessions"
    ]
    assert [(item["name"], item["direction"]) for item in sessions] == [("vm-web", "unknown")]


def test_crash_counts_the_recorded_events(console: Console) -> None:
    document = console("--source", "linux-7.3.4/hotplugged", "crash", "--json").document
    assert document["armed"] is True
    # Two of CPU 1, four blocks added and onlined; the event of an ACPI container does not count.
    assert document["events"] == {"seen": 10, "lost": 0}
    assert document["regions"] == [{"address": 0x6F000000, "size": 256 << 20}]
    assert document["cpus"]["possible"] == 2
    assert document["crash_size"] == 256 << 20
    # As `od -c` shows sys/kernel/crash_elfcorehdr_size of the recording.
    assert document["elfcorehdr_size"] == 462448
