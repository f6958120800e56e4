"""What PKRAM and a stream of kstate give reason to say, where a machine has them."""

from collections.abc import Iterator
from functools import partial

from kho_console.engine.findings.facts import Facts
from kho_console.engine.findings.rule import Found, Rule
from kho_console.model.finding import About

_PKRAM = {
    "pkram-damaged": "what the super block leads to does not hold",
    "pkram-version-guessed": "nothing tells v3 from v2",
    "pkram-huge-flags": "huge pages are not flagged as the series does it",
    "pkram-scattered": "too scattered to tell whether a page is there twice",
    "pkram-v3-slots": "folios that v3 reserves in part, or with what is around them",
    "pkram-one-generation": "nodes that nobody loads are not protected at the next kexec",
    "pkram-empty": "nothing is preserved",
}
_KSTATE = {
    "kstate-damaged": "the stream cannot be walked to its end",
    "kstate-does-not-fit": "an entry is not as its description says",
    "kstate-version-guessed": "nothing tells the series",
    "kstate-version-mismatch": "an entry is of another version or instance than described",
    "kstate-no-description": "an entry has no description",
    "kstate-duplicate": "an entry is there twice",
    "kstate-order-is-bool": "pages of order 2 and more are kept in part",
    "kstate-page-twice": "a page is registered more than once",
    "kstate-v2-unprotected": "preserved pages that an image may be placed on",
    "kstate-v1-no-bounds": "more than the segment of v1 holds",
    "kstate-v3-growth": "a stream of more than a page, which the posted v3 breaks",
    "kstate-end-is-compared": "a description with an end mark that kernels run past",
    "kstate-counted-again": "an entry whose elements are counted by the machine",
    "kstate-led-back": "a size below zero, by which kernels go back",
    "kstate-endless-zeros": "zeros that kernels walk over without an end",
    "kstate-stale-count": "a list that counts more pages than it has",
    "kstate-v3-one-order": "a field that v3 writes beyond its folio",
    "kstate-v3-name": "a reserve_mem region whose instance is not that of its name",
    "kstate-v3-stale-id": "an empty stream of v3 that is judged by stale bytes",
    "kstate-unreserved": "a stream of no size, which the kernel does not reserve",
    "kstate-behind-the-end": "bytes behind the end mark",
}


def _said(name: str, facts: Facts) -> Iterator[Found]:
    mechanisms = facts.snapshot.mechanisms
    for seen in (mechanisms.pkram, mechanisms.kstate):
        if seen is None:
            continue
        for item in seen.findings:
            if item.id == name:
                yield Found(item.severity, item.subject, item.text, (seen.evidence,), item.remedy)


RULES = tuple(
    Rule(name, summary, partial(_said, name), about)
    for table, about in ((_PKRAM, About.PKRAM), (_KSTATE, About.KSTATE))
    for name, summary in table.items()
)
