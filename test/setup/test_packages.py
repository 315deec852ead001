"""Installing lists of packages, and the one line that is said when it fails."""

import os
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from types import SimpleNamespace

import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from lingbot_ros.environment.failure import SetupError
from lingbot_ros.environment.layout import Layout
from lingbot_ros.environment.packages import Installer, explain
from lingbot_ros.environment.pins import not_installed, read_pins
from lingbot_ros.environment.progress import Progress

LOG = Path("/x/ros.log")

NO_ROUTE = """\
WARNING: Retrying (Retry(total=0, ...)) after connection broken by 'NewConnectionError('<...>: Failed to establish a new
connection: [Errno -3] Temporary failure in name resolution')': /simple/ros-rclpy/
ERROR: Could not find a version that satisfies the requirement ros-rclpy==9.1.2 (from versions: none)
ERROR: No matching distribution found for ros-rclpy==9.1.2
"""
NOT_OFFERED = """\
ERROR: Could not find a version that satisfies the requirement torch==2.13.0+cpu (from versions: 2.13.0)
ERROR: No matching distribution found for torch==2.13.0+cpu
"""


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        pytest.param(NO_ROUTE, "cannot reach the package index: check network, proxy", id="no network"),
        pytest.param(NOT_OFFERED, "does not offer torch==2.13.0+cpu for Python 3.11", id="not offered"),
        pytest.param(
            "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n",
            "no space left on the disk",
            id="disk full",
        ),
        pytest.param(
            "ERROR: Could not install packages due to an OSError: [Errno 30] Read-only file system: '/x'\n",
            "cannot write while packages were installed",
            id="read-only",
        ),
        pytest.param("ERROR: one\nERROR: two\n", "pip failed: two (/x/ros.log)", id="anything else"),
    ],
)
def test_a_failure_becomes_one_line_with_what_to_do(output: str, expected: str) -> None:
    line = explain(output, LOG, "3.11")
    assert "\n" not in line
    assert expected in line


def test_pins_are_read_without_comments(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("# a list\n\nnumpy==2.4.6  # arrays\n torch==2.13.0\n")
    assert read_pins(path) == ["numpy==2.4.6", "torch==2.13.0"]


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Layout:
    """A tree with a real virtual environment that has nothing but pip."""
    layout = Layout(tmp_path_factory.mktemp("tree"))
    subprocess.run([sys.executable, "-m", "venv", layout.prefix], check=True)
    return layout


@pytest.fixture
def only_local_packages(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder as pip's only source, whatever this machine's pip is configured to."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    folder = layout.root / "wheels"
    folder.mkdir(exist_ok=True)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def installer(layout: Layout) -> Iterator[Installer]:
    lock = os.open(layout.lock, os.O_RDWR | os.O_CREAT)
    yield Installer(layout, Progress("[1/1] test"), lock)
    os.close(lock)


def make_wheel(folder: Path, name: str, version: str) -> None:
    """The smallest wheel that pip accepts."""
    import zipfile

    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"VERSION = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{file},,\n" for file in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for file, content in files.items():
            archive.writestr(file, content)


def test_a_list_is_installed_into_the_environment(
    layout: Layout, installer: Installer, only_local_packages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_wheel(only_local_packages, "probe_package", "1.0")
    # A user's habits elsewhere must not divert the installation.
    monkeypatch.setenv("PIP_TARGET", str(layout.root / "elsewhere"))
    monkeypatch.setenv("PIP_USER", "1")
    installer.install(["probe_package==1.0"], "probe")
    assert (layout.site_packages / "probe_package.py").exists()
    assert not (layout.root / "elsewhere").exists()
    assert installer.has_changed_anything
    assert "probe_package" in (layout.private / "probe.log").read_text()


@pytest.mark.usefixtures("only_local_packages")
def test_a_package_that_is_not_there_is_named_and_nothing_is_changed(installer: Installer) -> None:
    with pytest.raises(SetupError, match=r"does not offer absent-package==3\.2 for Python 3\.1"):
        installer.install(["absent-package==3.2"], "absent")
    assert not installer.has_changed_anything


def test_without_a_network_one_line_says_so(installer: Installer, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(SetupError, match="cannot reach the package index"):
        installer.install(["anything==1.0"], "offline")


@pytest.mark.parametrize(
    ("variables", "settings"),
    [
        ({"PIP_PYTHON": "other/bin/python"}, ""),
        ({"PIP_DRY_RUN": "1"}, ""),
        ({"PIP_CONSTRAINT": "constraint.txt"}, ""),
        ({}, "[install]\ntarget = {folder}/t\n"),
        ({}, "[install]\nprefix = {folder}/t\nno-compile = true\n"),
        ({}, "dry-run = true\npython = {folder}/other/bin/python\n"),
        ({}, "user = true\nrequire-hashes = true\nonly-binary = nothing\n"),
    ],
    ids=["python", "dry run", "constraint", "target", "prefix", "dry run of a file", "user"],
)
def test_settings_of_the_users_pip_send_nothing_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], settings: str
) -> None:
    layout = Layout(tmp_path / "tree")
    layout.root.mkdir()
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", layout.prefix], check=True)
    (layout.site_packages / "pip.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (tmp_path / "wheels").mkdir()
    make_wheel(tmp_path / "wheels", "probe_package", "1.0")
    (tmp_path / "constraint.txt").write_text("probe_package==2.0\n")
    sources = f"[global]\nno-index = true\nfind-links =\n    {tmp_path}/none\n    {tmp_path}/wheels\n"
    (tmp_path / "pip.conf").write_text(sources + settings.format(folder=tmp_path))
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    for name, value in variables.items():
        monkeypatch.setenv(name, str(tmp_path / value) if "/" in value or "." in value else value)
    lists = tmp_path / "list.txt"
    lists.write_text('probe_package==1.0\nprobe_package==0.5; python_version < "3.0"\n')
    lock = os.open(layout.lock, os.O_RDWR | os.O_CREAT)
    Installer(layout, Progress("[1/1] test"), lock).install(["-r", lists], "probe")
    os.close(lock)
    assert (layout.site_packages / "probe_package.py").exists()
    assert not (tmp_path / "t").exists()


def test_a_list_has_lines_for_each_python(tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text('a==1; python_version >= "3.11"\na==0 ; python_version < "3.11"  # old\nb==2\n')
    assert [read_pins(path, version) for version in ((3, 10), (3, 11), (3, 14))] == [
        ["a==0", "b==2"],
        ["a==1", "b==2"],
        ["a==1", "b==2"],
    ]
    both = 'a==1; python_version >= "3.11" and python_version < "3.13"\n'
    path.write_text(both)
    assert [len(read_pins(path, version)) for version in ((3, 10), (3, 12), (3, 13))] == [0, 1, 0]


def test_every_list_of_ours_names_each_package_once_for_each_python() -> None:
    lists = Layout(Path(__file__).resolve().parents[2]).requirements
    for path in lists.glob("*.txt"):
        for minor in range(10, 15):
            names = [pin.partition("==")[0] for pin in read_pins(path, (3, minor))]
            assert len(names) == len(set(names)), (path.name, minor)


def test_no_list_names_a_release_that_a_python_cannot_have() -> None:
    """Every release that is installed here says which Pythons it is for."""
    lists = Layout(Path(__file__).resolve().parents[2]).requirements
    installed = {canonicalize_name(found.name): found for found in distributions()}
    wrong, looked_at = [], 0
    for path in lists.glob("*.txt"):
        for minor in range(10, 15):
            for pin in read_pins(path, (3, minor)):
                name, _, release = pin.partition("==")
                found = installed.get(canonicalize_name(name.partition("[")[0]))
                if path.name == "constraints.txt" or found is None or found.version.partition("+")[0] != release:
                    continue
                looked_at += 1
                if not SpecifierSet(found.metadata.get("Requires-Python") or "").contains(f"3.{minor}.20"):
                    wrong.append((path.name, pin, minor))
    assert looked_at > 100 and not wrong, wrong


def test_what_pip_did_not_install_is_named(layout: Layout) -> None:
    folder = layout.site_packages / "Some_Thing-1.0+cpu.dist-info"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: Some_Thing\nVersion: 1.0+cpu\n")
    pins = ["some-thing==1.0", "some.thing", "some-thing==2.0", "absent[extra]==1"]
    assert not_installed(pins, layout.site_packages) == ["some-thing==2.0", "absent[extra]==1"]


def test_before_gigabytes_of_cuda_a_sentence_says_how_to_avoid_them(
    layout: Layout, installer: Installer, only_local_packages: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr("lingbot_ros.environment.packages.nvidia_driver", lambda: None)
    make_wheel(only_local_packages, "torch", "3.0")
    write_torch_list(layout, "3.0")
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=5e9))
    with pytest.raises(SetupError, match=r"needs 14 GB with CUDA \(5.0 GB are free\).* PIP_EXTRA_INDEX_URL"):
        installer.install_torch()
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=5e10))
    installer.install_torch()
    assert "a download of about 3 GB with CUDA" in capsys.readouterr().err
    # A constraint that excludes the CPU build is a conflict to pip, not an absence.
    make_wheel(only_local_packages, "torch", "4.0")
    write_torch_list(layout, "4.0")
    (layout.requirements / "constraints.txt").write_text("torch==4.0\n")
    installer.install_torch()
    assert (layout.site_packages / "torch.py").read_text() == "VERSION = '4.0'\n"


def write_torch_list(layout: Layout, version: str) -> None:
    layout.requirements.mkdir(parents=True, exist_ok=True)
    (layout.requirements / "torch.txt").write_text(f"torch=={version}\n")
    (layout.requirements / "constraints.txt").write_text("")


@pytest.mark.parametrize(
    ("offered", "expected"),
    [
        pytest.param(["1.0", "1.0+cpu"], "1.0+cpu", id="the CPU build where it is offered"),
        pytest.param(["2.0"], "2.0", id="else the ordinary one"),
    ],
)
def test_the_build_of_torch(
    layout: Layout, installer: Installer, only_local_packages: Path, offered: list[str], expected: str
) -> None:
    for version in offered:
        make_wheel(only_local_packages, "torch", version)
    write_torch_list(layout, expected.partition("+")[0])
    installer.install_torch()
    assert (layout.site_packages / "torch.py").read_text() == f"VERSION = {expected!r}\n"
