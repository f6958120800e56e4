"""A crash image, CPUs and memory that come and go; the scenes follow one another."""

import json

from tests.vm import machine
from tests.vm.guest import INSIDE, PYTHON, Guest

SEQUENCE = "/sys/kernel/uevent_seqnum"
MEMORY = "/sys/devices/system/memory"


def test_a_crash_image_arms_the_machine(guest: Guest) -> None:
    assert guest.document("crash")["armed"] is False
    guest.python("image.py", "load-crash", "console=ttyS0")
    assert guest.read("/sys/kernel/kexec_crash_loaded") == "1"
    crash = guest.document("crash")
    assert crash["armed"] is True
    regions = [
        line.split(" : ")[0].strip().split("-")
        for line in guest.run("cat /proc/iomem").splitlines()
        if line.endswith(": Crash kernel")
    ]
    assert [(region["address"], region["size"]) for region in crash["regions"]] == [
        (int(start, 16), int(end, 16) - int(start, 16) + 1) for start, end in regions
    ]
    assert sum(region["size"] for region in crash["regions"]) == machine.CRASH
    assert "crash-not-loaded" not in {
        finding["id"] for finding in guest.document("status")["findings"]
    }


def test_every_event_is_seen(guest: Guest) -> None:
    guest.run(
        f"{PYTHON} -B {INSIDE / 'watch.py'} /run/watch.jsonl /run/watch.stop </dev/null "
        ">/run/watch.log 2>&1 & echo $! > /run/watch.pid; "
        "until test -e /run/watch.jsonl; do sleep 0.2; done",
        120,
    )
    before = set(guest.run(f"ls {MEMORY}").split())
    first = int(guest.read(SEQUENCE))
    for number in (0, 1):
        guest.run(f"echo {number} > /sys/devices/system/cpu/cpu1/online")
    size = machine.DIMM
    guest.command("object-add", **{"qom-type": "memory-backend-ram", "id": "more", "size": size})
    guest.command("device_add", driver="pc-dimm", id="dimm", memdev="more", node=1)
    block = int(guest.read(f"{MEMORY}/block_size_bytes"), 16)
    count = size // block
    guest.run(
        f"until test $(ls -d {MEMORY}/memory[0-9]* | wc -l) -ge "
        f"{count + len([name for name in before if name[-1].isdigit()])}; do sleep 0.2; done"
    )
    blocks = sorted(set(guest.run(f"ls {MEMORY}").split()) - before)
    assert len(blocks) == count
    for name in blocks:
        guest.run(f"echo online > {MEMORY}/{name}/state")
    last = int(guest.read(SEQUENCE))
    guest.run(
        "touch /run/watch.stop; while test -e /proc/$(cat /run/watch.pid)/maps; do sleep 0.2; done"
    )
    heard = [json.loads(line) for line in guest.read("/run/watch.jsonl").splitlines()]

    assert [event for event in heard if event[0] == "lost"] == []
    assert sorted(event[:2] for event in heard) == sorted(
        [
            ["offline", "cpu1"],
            ["online", "cpu1"],
            *(["add", name] for name in blocks),
            *(["online", name] for name in blocks),
        ]
    )
    numbers = [event[2] for event in heard]
    assert numbers == sorted(numbers)
    assert first < numbers[0] and numbers[-1] <= last


def test_the_new_memory_counts(guest: Guest) -> None:
    crash = guest.document("crash")
    assert crash["armed"] is True
    possible = guest.read("/sys/devices/system/cpu/possible")
    assert crash["cpus"]["possible"] == int(possible.split("-")[-1]) + 1


def test_unloaded_means_not_armed(guest: Guest) -> None:
    guest.python("image.py", "unload-crash")
    assert guest.read("/sys/kernel/kexec_crash_loaded") == "0"
    assert guest.document("crash")["armed"] is False
