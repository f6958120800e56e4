"""Packs evidence into one file, checks such a file, and takes one apart again.

It is a tar archive in a zstd frame. What comes from elsewhere is hostile: no path leads out of the
folder, nothing but regular files is made, and no more is written than the manifest announces.
"""

import hashlib
import io
import os
import shutil
import tarfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

import zstandard

from kho_console.abi import zstd_frame
from kho_console.abi.error import FormatError
from kho_console.abi.tar import Archive, Member
from kho_console.engine import whole_file
from kho_console.engine.evidence import manifest
from kho_console.engine.evidence.manifest import BundleError, Manifest
from kho_console.source.regular import open_regular

LARGEST = 4 << 30
"""Bytes of a bundle when it is expanded; a recording of a day has 10 MB."""

_MOST_FILES = 200_000
_WINDOW = 1 << 27
_LEVEL = 10


def is_bundle(path: Path) -> bool:
    """Whether a regular file begins as a bundle does."""
    try:
        with _regular(path) as file:
            return _begins(file)
    except OSError:
        return False


def pack(folder: Path, place: Path, facts: Manifest) -> Manifest:
    """Pack all files below a folder; the same files give the same bytes.

    Args:
        folder: The files.
        place: The bundle, for nobody else to read; what is there stays whole until it is written.
        facts: What it is; its list of files is made here.

    Raises:
        OSError: Something cannot be read or written.
    """
    found = {_path(folder, item): item for item in sorted(_files(folder))}
    listed = {path: (item.stat().st_size, _digest(item)) for path, item in found.items()}
    told = replace(facts, files=listed)
    with whole_file.written(place) as file:
        _write(file, manifest.write(told), found)
    return told


def verify(place: Path) -> tuple[Manifest, tuple[str, ...]]:
    """What a bundle says it holds, and what is wrong with it, in words.

    Raises:
        BundleError: It is no bundle, or its manifest cannot be read.
    """
    faults: list[str] = []
    seen: dict[str, tuple[int, str]] = {}
    whole = True
    with _opened(place) as (told, members):
        try:
            for member, pieces in members:
                seen[_path_of(member, told, seen)] = _summed(pieces)
        except BundleError as error:
            faults.append(str(error))
            whole = False
    wrong = [path for path, found in seen.items() if found != told.files[path]]
    faults += [f"{path} is not what was packed" for path in wrong]
    left = told.files.keys() - seen.keys()
    if whole:
        faults += [f"{path} is missing" for path in sorted(left)]
    elif left:
        faults.append(f"what lies behind it was not looked at: {len(left)} of {len(told.files)}")
    if not any(told.opens in (path, *manifest.folders(path)) for path in told.files):
        faults.append(f"{told.opens} is what it opens, and is not in it")
    return told, tuple(faults)


def unpack(place: Path, folder: Path) -> Manifest:
    """Take a bundle apart into an empty folder.

    Raises:
        BundleError: It is no bundle, is damaged, holds what it must not, or more than there is
            room for.
        OSError: It cannot be written.
    """
    left = set[str]()
    with _opened(place) as (told, members):
        left |= told.files.keys()
        _make_sure_of_room(folder, told)
        for path, size, pieces in _listed(told, members):
            target = folder / path
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with target.open("xb") as file:
                found = _summed(_kept(pieces, file))
            if (size, found[1]) != told.files[path]:
                raise BundleError(f"{path} is not what was packed")
            left.discard(path)
    if left:
        raise BundleError(f"{min(left)} is missing")
    return told


def _make_sure_of_room(folder: Path, told: Manifest) -> None:
    """A small file may announce much: the half of what is free stays so for others."""
    wanted = sum(size for size, _ in told.files.values())
    if wanted > shutil.disk_usage(folder).free // 2:
        raise BundleError(f"it holds {wanted} bytes, and there is no room for them at {folder}")


def _write(file: IO[bytes], head: bytes, found: Mapping[str, Path]) -> None:
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True)
    with (
        compressor.stream_writer(file, closefd=False) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.GNU_FORMAT) as archive,
    ):
        archive.addfile(_member(manifest.NAME, len(head)), io.BytesIO(head))
        for path, item in found.items():
            with item.open("rb") as content:
                archive.addfile(_member(path, item.stat().st_size), content)


def _member(path: str, size: int) -> tarfile.TarInfo:
    found = tarfile.TarInfo(path)
    found.size, found.mode = size, 0o600
    return found


Members = Iterator[tuple[Member, Iterator[bytes]]]


@contextmanager
def _opened(place: Path) -> Iterator[tuple[Manifest, Members]]:
    """The manifest and the members behind it; what is wrong on the way is a `BundleError`."""
    try:
        with _regular(place) as file:
            if not _begins(file):
                raise BundleError("it is no bundle")
            _check_frame(file)
            expanding = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
            stream = expanding.stream_reader(file, read_across_frames=False, closefd=False)
            members = _guarded(Archive(stream, LARGEST))
            first = next(members, None)
            if first is None or first[0].name != manifest.NAME.encode():
                raise BundleError("it is no bundle: it does not begin with its manifest")
            if first[0].size > manifest.LARGEST:
                raise BundleError(f"its manifest has {first[0].size} bytes")
            told = manifest.read(b"".join(first[1]))
            yield told, members
    except OSError as error:
        raise BundleError(error.strerror or str(error)) from error


def _regular(place: Path) -> IO[bytes]:
    return os.fdopen(open_regular(str(place), str(place)), "rb")


class _Bytes:
    """An open file by offset."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.size = os.fstat(file.fileno()).st_size

    def read(self, offset: int, size: int) -> bytes:
        """See `Reader.read`."""
        return os.pread(self._file.fileno(), size, offset)


def _check_frame(file: IO[bytes]) -> None:
    """A frame that is cut behind its last block expands as if it were whole."""
    found = _Bytes(file)
    try:
        whole = zstd_frame.end(found, 0, found.size) == found.size
    except FormatError as error:
        raise BundleError(_words(error)) from error
    if not whole:
        raise BundleError("the bundle is damaged: it is cut short, or something follows it")


def _begins(file: IO[bytes]) -> bool:
    found = file.read(len(zstd_frame.MAGIC)) == zstd_frame.MAGIC
    file.seek(0)
    return found


def _guarded(archive: Archive) -> Members:
    def guarded(pieces: Iterator[bytes]) -> Iterator[bytes]:
        try:
            yield from pieces
        except (FormatError, zstandard.ZstdError) as error:
            raise BundleError(_words(error)) from error

    try:
        for member, pieces in archive.members():
            yield member, guarded(pieces)
    except (FormatError, zstandard.ZstdError) as error:
        raise BundleError(_words(error)) from error


def _listed(told: Manifest, members: Members) -> Iterator[tuple[str, int, Iterator[bytes]]]:
    """The members that the manifest lists, each as long as it says; any other one ends it."""
    seen: set[str] = set()
    for member, pieces in members:
        path = _path_of(member, told, seen)
        if member.size != told.files[path][0]:
            raise BundleError(f"{path} has {member.size} bytes, and {told.files[path][0]} listed")
        seen.add(path)
        yield path, member.size, pieces


def _path_of(member: Member, told: Manifest, seen: Collection[str]) -> str:
    """The path of a member, which must be listed, and there once.

    Raises:
        BundleError: It is not.
    """
    path = os.fsdecode(member.name)
    if path not in told.files or path in seen or len(seen) >= _MOST_FILES:
        raise BundleError(f"it holds {path!r:.80}, which its manifest does not list")
    return path


def _words(error: Exception) -> str:
    if isinstance(error, FormatError):
        return f"the bundle is damaged at 0x{error.offset:x}: {error.reason}"
    return f"the bundle is damaged: {error}"


def _summed(pieces: Iterable[bytes]) -> tuple[int, str]:
    found, size = hashlib.sha256(), 0
    for piece in pieces:
        found.update(piece)
        size += len(piece)
    return size, found.hexdigest()


def _kept(pieces: Iterable[bytes], file: IO[bytes]) -> Iterator[bytes]:
    for piece in pieces:
        file.write(piece)
        yield piece


def _files(folder: Path) -> Iterator[Path]:
    return (item for item in folder.rglob("*") if item.is_file() and not item.is_symlink())


def _path(folder: Path, item: Path) -> str:
    return str(item.relative_to(folder))


def _digest(item: Path) -> str:
    with item.open("rb") as file:
        return _summed(iter(lambda: file.read(1 << 16), b""))[1]
