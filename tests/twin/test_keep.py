"""A twin in a file goes on where it was; a file that is none of ours is refused."""

import errno
import json
import random

import pytest
import zstandard

from kho_console.model.change import Execute, Execution, KexecImage, Load, Unload
from kho_console.source.protocol import SourceError
from kho_console.twin import (
    ImageTold,
    KeptError,
    LoadFails,
    MemoryShort,
    NextKernelPanics,
    ProducerRefuses,
    TwinSource,
    WriteFails,
    keep,
)
from kho_console.twin.memfd import MemoryFile
from tests.twin.looks import look
from tests.twin.scenes import PID, cold, errno_of, execute, hold, load, preserved, recorded, write

NAME = "linux-6.19.11/cold"


def test_it_goes_on_where_it_was() -> None:
    twin = cold(NAME)
    twin.arm(WriteFails(2, errno.EIO))
    hold(twin, {b"vm": ((1, 1 << 20),)})
    write(twin, b"1")
    assert errno_of(twin, b"1") == errno.EIO
    twin.tell = lambda _: ImageTold("6.19.12", ("kho-v1",), ("luo-v1",), ("memfd-v1",))
    TwinSource(twin).change(Load(KexecImage("/boot/vmlinuz", None, b"kho=on liveupdate=on")))
    execute(twin)
    twin.user.open_device(PID)
    twin.user.retrieve_session(PID, b"vm")
    file = twin.user.retrieve_file(b"vm", 1)
    twin.user.create_session(PID, b"again")
    twin.user.preserve(b"again", 5, file)
    twin.user.preserve(b"again", 6, MemoryFile(4096))
    kept = keep.read(keep.write(twin, NAME))
    assert kept.source == NAME
    again = keep.restore(kept, recorded(NAME))
    assert look(TwinSource(again)) == look(TwinSource(twin))
    assert preserved(again) == preserved(twin)
    assert keep.write(again, NAME) == keep.write(twin, NAME)


def test_every_fault_is_kept() -> None:
    twin = cold(NAME)
    faults = (LoadFails(1, 12), MemoryShort(9), ProducerRefuses(16), NextKernelPanics("no"))
    for fault in faults:
        twin.arm(fault)
    TwinSource(twin).change(Unload())
    assert keep.read(keep.write(twin, NAME)).deeds[:4] == faults
    again = keep.restore(keep.read(keep.write(twin, NAME)), recorded(NAME))
    with pytest.raises(SourceError) as short:
        load(again, "6.19")
    assert short.value.errno == errno.ENOMEM
    load(again, "6.19")
    with pytest.raises(SourceError) as refused:
        TwinSource(again).change(Execute(Execution.SYSTEM_CALL))
    assert refused.value.errno == errno.EBUSY
    again.kernel.allocator.left = None
    execute(again)
    assert again.dead == "no"


def test_another_recording_is_refused() -> None:
    kept = keep.read(keep.write(cold(NAME), NAME))
    with pytest.raises(KeptError, match="not the recording"):
        keep.restore(kept, recorded("linux-6.19.11/restored"))


@pytest.mark.parametrize(
    "deeds",
    [
        [1],
        [{"do": "format the disk"}],
        [{"do": "write", "path": 1, "data": ""}],
        [{"do": "write", "path": "/x", "data": "?"}],
        [{"do": "execute", "how": "at dawn"}],
        [{"do": "memory-short", "pages": -1}],
        [{"do": "load", "image": {"kernel": "k", "initrd": [], "command_line": ""}}],
        [{"do": "call", "name": "stop", "arguments": []}],
        [{"do": "call", "name": "__init__", "arguments": []}],
        [{"do": "call", "name": "open_device", "arguments": ["QQ=="]}],
        [{"do": "call", "name": "preserve", "arguments": ["QQ==", 1, 7]}],
        "none",
    ],
)
def test_damaged_deeds_are_refused(deeds: object) -> None:
    document = {
        "format": 1,
        "source": NAME,
        "fingerprint": keep.fingerprint(recorded(NAME)),
        "deeds": deeds,
    }
    data = zstandard.ZstdCompressor().compress(json.dumps(document).encode())
    with pytest.raises(KeptError):
        keep.restore(keep.read(data), recorded(NAME))


def test_no_bytes_do_harm() -> None:
    good = keep.write(cold(NAME), NAME)
    chance = random.Random(5)
    for _ in range(300):
        data = bytearray(good)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        for found in (bytes(data), bytes(data[: chance.randrange(len(data))])):
            try:
                keep.read(found)
            except KeptError:
                continue
    with pytest.raises(KeptError):
        keep.read(zstandard.ZstdCompressor().compress(bytes(65 << 20)))
