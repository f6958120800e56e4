"""A kernel image as a document."""

from collections.abc import Iterable

from kho_console import text
from kho_console.documents.machine import finding_facts
from kho_console.documents.shape import Document, document, mapped
from kho_console.model.finding import Finding
from kho_console.model.image import ImageWords, KernelImage
from kho_console.model.unknown import Maybe, Unknown


def kernel_image(found: KernelImage, findings: Iterable[Finding]) -> Document:
    """What an image is and says; sizes in bytes."""
    return document(
        **facts(found),
        bytes=found.size,
        announced=found.announced,
        machine=mapped(found.machine, text.escaped),
        page_size=found.page_size,
        memory_size=found.memory_size,
        alignment=found.alignment,
        command_line_limit=found.command_line_limit,
        signed=found.signed,
        five_levels=found.five_levels,
        compression=found.compression,
        config=mapped(
            found.config,
            lambda known: {
                text.escaped(name): text.escaped(value) for name, value in known.items()
            },
        ),
        findings=[finding_facts(item) for item in findings],
    )


def facts(image: KernelImage) -> Document:
    """What a check of an image tells of it.

    The words of an image that could not be read are empty, with a reason.
    """
    return {
        "format": image.format,
        "release": mapped(image.release, text.escaped),
        **_words(image.words),
        "complete": image.complete,
    }


def _words(words: Maybe[ImageWords]) -> Document:
    if not isinstance(words, Unknown):
        return {"kho": list(words.kho), "luo": list(words.luo), "memfd": list(words.memfd)}
    why = text.reason(words)
    nothing: Document = {"kho": [], "luo": [], "memfd": []}
    return nothing | {f"{kind}_reason": why for kind in nothing}
