"""What lies in memory does not outlive a kexec."""

import os
from pathlib import Path

import pytest

from kho_console.engine.runbook import place
from kho_console.engine.runbook.place import filesystem, in_memory

_EXT4, _TMPFS, _RAMFS, _9P = 0xEF53, 0x01021994, 0x858458F6, 0x01021997
_OVERLAY = 0x794C7630


@pytest.mark.parametrize(
    ("kind", "word"),
    [(_TMPFS, "tmpfs"), (_RAMFS, "ramfs"), (_EXT4, None), (_9P, None)],
)
def test_kinds(tmp_path: Path, kind: int, word: str | None) -> None:
    asked: list[Path] = []

    def told(folder: Path) -> int:
        asked.append(folder)
        return kind

    why = in_memory(tmp_path / "not" / "made" / "yet", told)
    assert asked == [tmp_path]
    assert (why is None) if word is None else (why is not None and f"on {word}," in why)


@pytest.mark.parametrize(
    ("upper", "word"),
    [(_TMPFS, "overlay over tmpfs"), (_EXT4, None), (None, "cannot be seen")],
)
def test_an_overlay_keeps_what_its_upper_folder_keeps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, upper: int | None, word: str | None
) -> None:
    above = tmp_path / "upper"
    above.mkdir()
    monkeypatch.setattr(place, "_upper", lambda folder: None if upper is None else above)
    why = in_memory(tmp_path, lambda folder: upper or 0 if folder == above else _OVERLAY)
    assert (why is None) if word is None else (why is not None and word in why)


class Disks:
    """A folder as the kernel shows its disks; every file system lies on the first one."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        monkeypatch.setattr(place, "_DEVICES", folder / "dev")
        device = folder.stat().st_dev
        self.first = f"{os.major(device)}:{os.minor(device)}"

    def add(self, name: str, number: str, *below: str, file: Path | None = None) -> None:
        disk = self.folder / "block" / name
        for item in below:
            (disk / "slaves" / item).mkdir(parents=True)
            of = (self.folder / "block" / item / "dev").read_text()
            (disk / "slaves" / item / "dev").write_text(of)
        disk.mkdir(parents=True, exist_ok=True)
        (disk / "dev").write_text(f"{number}\n")
        if file is not None:
            (disk / "loop").mkdir()
            (disk / "loop" / "backing_file").write_text(f"{file}\n")
        (self.folder / "dev").mkdir(exist_ok=True)
        (self.folder / "dev" / number).symlink_to(disk)


def test_disks_are_followed_down_to_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disks, file, here = Disks(tmp_path, monkeypatch), tmp_path / "image", tmp_path / "here"
    here.mkdir()
    file.touch()
    disks.add("loop0", "7:0", file=file)
    disks.add("loop1", "7:1", file=tmp_path / "gone (deleted)")
    disks.add("zram3", "250:3")
    disks.add("sda", "8:0")

    def why(*below: str, file_on: int = _TMPFS) -> str:
        (tmp_path / "dev" / disks.first).unlink(missing_ok=True)
        number = len(list((tmp_path / "block").iterdir()))
        disks.add(f"dm-{number}", disks.first, *below)
        return in_memory(here, lambda item: file_on if item == file else _EXT4) or ""

    assert "loop0 over tmpfs, which is in memory" in why("sda", "loop0")
    assert "whose file cannot be seen" in why("loop1")
    assert "zram3, a disk in memory" in why("zram3")
    assert why("sda") == ""
    # The file of the loop disk lies on a disk that is on the loop disk.
    assert "than are followed" in why("loop0", file_on=_EXT4)


def test_an_overlay_over_a_disk_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disks, above = Disks(tmp_path, monkeypatch), tmp_path / "a folder"
    above.mkdir()
    disks.add("zram0", disks.first)
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        f"1 0 {disks.first} / / rw - overlay overlay rw,upperdir={tmp_path}/a\\040folder\n"
    )
    monkeypatch.setattr(place, "_MOUNTS", mounts)
    why = in_memory(tmp_path, lambda item: _EXT4 if item == above else _OVERLAY)
    assert why is not None and "an overlay over zram0, a disk in memory" in why


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="no tmpfs is mounted here")
def test_a_real_one() -> None:
    assert filesystem(Path("/dev/shm")) == _TMPFS
    found = in_memory(Path("/dev/shm/kho-console/runs"))
    assert found is not None and "gone after the kexec" in found


def test_what_cannot_be_told_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=os.strerror(2)):
        filesystem(tmp_path / "none")
