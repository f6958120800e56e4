"""The filter of the verb `preserved`."""

import re
from pathlib import Path

from tests.cli.run import Console

SESSIONS = "linux-7.3.4/sessions"


def test_a_filter_leaves_extents_ranges_and_shares(console: Console) -> None:
    every = console("preserved", "--extents", "--json", "--source", SESSIONS).document["extents"]
    wanted = [item for item in every if item["owner"]["kind"] == "reserve_mem"]
    words = ("--filter", "owner:RESERVE_mem", "--source", SESSIONS)
    document = console("preserved", "--extents", "--json", *words).document
    assert document["extents"] == wanted != []
    assert document["filter"] == "owner:RESERVE_mem"
    document = console("preserved", "--json", *words).document
    assert document["ranges"] == [
        {"address": item["address"], "size": item["size"]} for item in wanted
    ]
    lines = console("preserved", *words).out.splitlines()
    assert lines[1] == f"filter owner:RESERVE_mem: {len(wanted)} of {len(every)} extents, 5.0 MiB"
    assert [line.split(maxsplit=2)[2] for line in lines[3:6]] == [
        "owner",
        "reserve_mem oops",
        "reserve_mem trace",
    ]
    assert len(lines) == 7 + len(wanted)


def test_extents_have_their_orders(console: Console) -> None:
    out = console("preserved", "--extents", "--source", SESSIONS).out
    lines = [line.split(maxsplit=4) for line in out.splitlines()]
    at = lines.index(["address", "size", "order", "owner"])
    orders = {words[4]: words[3] for words in lines[at + 1 :]}
    assert orders["reserve_mem oops"] == "10"
    assert orders["reserve_mem trace"] == "0-7"
    assert orders["root tree"] == "0"


def test_the_filters_of_the_readme_find_something_in_the_demo(console: Console) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    filters = set(re.findall(r"`((?:owner|size|order|address|node):[^`]+)`", readme))
    assert len(filters) >= 5
    for words in filters:
        answer = console(
            "preserved", "--extents", "--json", "--filter", words, "--source", SESSIONS
        )
        assert answer.document["extents"], words


def test_a_filter_that_cannot_be_understood_is_a_usage_error(console: Console) -> None:
    for json in ((), ("--json",)):
        answer = console("preserved", "--filter", "a size:\x1b", *json, "--source", SESSIONS)
        assert answer.code == 2
        assert answer.out == ""
        assert "--filter a size:\\x1b: column 8: expected a size" in answer.err


def test_what_a_filter_asks_for_may_not_be_known(console: Console) -> None:
    answer = console("preserved", "--filter", "!x", "--source", "linux-6.18.15/cold")
    assert answer.code == 3
    assert "not finalized yet" in answer.err
