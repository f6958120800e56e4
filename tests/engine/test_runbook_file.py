"""Runbooks are checked key by key, and a fault names its line."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kho_console.engine.runbook import file, shelf
from kho_console.engine.runbook.error import RunbookError
from kho_console.model.runbook import Kind

SHIPPED = {
    "abort-and-go-back",
    "arm-kdump",
    "collect-evidence",
    "live-update-finalize",
    "live-update-sessions",
    "memory-expansion",
    "rehearsal",
}
WHOLE = """\
schema = 1
version = 3
title = "Test"
about = "For a test."

[[step]]
id = "kernel"
what = "Name it"
why = "It is loaded"
ask = "file"

[[step]]
id = "load"
what = "Load it"
why = "It runs next"
before = ["kexec.loaded is false"]
action = "load"
with = { kernel = "{kernel}" }
after = ["kexec.loaded is true"]
undo = "unload"
timeout = 3
"""


def parse(text: str) -> None:
    file.parse(text, "test", "test.toml")


def test_all_that_are_shipped() -> None:
    books = {book.name: book for book in shelf.shipped()}
    assert set(books) == SHIPPED
    steps = [step for book in books.values() for step in book.steps]
    assert {step.kind for step in steps} == set(Kind)
    assert all(step.what and step.why for step in steps)
    # What waits for something to become true has to say how long.
    assert all(step.timeout for step in steps if step.after)
    assert [name for name, book in books.items() if book.executes and not book.twin_only] == [
        "live-update-finalize",
        "live-update-sessions",
    ]
    for book in books.values():
        kinds = [step.kind for step in book.steps]
        loads = [at for at, step in enumerate(book.steps) if step.action == "load"]
        assert all(Kind.PREFLIGHT in kinds[:at] for at in loads)


def test_a_whole_one() -> None:
    book = file.parse(WHOLE, "test", "test.toml")
    load = book.step("load")
    assert (book.version, book.executes, load.undo, load.timeout) == (3, False, "unload", 3.0)
    assert load.arguments == (("kernel", "{kernel}"),)


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "words"),
    [
        ("schema = 1", "schema = 2", 1, "schema", "expected 1"),
        ("version = 3", "version = 0", 2, "version", "a number from 1"),
        ('title = "Test"\n', "", 1, "title", "it is missing"),
        ('title = "Test"', 'titel = "Test"', 3, "titel", "the nearest is title"),
        ('id = "load"', 'id = "kernel"', 13, "step.2.id", "an earlier step"),
        ('id = "load"', 'id = "Load it"', 13, "step.2.id", "a-z, 0-9 and dashes"),
        ('why = "It runs next"', "why = 7", 15, "step.2.why", "expected words"),
        ('why = "It runs next"\n', "", 12, "step.2.why", "it is missing"),
        ('action = "load"', 'action = "lod"', 17, "step.2.action", "expected one of"),
        ('action = "load"', "preflight = true", 20, "step.2.undo", "unknown key"),
        ('action = "load"\n', "", 12, "step.2", "a step is one of"),
        ("is true", "is-really true", 19, "step.2.after", "SUBJECT OPERATOR VALUE"),
        ("kexec.loaded is true", "moon.full is true", 19, "step.2.after", "no subject moon"),
        ('"{kernel}"', '"{kernle}"', 18, "step.2.with.kernel", "no step before asks for kernle"),
        ("{ kernel =", "{ kernal =", 18, "step.2.with.kernal", "unknown argument"),
        ('undo = "unload"\n', "", 12, "step.2", "undo is missing"),
        ('undo = "unload"', 'undo = "pray"', 20, "step.2.undo", "expected one of"),
        ("timeout = 3", "timeout = -1", 21, "step.2.timeout", "seconds from 0"),
        ("timeout = 3", 'optional = "yes"', 21, "step.2.optional", "true or false"),
        ('ask = "file"', 'ask = "choice"', 6, "step.1.choices", "has choices"),
        ('ask = "file"', 'verify = "before"', 10, "step.1.verify", "no step before records"),
        ("timeout = 3", "timeout = ", 21, "", "no TOML"),
    ],
)
def test_a_fault_names_its_line_and_key(
    old: str, new: str, line: int, key: str, words: str
) -> None:
    assert WHOLE.count(old) >= 1
    with pytest.raises(RunbookError) as caught:
        parse(WHOLE.replace(old, new, 1))
    wanted = f"test.toml: line {line}: {key}"
    assert any(fault.startswith(wanted) and words in fault for fault in caught.value.faults), (
        caught.value.faults
    )


def test_all_faults_are_told_at_once() -> None:
    text = WHOLE.replace("version = 3", "version = 0").replace("timeout = 3", "timeout = -1")
    with pytest.raises(RunbookError) as caught:
        parse(text)
    assert [re.search(r"line \d+: [a-z0-9.]+", fault)[0] for fault in caught.value.faults] == [  # type: ignore[index]
        "line 2: version",
        "line 21: step.2.timeout",
    ]


@given(st.integers(0, len(WHOLE)), st.integers(0, 12), st.text(max_size=12))
def test_whatever_is_in_it_is_a_fault_or_a_runbook(at: int, cut: int, put: str) -> None:
    try:
        parse(WHOLE[:at] + put + WHOLE[at + cut :])
    except RunbookError as error:
        assert all(fault.startswith("test.toml: ") for fault in error.faults)
        assert all(fault.isprintable() for fault in error.faults)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    book = tmp_path / "x.toml"
    book.write_bytes(b'schema = 1\ntitle = "\xff"\n')
    with pytest.raises(RunbookError, match=r"line 2 is no UTF-8"):
        file.read(book)
    with pytest.raises(RunbookError):
        file.read(tmp_path / "none.toml")
    with pytest.raises(RunbookError, match="the nearest is rehearsal"):
        shelf.read("rehearse")


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("kexec.loadd is true", "there is no loadd in kexec.loadd; the nearest is loaded"),
        ("kexec.loaded.now is true", "there is no now in kexec.loaded.now"),
        ("handover.state is openn", "it is never openn; there are finalized, open, "),
        ("kexec.loaded is yes", "it is never yes; there are false, true"),
        ("findings lacks tree-damagd", "there is no finding tree-damagd; the nearest is "),
        ("crash.cpus.note at least 1", "there is no note in crash.cpus.note; the nearest is noted"),
        ("incoming.tree.totalsize at least 1", None),
        ("outgoing.preserved.blocks_by_order.9 at least 1", None),
        ("kexec.loaded is {kernel}", None),
        ("outgoing.blobs has acme", None),
    ],
)
def test_what_no_machine_ever_shows_is_no_condition(words: str, fault: str | None) -> None:
    text = WHOLE.replace("kexec.loaded is false", words)
    if fault is None:
        parse(text)
    else:
        with pytest.raises(
            RunbookError, match=re.escape(f"line 16: step.2.before: {words}: {fault}")
        ):
            parse(text)
