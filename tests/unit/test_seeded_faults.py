"""bench/seeded_faults.py: each fault can still be seeded, and its tests exist."""

import pytest

from bench.seeded_faults import FAULTS, ROOT, changed


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.description)
def test_a_fault_changes_one_place_and_its_tests_exist(fault):
    intact = (ROOT / fault.file).read_text()

    assert changed(intact, fault) != intact
    for test in fault.tests:
        path, *names = test.split("::")
        assert all(f" {name}" in (ROOT / path).read_text() for name in names)


def test_descriptions_are_unique():
    assert len({fault.description for fault in FAULTS}) == len(FAULTS)
