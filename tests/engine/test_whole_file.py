"""Files that are written whole or not at all."""

from pathlib import Path

import pytest

from kho_console.engine import whole_file


def test_what_was_there_stays_until_it_is_whole(tmp_path: Path) -> None:
    place = tmp_path / "a"
    place.write_bytes(b"before")
    place.chmod(0o644)
    with pytest.raises(OSError, match="full"), whole_file.written(place) as file:
        file.write(b"half")
        raise OSError("full")
    assert place.read_bytes() == b"before"
    with whole_file.written(place) as file:
        file.write(b"behind")
        file.flush()
        assert place.read_bytes() == b"before"
    assert (place.read_bytes(), place.stat().st_mode & 0o777) == (b"behind", 0o600)
    assert [item.name for item in tmp_path.iterdir()] == ["a"]


def test_the_draft_of_a_killed_process_is_in_nobodys_way(tmp_path: Path) -> None:
    """Even one of the same process id, which comes back in a container."""
    place = tmp_path / "a"
    with whole_file.written(place):
        [draft] = tmp_path.iterdir()
    draft.write_bytes(b"left")
    for content in (b"first", b"second"):
        with whole_file.written(place) as file:
            file.write(content)
    assert (place.read_bytes(), draft.read_bytes()) == (b"second", b"left")
