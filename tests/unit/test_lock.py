"""The lock files contain every package with its hashes, and agree with their sources."""

import re

import pytest
from support import lock

from dashboard.paths import PROJECT

LOCKS = ("requirements.txt", "requirements-dev.txt", "requirements-checkov.txt")


def versions(name):
    return {(one.name, one.version) for one in lock.read(name)}


@pytest.mark.parametrize("name", LOCKS)
def test_each_package_has_a_version_and_hashes(name):
    packages = list(lock.read(name))

    assert packages
    for one in packages:
        assert one.hashes, one.name
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", found) for found in one.hashes), one.name


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_has_the_versions_that_its_source_pins(name):
    source = (PROJECT / name).with_suffix(".in").read_text()
    named = re.findall(r"^([\w.-]+)(?:\[\w+\])?==(\S+)$", source, re.MULTILINE)

    assert named
    assert {(one.lower(), version) for one, version in named} <= versions(name)


def test_the_functions_use_the_tested_package_versions():
    assert versions("requirements.txt") < versions("requirements-dev.txt")


def test_the_functions_packages_do_not_depend_on_the_deploying_host():
    markers = {one.marker for one in lock.read("requirements.txt")}

    assert not [one for one in markers if re.search("sys_platform|os_name|platform_(m|s|r|v)", one)]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_contains_no_package_index(name):
    assert not re.search("://|--(extra-)?index-url|--find-links", (PROJECT / name).read_text())
