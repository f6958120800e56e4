"""What the rules say of releases that no recording shows."""

from collections.abc import Callable
from pathlib import Path

import pytest

from kho_console.engine.diagnose import diagnose
from kho_console.engine.observe import observe
from kho_console.model.finding import Finding, Severity
from tests.engine import releases
from tests.fixture_folder import KHO, FixtureFolder

ALWAYS = {"scratch-too-small", "scratch-zero"}
"""The made-up machines have no global area and 32 MiB in the largest."""

STATELESS = ALWAYS | {"stateless", "tree-window"}


def said(folder: FixtureFolder) -> dict[str, Finding]:
    return {finding.id: finding for finding in diagnose(observe(folder.open()))}


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (releases.linux_6_17, ALWAYS | {"finalized-blocks-preserve"}),
        (lambda place: releases.stateless(place, "7.2.13"), STATELESS),
        (lambda place: releases.stateless(place, "7.4.0", areas="bootmem"), STATELESS),
        (
            lambda place: releases.stateless(place, "7.4.0", areas="bootmem", word="kho-v5"),
            STATELESS | {"generation-unsupported"},
        ),
        (lambda place: releases.stateless(place, "7.3.4", page_size=16384), STATELESS),
        (releases.arm64, STATELESS | {"handover-refused"}),
        (releases.series_v6, {"scratch-too-small", "finalized-blocks-preserve"}),
        (
            lambda place: releases.series_2024(place, active=False),
            {"not-finalized"},
        ),
        (lambda place: releases.series_2024(place, active=True), set()),
    ],
)
def test_release(make: Callable[[Path], FixtureFolder], expected: set[str], tmp_path: Path) -> None:
    assert set(said(make(tmp_path))) == expected


def test_6_17_with_an_image_that_was_loaded_first(tmp_path: Path) -> None:
    folder = releases.linux_6_17(tmp_path, state="0\n")
    # Up to 6.18 the tree is there while finalized only.
    (tmp_path / f"root{KHO}/out/fdt").unlink()
    folder.file("/sys/kernel/kexec_loaded", "1\n")
    findings = said(folder)
    assert findings["image-before-finalize"].severity is Severity.ERROR
    assert findings["not-finalized"].severity is Severity.WARNING


def test_6_19_cannot_complete_its_tree_before_finalize(tmp_path: Path) -> None:
    findings = said(releases.linux_6_19(tmp_path, finalized=False))
    assert set(findings) == ALWAYS | {"not-finalized", "sessions-without-image", "tree-window"}
    assert findings["tree-window"].severity is Severity.INFO
    assert "(not finalized yet)" in findings["tree-window"].text


def test_6_19_finalized_lets_producers_go_on(tmp_path: Path) -> None:
    findings = said(releases.linux_6_19(tmp_path, finalized=True))
    assert set(findings) == ALWAYS | {"sessions-without-image", "tree-window"}
    assert findings["tree-window"].text.endswith("completed from its page in memory.")


def test_arm64_shows_the_offer_in_its_device_tree(tmp_path: Path) -> None:
    [offer, _] = said(releases.arm64(tmp_path))["handover-refused"].evidence
    assert offer.path == "/sys/firmware/devicetree/base/chosen/linux,kho-fdt"
