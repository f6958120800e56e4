"""Moments as an operator names them."""

import pytest

from kho_console.abi.recording.bodies import Happened, Mark
from kho_console.engine.moments import NoMomentError, find
from kho_console.source.recording import Recording
from kho_console.source.recording.writer import RecordingWriter
from tests.source.recorded import FACTS, MICRO

START = 1_795_219_195
"""2026-11-20T23:59:55Z."""


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Twenty moments half a second apart, over midnight, with an event before the fifth."""
    path = tmp_path_factory.mktemp("moments") / "a.kho"
    writer = RecordingWriter(path)
    writer.run(FACTS)
    for number in range(20):
        if number == 4:
            writer.mark(Mark(Happened.EVENT, 0.0, START * MICRO, {}))
        writer.moment(number / 2, START * MICRO + number * MICRO // 2, {})
    writer.close()
    return Recording(path)


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("start", 0),
        ("end", 19),
        ("moment:7", 7),
        ("event:0", 4),
        ("+0", 0),
        ("+3", 6),
        ("+3.2s", 6),
        ("-0", 19),
        ("-2", 15),
        ("2026-11-20T23:59:55", 0),
        ("2026-11-20T23:59:57.600Z", 5),
        ("2026-11-21T00:59:57+01:00", 4),
        ("2026-11-21 00:00:04.9", 19),
        ("23:59:58", 6),
        ("00:00:01", 12),
        ("00:00", 10),
    ],
)
def test_a_moment_is_found(recording: Recording, word: str, number: int) -> None:
    assert find(recording, word) == number


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("noon", "names no moment"),
        ("", "names no moment"),
        ("event:-1", "names no moment"),
        ("+5x", "names no moment"),
        ("9999-99-99", "names no moment"),
        ("event:1", "there is no event 1"),
        ("finding:0", "there is no finding 0"),
        ("moment:20", "there is no moment 20"),
        ("+1m", "behind the recording, which goes from 2026-11-20 23:59:55Z"),
        ("-1d", "before the recording"),
        ("+999999999999d", "behind the recording"),
        ("2026-11-20T23:59:54", "before the recording"),
        ("12:00", "behind the recording"),
    ],
)
def test_what_is_no_moment_is_told(recording: Recording, word: str, reason: str) -> None:
    with pytest.raises(NoMomentError, match=reason):
        find(recording, word)


@pytest.fixture(scope="module")
def set_back(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Two hundred moments, a second apart; halfway somebody sets the clock back by an hour."""
    path = tmp_path_factory.mktemp("set-back") / "a.kho"
    writer = RecordingWriter(path)
    writer.run(FACTS)
    for number in range(200):
        wall = START + number + (3600 if number < 100 else 0)
        writer.moment(float(number), wall * MICRO, {})
    writer.close()
    return Recording(path)


@pytest.mark.parametrize(
    ("word", "number"),
    [
        ("+10", 10),
        ("+150", 150),
        ("-10", 189),
        ("2026-11-21T00:59:55", 0),
        ("2026-11-21T01:00:05", 10),
        ("2026-11-21T01:01:34", 99),
        ("2026-11-21T00:01:35", 100),
        ("2026-11-21T00:01:45", 110),
        ("00:01:45", 110),
    ],
)
def test_a_moment_is_found_though_the_clock_was_set(
    set_back: Recording, word: str, number: int
) -> None:
    assert find(set_back, word) == number


@pytest.mark.parametrize("word", ["+201", "-201", "2026-11-21T00:30:00", "2026-11-22T00:00:00"])
def test_what_no_clock_showed_is_no_moment(set_back: Recording, word: str) -> None:
    with pytest.raises(NoMomentError):
        find(set_back, word)
