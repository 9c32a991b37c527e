"""The archive for Lambda: compiled, small and reproducible."""

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from support import lock, tokens
from support.operator import HERE

from chalicelib.errors import CommandError
from dashboard.deploy import bundle, chalice_project

STAGE = "test"
VARIABLES = {
    **dict.fromkeys(("EVENTS_TABLE", "STATS_TABLE", "SUBSCRIPTIONS_TABLE"), "t"),
    **dict.fromkeys(("QUEUE_URL", "DEAD_LETTER_QUEUE_URL"), "q"),
    "QUEUE_ARN": "arn:aws:sqs:us-east-1:123456789012:events",
    "EVENTS_STREAM_ARN": "arn:aws:dynamodb:us-east-1:123456789012:table/e/stream/1",
    "STATS_STREAM_ARN": "arn:aws:dynamodb:us-east-1:123456789012:table/s/stream/1",
    "PSEUDONYM_KEY": "p" * 64,
    "SHARE_KEY": "s" * 64,
    "AWS_REGION": "us-east-1",
}
[_, ARCHITECTURE] = HERE
MB = 1024**2  # the unit of Lambda's quotas
ROLES = {name: f"arn:aws:iam::123456789012:role/{name}" for name in chalice_project.FUNCTIONS}
ELSEWHERE = next(one for one in chalice_project.ARCHITECTURES if one != ARCHITECTURE)


def prepared(build, **options):
    chalice_project.prepare(build, STAGE, VARIABLES, ROLES, **options)
    return build


def unpacked(path, folder):
    with zipfile.ZipFile(path) as packed:
        packed.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def archive_with_packages(tmp_path_factory):
    """Return an archive with the packages of requirements.txt, for this host."""
    return bundle.make(prepared(tmp_path_factory.mktemp("whole")), ARCHITECTURE)


@pytest.fixture
def code(archive_with_packages, tmp_path):
    return unpacked(archive_with_packages, tmp_path / "code")


def run(code, program, *arguments, packages=False):
    """Run a program on the code as Lambda would, with boto3 from the runtime."""
    runtime = sysconfig.get_paths()["purelib"]
    path = f"import sys; sys.path[:0] = [{str(code)!r}]\n"
    path += f"sys.path.append({runtime!r})\n" if packages else ""
    return subprocess.run(
        [sys.executable, "-S", "-c", path + program, *arguments],
        env=VARIABLES,
        cwd=code,
        capture_output=True,
        text=True,
        check=False,
    )


def test_our_sources_have_unchecked_bytecode_of_the_runtime(archive_with_packages):
    with zipfile.ZipFile(archive_with_packages) as packed:
        sources = [name for name in packed.namelist() if name.endswith(".py")]
        headers = {
            packed.read(importlib.util.cache_from_source(name))[
                :8
            ]  # KeyError: the archive has no source
            for name in sources
        }

    unchecked_hash = (1).to_bytes(4, "little")  # PEP 552
    assert headers == {importlib.util.MAGIC_NUMBER + unchecked_hash}
    assert {name.split("/")[0] for name in sources} == {"app.py", "chalicelib", "chalice"}


def test_packages_contain_only_bytecode(archive_with_packages):
    with zipfile.ZipFile(archive_with_packages) as packed:
        names = set(packed.namelist())

    for package in ("jwt", "cryptography", "httptools", "msgspec"):
        assert f"{package}/__init__.pyc" in names
        assert not any(name.startswith(f"{package}/__pycache__") for name in names)


def test_python_runs_the_bytecode(code):
    for source in code.rglob("*.py"):
        source.write_text("raise SystemExit('compiled at a cold start')")

    done = run(code, "import app; print(sorted(app.app.handler_map))", packages=True)

    assert (done.returncode, done.stderr) == (0, "")
    assert "ingest" in done.stdout


def test_cryptography_is_loaded_only_to_verify_a_token(code):
    program = """
import app
from chalicelib import functions
for name in functions.NAMES:
    functions.prepare(name)
unpaid = {"jwt", "cryptography"}.isdisjoint(sys.modules)
from chalicelib.auth import share_tokens
print(unpaid, {"jwt", "cryptography"} <= sys.modules.keys())
"""
    done = run(code, program, packages=True)

    assert (done.stdout, done.stderr) == ("True True\n", "")


@pytest.mark.parametrize(
    "token",
    [tokens.signed(), tokens.signed(tokens.CURVE, "key-2", "ES256")],
    ids=["RS256", "ES256"],
)
def test_the_stripped_packages_verify_tokens(code, token):
    program = """
import json
issuer, client, keys, token = sys.argv[1:]
from chalicelib.auth.tokens import TokenVerifier
documents = {f"{issuer}/.well-known/openid-configuration": {"jwks_uri": "keys"}}
documents["keys"] = {"keys": json.loads(keys)}
print(TokenVerifier(issuer, client, fetch=documents.__getitem__).viewer(token).subject)
"""
    keys = json.dumps(tokens.Issuer().keys)

    done = run(code, program, tokens.ISSUER, tokens.CLIENT, keys, token)

    assert (done.stdout, done.stderr) == ("user-1\n", "")


def test_the_archive_contains_no_unused_files(archive_with_packages):
    with zipfile.ZipFile(archive_with_packages) as packed:
        kinds = {Path(name).suffix for name in packed.namelist()}

    assert kinds == {".py", ".pyc", ".so", ".pem", ".txt"}


def test_the_archive_is_small(archive_with_packages, tmp_path):
    without = bundle.make(prepared(tmp_path, with_packages=False), ARCHITECTURE)

    assert without.stat().st_size < 1.2 * MB
    assert archive_with_packages.stat().st_size < 6.6 * MB


def test_the_same_code_builds_the_same_archive(tmp_path):
    first = bundle.make(prepared(tmp_path / "a", with_packages=False), ARCHITECTURE)
    build = prepared(tmp_path / "b", with_packages=False)
    for path in build.rglob("*.py"):
        os.utime(path, (1_000_000_000, 1_000_000_000))

    assert bundle.make(build, ARCHITECTURE).read_bytes() == first.read_bytes()


@pytest.mark.parametrize("setting", ["PYTHONPYCACHEPREFIX", "PYTHONOPTIMIZE"])
def test_the_bytecode_settings_of_the_operators_python_have_no_effect(tmp_path, setting):
    build = prepared(tmp_path / "build")
    program = "from pathlib import Path; from dashboard.deploy import bundle; import sys; "
    program += f"print(bundle.make(Path({str(build)!r}), {ARCHITECTURE!r}))"

    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, setting: str(tmp_path) if setting.endswith("PREFIX") else "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, "")
    with zipfile.ZipFile(done.stdout.strip()) as packed:
        assert "jwt/__init__.pyc" in packed.namelist()


def test_the_archive_is_built_once_and_replaces_one_built_by_chalice(tmp_path):
    build = prepared(tmp_path, with_packages=False)
    made = bundle.make(build, ARCHITECTURE)
    inode, content = made.stat().st_ino, made.read_bytes()

    assert bundle.make(build, ARCHITECTURE).stat().st_ino == inode

    made.write_bytes(b"as Chalice packs it")
    assert bundle.make(build, ARCHITECTURE).read_bytes() == content


@pytest.mark.parametrize("changed", ["app.py", "chalicelib/config.py"])
def test_changed_code_replaces_the_archive(tmp_path, changed):
    build = prepared(tmp_path, with_packages=False)
    before = bundle.make(build, ARCHITECTURE)
    (build / changed).write_text("# changed\n")

    after = bundle.make(build, ARCHITECTURE)

    assert list(after.parent.iterdir()) == [after]
    assert after != before


def test_chalice_uses_the_archive(tmp_path):
    build = prepared(tmp_path, with_packages=False)
    environment = {"AWS_DEFAULT_REGION": "us-east-1", "PATH": os.environ["PATH"]}

    _, packaged = chalice_project.package(build, STAGE, environment, tmp_path / "package.log")

    assert (
        packaged.read_bytes() == bundle.make(build, chalice_project.ARCHITECTURES[0]).read_bytes()
    )


def test_an_archive_built_by_chalice_is_an_error(tmp_path, monkeypatch):
    build = prepared(tmp_path, with_packages=False)
    monkeypatch.setattr(bundle, "RUNTIME", "python3.10")  # not the name that Chalice looks for

    with pytest.raises(CommandError, match="Chalice created its own archive"):
        chalice_project.package(build, STAGE, {"AWS_DEFAULT_REGION": "us-east-1"}, tmp_path / "log")


def test_a_syntax_error_in_the_code_is_an_error(tmp_path):
    build = prepared(tmp_path, with_packages=False)
    (build / "chalicelib" / "config.py").write_text("def (")

    with pytest.raises(CommandError, match=r"cannot compile the code: .*config\.py"):
        bundle.make(build, ARCHITECTURE)


def test_a_package_that_cannot_be_downloaded_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("PIP_NO_INDEX", "1")

    with pytest.raises(CommandError, match=r"cannot download the packages .*reach PyPI"):
        bundle.make(prepared(tmp_path), ARCHITECTURE)


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """Return a function that builds a wheel and returns its lock line; pip finds no other wheels."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))

    def make(name, tag="py3-none-any", requires=""):
        path = tmp_path / f"{name}-1-{tag}.whl"
        metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n"
        with zipfile.ZipFile(path, "w") as packed:
            packed.writestr(f"{name}.py", "")
            packed.writestr(
                f"{name}-1.dist-info/METADATA",
                metadata + (f"Requires-Dist: {requires}\n" if requires else ""),
            )
            packed.writestr(f"{name}-1.dist-info/WHEEL", f"Wheel-Version: 1.0\nTag: {tag}\n")
            packed.writestr(f"{name}-1.dist-info/RECORD", "")
        return f"{name}==1 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"

    return make


def locked(tmp_path, lines):
    build = prepared(tmp_path / "build")
    (build / "requirements.txt").write_text(lines)
    return build


def test_a_package_without_a_wheel_for_lambda_is_an_error(tmp_path, wheel):
    here = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    build = locked(tmp_path, wheel("thing", f"{python}-{python}-{here}"))

    with pytest.raises(CommandError, match=f"for Lambda .{ELSEWHERE}, .* for thing==1"):
        bundle.make(build, ELSEWHERE)
    assert not list((build / ".chalice").glob("deployments/*.zip"))


def test_a_package_with_the_locked_hash_is_included(tmp_path, wheel):
    made = bundle.make(locked(tmp_path, wheel("thing")), ELSEWHERE)

    with zipfile.ZipFile(made) as packed:
        assert "thing.pyc" in packed.namelist()


@pytest.mark.parametrize("architecture", chalice_project.ARCHITECTURES)
def test_a_package_with_another_hash_is_an_error(tmp_path, wheel, architecture):
    line = wheel("thing")
    wheel("thing", requires="other")  # the same name and version

    with pytest.raises(CommandError, match=r"hash of a package does not match requirements\.txt"):
        bundle.make(locked(tmp_path, line), architecture)


def test_a_package_without_a_hash_is_an_error(tmp_path, wheel):
    wheel("thing")

    with pytest.raises(CommandError, match="Hashes are required"):
        bundle.make(locked(tmp_path, "thing==1\n"), ARCHITECTURE)


def test_an_unlocked_transitive_dependency_is_an_error(tmp_path, wheel):
    wheel("other")

    with pytest.raises(CommandError, match="must have their versions pinned"):
        bundle.make(locked(tmp_path, wheel("thing", requires="other")), ARCHITECTURE)


@pytest.mark.parametrize("architecture", chalice_project.ARCHITECTURES)
def test_the_archive_contains_exactly_the_locked_packages(tmp_path, architecture):
    build = prepared(tmp_path / "build", architecture=architecture)
    code = unpacked(bundle.as_chalice_does(build, architecture), tmp_path / "code")

    found = {
        re.sub(r"[-_.]+", "-", one.name).lower(): one.version
        for one in importlib.metadata.distributions(path=[str(code)])
    }
    assert found == {one.name: one.version for one in lock.read("requirements.txt")}
    machines = {
        re.search(r"x86_64|aarch64", tag)[0]
        for path in code.glob("*.dist-info/WHEEL")
        for tag in re.findall("^Tag: .*-(.*)$", path.read_text(), re.MULTILINE)
        if tag != "any"
    }
    assert machines == {{"arm64": "aarch64"}.get(architecture, architecture)}
