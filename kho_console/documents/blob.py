"""A blob in one line."""

from kho_console import text
from kho_console.documents.shape import Document
from kho_console.model.blob import Blob
from kho_console.model.unknown import Cause, Unknown


def blob_facts(blob: Blob) -> Document:
    """What is said of a blob wherever it is named."""
    return {
        "name": text.escaped(blob.name),
        "size": blob.size,
        "format": blob.format,
        "compatible": Unknown(Cause.ABSENT, "it carries no compatible word")
        if blob.compatible is None
        else text.escaped(blob.compatible),
        "state": blob.state,
        "reason": text.escaped(blob.reason),
        "address": blob.address,
    }
