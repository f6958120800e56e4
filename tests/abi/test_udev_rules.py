"""Rules that reload a crash image, and what keeps them from it."""

import pytest

from kho_console.abi.udev_rules import NAME, reloads

THROTTLER = b"""\
SUBSYSTEM=="cpu", ACTION=="add", GOTO="load"
SUBSYSTEM=="memory", ACTION=="online", GOTO="load"
GOTO="end"
LABEL="load"
RUN+="/bin/sh -c 'systemctl is-active kdump.service || exit 0; systemd-run kdump-udev-throttler'"
LABEL="end"
"""
"""One assignment for both subsystems, behind a label."""

SKIP_CPU = b'SUBSYSTEM=="cpu", ATTRS{crash_hotplug}=="1", GOTO="end"\n'
SKIP_MEMORY = b'SUBSYSTEM == "memory", \\\n  ATTRS{crash_hotplug} == "1", GOTO="end"\n'

SKIP_BOTH = b'ATTRS{crash_hotplug}=="1", GOTO="end"\n'
RELOAD_MEMORY = b'SUBSYSTEM=="memory", RUN+="/usr/sbin/kdump-config try-reload"\n'


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (THROTTLER, ("cpu", "memory")),
        (SKIP_CPU + THROTTLER, ("memory",)),
        (SKIP_CPU + SKIP_MEMORY + THROTTLER, ()),
        (b"# " + SKIP_CPU + THROTTLER, ("cpu", "memory")),
        (b'SUBSYSTEM=="memory", RUN+="/usr/sbin/kdump-config try-reload"\n', ("memory",)),
        (b'SUBSYSTEM=="cpu", PROGRAM="/usr/sbin/kdump-config try-reload"\n', ("cpu",)),
        (b'SUBSYSTEM=="cpu|memory", RUN+="kexec"\n', ("cpu", "memory")),
        (b'SUBSYSTEM=="memory", ACTION=="online", ATTR{state}="online"\n', ()),
        (b'#SUBSYSTEM=="memory", RUN+="kdump"\n', ()),
        (SKIP_BOTH + THROTTLER, ()),
        (RELOAD_MEMORY + SKIP_BOTH + b'LABEL="end"\n', ("memory",)),
        (b'ATTR{crash_hotplug}!="1", ' + RELOAD_MEMORY, ()),
        (b'ATTRS{crash_hotplug}=="1", ' + RELOAD_MEMORY, ("memory",)),
        (b'TEST=="/run/skip", GOTO="end"\n' + RELOAD_MEMORY, ("memory",)),
        (b'SUBSYSTEM!="cpu", GOTO="end"\nACTION=="o*", RUN+="kexec"\nLABEL="end"\n', ("cpu",)),
        (b'KERNEL=="memory*", ENV{SYSTEMD_WANTS}+="kdump-reload.service"\n', ("memory",)),
        (b'SUBSYSTEM=="memory", ACTION=="change", RUN+="kexec"\n', ()),
        (b"\xff\0\\", ()),
        # A block has no such file of its own, so these matches never hold.
        (SKIP_BOTH.replace(b"ATTRS", b"ATTR") + THROTTLER, ("cpu", "memory")),
        (b'ATTR{../crash_hotplug}=="1", GOTO="end"\n' + THROTTLER, ()),
        (b'SUBSYSTEM=="memory", RUN+=e"/bin/sh -c \\"kdumpctl reload\\""\n', ("memory",)),
        (b'SUBSYSTEM=="memory", RUN+="/usr/local/sbin/reload-crash-image"\n', ("memory",)),
        (b'PROGRAM=="/bin/cat /sys/devices/system/memory/crash_hotplug"\n', ()),
        (b'SUBSYSTEM=="memory", \\\n # why\n RUN+="kexec"\n', ("memory",)),
        (b"# what follows stands\\\n" + RELOAD_MEMORY, ("memory",)),
    ],
)
def test_reloads(data: bytes, found: tuple[str, ...]) -> None:
    assert reloads(data) == found


def test_names() -> None:
    named = [
        name
        for name in ("98-kexec.rules", "50-kdump-tools.rules", "50-udev.rules", "kdump.rules.old")
        if NAME.fullmatch(name)
    ]
    assert named == ["98-kexec.rules", "50-kdump-tools.rules"]
