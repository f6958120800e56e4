"""The mechanism, and finalize against load."""

from pathlib import Path

import pytest

from kho_console.model.finding import Severity
from tests.engine.machines import KHO, Case, check, edited, found, plain
from tests.recordings import folder

V618 = "linux-6.18.15"
COLD = "linux-7.3.4/cold"
FDT = (folder(COLD) / "root/sys/kernel/debug/kho/out/fdt").read_bytes()
LOADED = "/sys/kernel/kexec_loaded"
FINALIZE = f"{KHO}/out/finalize"

CASES = (
    Case(
        "image-before-finalize",
        Severity.ERROR,
        (FINALIZE, "0"),
        plain(f"{V618}/loaded-first"),
        (
            plain(f"{V618}/cold"),
            plain(f"{V618}/ready"),
            edited(f"{V618}/loaded-first", release="6.16.12"),
        ),
    ),
    Case(
        "image-loaded-maybe-before-finalize",
        Severity.WARNING,
        (LOADED, "1"),
        plain(f"{V618}/ready"),
        (plain(f"{V618}/finalized"), plain(f"{V618}/loaded-first"), plain("linux-7.3.4/ready")),
    ),
    Case(
        "generation-unsupported",
        Severity.WARNING,
        (f"{KHO}/out/fdt", "kho-v9"),
        edited(COLD, {f"{KHO}/out/fdt": FDT.replace(b"kho-v4", b"kho-v9")}),
        (plain(COLD), plain("linux-7.1.13/cold"), plain(f"{V618}/finalized")),
    ),
    Case(
        "not-finalized",
        Severity.INFO,
        (FINALIZE, "0"),
        plain(f"{V618}/aborted"),
        (plain(f"{V618}/finalized"), plain(COLD)),
    ),
    Case(
        "finalized-blocks-preserve",
        Severity.INFO,
        (FINALIZE, "1"),
        plain(f"{V618}/finalized"),
        # 6.19 and 7.0 let producers go on.
        (plain(f"{V618}/cold"), edited(f"{V618}/finalized", {"/sys/kernel/kexec/loaded": "0\n"})),
    ),
    Case(
        "stateless",
        Severity.INFO,
        (FINALIZE, "not there"),
        plain("linux-7.1.13/cold"),
        (plain(f"{V618}/cold"), edited(COLD, {KHO: None})),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_rule(case: Case, tmp_path: Path) -> None:
    check(case, tmp_path)


def test_image_before_finalize_on_6_17(tmp_path: Path) -> None:
    snapshot = edited(f"{V618}/loaded-first", release="6.17.8")(tmp_path)
    assert found(snapshot, "image-before-finalize")


def test_6_19_with_an_image_must_be_finalized(tmp_path: Path) -> None:
    files = {"/sys/kernel/kexec/loaded": "1\n", LOADED: "1\n"}
    [finding] = found(edited(f"{V618}/cold", files, release="6.19.11")(tmp_path), "not-finalized")
    assert finding.severity is Severity.WARNING
    assert finding.remedy == f"Write 1 to {FINALIZE}, then load the image."


def test_6_19_with_live_update_finalizes_on_its_own(tmp_path: Path) -> None:
    files = {
        "/sys/kernel/kexec/loaded": "1\n",
        LOADED: "1\n",
        "/dev/liveupdate.stat": "mode=0o20600 rdev=10:258\n",
    }
    [finding] = found(edited(f"{V618}/cold", files, release="6.19.11")(tmp_path), "not-finalized")
    assert finding.severity is Severity.INFO
    assert finding.remedy is None


def test_series_of_2024(tmp_path: Path) -> None:
    files = {"/sys/kernel/kho/active": "0\n", LOADED: "1\n"}
    snapshot = edited(f"{V618}/cold", files)(tmp_path)
    assert not found(snapshot, "generation-unsupported")
    [finding] = found(snapshot, "image-before-finalize")
    assert (finding.evidence[1].path, finding.evidence[1].value) == ("/sys/kernel/kho/active", "0")
    assert found(snapshot, "not-finalized")[0].subject == "active"


def test_tree_shows_the_position_when_lockdown_shuts_finalize(tmp_path: Path) -> None:
    files = {"/sys/kernel/security/lockdown": "none [integrity] confidentiality\n", FINALIZE: None}
    machine = edited(f"{V618}/finalized", files, unreadable={FINALIZE: 1})
    [finding] = found(machine(tmp_path), "finalized-blocks-preserve")
    assert (finding.evidence[0].path, finding.evidence[0].value) == (
        f"{KHO}/out/fdt",
        "there, which it is while finalized only",
    )


def test_unreadable_trees_do_not_make_a_protocol_unsupported(tmp_path: Path) -> None:
    files = {f"{KHO}/out/sub_fdts": None}
    machine = edited(COLD, files, unreadable={f"{KHO}/out/fdt": 13})
    [finding] = found(machine(tmp_path), "generation-unsupported")
    assert finding.text.startswith("Nothing that can be read tells")
