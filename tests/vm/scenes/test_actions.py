"""What may go wrong with an action, and what is said then; the scenes follow one another."""

from tests.vm import machine
from tests.vm.guest import INSIDE, PYTHON, Guest
from tests.vm.initramfs import SHARE
from tests.vm.scenes import acting, facts
from tests.vm.scenes.acting import INITRD, KERNEL, LOADED, WRITE

EXTRA = "kho_scratch=64M,16M,64M crashkernel=96M"
"""Small, so that what is too large is small too."""

MIB = 1 << 20
_GAPS = 5
"""Tries to meet a lock that is held nearly always."""

CRASH_LOADED = "/sys/kernel/kexec_crash_loaded"
MEMORY, CPU = "/sys/devices/system/memory", "/sys/devices/system/cpu/cpu1/online"


def test_a_machine_is_only_looked_at_without_the_word(guest: Guest) -> None:
    assert "--write" in acting.refused(guest, "load", *acting.image(guest)).err
    assert "--write" in acting.refused(guest, "offline", "cpu1").err
    assert guest.read(LOADED) == "0"
    assert guest.read(CPU) == "1"
    assert guest.document("journal")["records"] == []


def test_an_unprivileged_user_is_told_what_he_lacks(guest: Guest) -> None:
    words = ("load", *acting.image(guest), *WRITE)
    assert "CAP_SYS_BOOT" in acting.refused(guest, *words, unprivileged=True).err


def test_a_kernel_cut_short_is_refused_though_the_kernel_would_take_it(guest: Guest) -> None:
    cut = f"{SHARE}/cut"
    guest.run(f"head -c 700000 {KERNEL} > {cut}")
    answer = acting.refused(guest, "load", *acting.image(guest, cut), *WRITE, "--json")
    assert "700000" in acting.obstacles(answer.json())["image-complete"]
    assert guest.read(LOADED) == "0"
    assert acting.attempt(guest, "load", cut, INITRD, "console=ttyS0") is None
    assert guest.read(LOADED) == "1"
    guest.python("image.py", "unload")


def test_an_initrd_that_is_too_large(guest: Guest) -> None:
    big = _initrd(guest, 80 * MIB)
    answer = acting.refused(guest, "load", *acting.image(guest, initrd=big), *WRITE, "--json")
    assert "lowmem 64 MiB" in acting.obstacles(answer.json())["scratch-fit"]
    explained = acting.attempt(guest, "load", KERNEL, big, guest.arguments)
    assert explained["name"] == "EADDRNOTAVAIL"
    for size in ("80 MiB", "64 MiB, 64 MiB, 16 MiB"):
        assert size in explained["text"]
    assert guest.read(LOADED) == "0"


def test_where_preflight_cannot_tell_the_kernel_does(guest: Guest) -> None:
    big = _initrd(guest, 80 * MIB)
    guest.run("umount /sys/kernel/debug")
    answer = guest.console("load", *acting.image(guest, initrd=big), *WRITE)
    guest.run("mount -t debugfs debugfs /sys/kernel/debug")
    assert answer.code == 5
    assert "EADDRNOTAVAIL" in answer.err
    assert "80 MiB" in answer.err
    assert "scratch" in answer.err
    assert acting.last(guest)["errno"] == "EADDRNOTAVAIL"


def test_preflight_places_an_image_as_the_kernel_does(guest: Guest) -> None:
    largest = guest.script("largest.py", KERNEL)
    fits = _initrd(guest, largest["scratch"])
    assert acting.attempt(guest, "load", KERNEL, fits, guest.arguments) is None
    guest.python("image.py", "unload")
    # Preflight takes each of the small segments for a little larger than it is.
    more = _initrd(guest, largest["scratch"] + MIB)
    explained = acting.attempt(guest, "load", KERNEL, more, guest.arguments)
    assert explained["name"] == "EADDRNOTAVAIL"


def test_what_passes_for_the_crash_region_fits_it(guest: Guest) -> None:
    largest = guest.script("largest.py", KERNEL)["crash"]
    assert largest > 32 * MIB
    fits = _initrd(guest, largest)
    assert acting.attempt(guest, "load-crash", KERNEL, fits, "console=ttyS0") is None
    assert guest.read(CRASH_LOADED) == "1"
    guest.python("image.py", "unload-crash")


def test_a_crash_image_comes_and_goes(guest: Guest) -> None:
    load = ("load", "--crash", *acting.image(guest))
    acting.done(guest, *load)
    assert guest.read(CRASH_LOADED) == "1"
    # The second one takes the place of the first, which nothing brings back.
    assert "--yes-i-mean guest" in acting.refused(guest, *load, "--write").err
    again = acting.done(guest, *load)
    assert "rests on the kernel's answer alone" in again["outcome"]["text"]
    acting.done(guest, "unload", "--crash")
    assert guest.read(CRASH_LOADED) == "0"
    assert guest.read(LOADED) == "0"


def test_there_is_one_writer(guest: Guest) -> None:
    guest.run(
        f"{PYTHON} -B {INSIDE / 'writer.py'} </dev/null >/run/writer.log 2>&1 & "
        "echo $! > /run/writer.pid; until test -e /run/writer.held; do sleep 0.2; done",
        120,
    )
    pid = guest.read("/run/writer.pid")
    answer = acting.refused(guest, "load", *acting.image(guest), *WRITE)
    assert f"process {pid} of root" in answer.err
    assert guest.read(LOADED) == "0"
    guest.run("touch /run/writer.stop; while test -e /proc/$(cat /run/writer.pid)/maps; do :; done")
    acting.done(guest, "load", *acting.image(guest))
    acting.done(guest, "unload")


def test_another_loader_holds_the_kernels_lock(guest: Guest) -> None:
    words = f"{PYTHON} -ISB {INSIDE / 'image.py'} load-crash-again console=ttyS0"
    guest.run(
        f"{words} </dev/null >/run/image.log 2>&1 & echo $! > /run/image.pid; "
        "until test -e /run/image.going; do sleep 0.2; done",
        120,
    )
    # The loader holds the lock nearly always; in a gap between two loads ours is taken.
    for _ in range(_GAPS):
        explained = acting.attempt(guest, "load", KERNEL, INITRD, guest.arguments)
        if explained is not None:
            break
    guest.run("touch /run/image.stop; while test -e /proc/$(cat /run/image.pid)/maps; do :; done")
    assert guest.read("/run/image.log") == ""
    assert explained["name"] == "EBUSY"
    assert "lock" in explained["text"]
    guest.python("image.py", "unload-crash")
    guest.python("image.py", "unload")


def test_a_cpu_goes_and_comes(guest: Guest) -> None:
    acting.done(guest, "offline", "cpu1")
    assert guest.read(CPU) == "0"
    assert "already" in acting.refused(guest, "offline", "cpu1", *WRITE).err
    acting.done(guest, "online", "cpu1")
    assert guest.read(CPU) == "1"
    assert guest.console("offline", "cpu99", *WRITE).code == 3


def test_a_memory_block_comes_and_goes(guest: Guest) -> None:
    before = set(guest.run(f"ls {MEMORY}").split())
    guest.command(
        "object-add", **{"qom-type": "memory-backend-ram", "id": "more", "size": machine.DIMM}
    )
    guest.command("device_add", driver="pc-dimm", id="dimm", memdev="more", node=1)
    block = int(guest.read(f"{MEMORY}/block_size_bytes"), 16)
    entries = len(before) + machine.DIMM // block
    guest.run(f"until test $(ls {MEMORY} | wc -l) -ge {entries}; do sleep 0.2; done")
    name = sorted(set(guest.run(f"ls {MEMORY}").split()) - before)[-1]
    for verb in ("online", "offline"):
        if guest.read(f"{MEMORY}/{name}/state") != verb:
            acting.done(guest, verb, name)
            assert guest.read(f"{MEMORY}/{name}/state") == verb


def test_a_block_with_scratch_in_it_stays(guest: Guest) -> None:
    address, _ = facts.scratch(guest)[0]
    block = address // int(guest.read(f"{MEMORY}/block_size_bytes"), 16)
    planned = guest.document("offline", f"memory{block}", "--dry-run")["action"]["preconditions"]
    assert "scratch" in str([item for item in planned if item["result"] == "warning"])
    answer = guest.console("offline", f"memory{block}", *WRITE)
    assert answer.code == 5
    assert "EBUSY" in answer.err
    assert guest.read(f"{MEMORY}/memory{block}/state") == "online"


def _initrd(guest: Guest, size: int) -> str:
    """The initrd with so many bytes: what follows an archive are zeros."""
    path = f"{SHARE}/initrd-{size}"
    guest.run(f"cp {INITRD} {path}; truncate -s {size} {path}")
    return path
