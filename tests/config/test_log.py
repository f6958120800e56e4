import logging
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kho_console.config import log
from kho_console.config.log_file import LARGEST
from kho_console.config.settings import Settings

LOGGER = logging.getLogger("kho_console.anything")


@pytest.fixture(autouse=True)
def _stopped() -> Iterator[None]:
    yield
    log.stop()


def test_lines_are_kept_in_memory_and_in_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.touch(mode=0o644)
    log.start(Settings(log=path))
    LOGGER.info("looked at %s", "all")
    LOGGER.debug("a detail")
    assert log.recent()[-1].endswith("INFO    looked at all")
    assert path.read_text().endswith("INFO    kho_console.anything: looked at all\n")
    assert path.stat().st_mode & 0o777 == 0o600
    log.start(Settings(log=path, debug=True))
    LOGGER.debug("a detail")
    assert log.recent()[-1].endswith("DEBUG   a detail")


def test_what_was_read_neither_begins_a_line_nor_steers_a_terminal(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log.start(Settings(log=path))
    LOGGER.info("name\n2026 INFO forged\x1b[2J\udcff")
    assert path.read_text().count("\n") == 1
    assert "name\\x0a2026 INFO forged\\x1b[2J\\xdcff" in path.read_text()
    try:
        raise ValueError("bad\x1b]0;title\x07")
    except ValueError:
        LOGGER.exception("it broke")
    assert not {"\x1b", "\x07"} & set(path.read_text())
    assert log.recent()[-1] == "ValueError: bad\\x1b]0;title\\x07"


def test_neither_memory_nor_file_grows_without_end(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log.start(Settings(log=path))
    for number in range(200):
        LOGGER.info("%d %s", number, "x" * 20_000)
    assert len(log.recent()) <= log.LINES_KEPT
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["log", "log.1"]
    for name in names:
        assert (tmp_path / name).stat().st_size <= LARGEST
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert "199 xxx" in path.read_text()


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "link", tmp_path / "pipe", tmp_path, tmp_path / "none" / "log",
                 Path("/dev/null"), Path("/dev/tty")):  # fmt: skip
        with pytest.raises(OSError):
            log.start(Settings(log=path))
    assert not (tmp_path / "target").exists()


def test_the_default_place_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "state" / "kho-console" / "log"
    log.start(Settings(log=path))
    LOGGER.warning("here")
    assert "here" in path.read_text()
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_full_disk_is_not_told_on_the_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    log.start(Settings(log=tmp_path / "log"))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(logging.StreamHandler, "flush", full)
    LOGGER.error("unwritten")
    monkeypatch.undo()
    assert capsys.readouterr() == ("", "")
    assert log.recent()[-1].endswith("unwritten")


def test_times_are_utc_wherever_the_console_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        log.start(Settings())
        logging.getLogger("kho_console.x").info("now")
        told = datetime.strptime(log.recent()[-1].split()[0], "%H:%M:%S").replace(tzinfo=UTC)
    finally:
        monkeypatch.undo()
        time.tzset()
        log.stop()
    now = datetime.now(UTC)
    apart = (now.hour - told.hour) % 24
    assert apart in (0, 1)
