"""docs/reconciliation.md shows a run of `reconcile` as it is."""

from bench.reconcile_transcript import DOCUMENT, run


def test_reconcile_prints_what_its_document_shows():
    text = run()

    assert f"```console\n{text}\n```\n" in DOCUMENT.read_text()
