"""What the set-up finds missing on a machine, and how it says so."""

from pathlib import Path

import pytest

from lingbot_ros.environment.machine import cmake, compiler, missing_for_messages, missing_for_packages


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A PATH with nothing on it."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CXX", raising=False)
    return folder


def program(folder: Path, name: str, text: str = "") -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.usefixtures("tools")
def test_no_compiler_and_no_make_are_two_sentences_with_a_remedy() -> None:
    lacks = missing_for_messages()
    assert [lack for lack in lacks if lack.startswith("no C++ compiler found") and "sudo apt install" in lack]
    assert [lack for lack in lacks if lack.startswith("no make found")]


@pytest.mark.parametrize("name", ["c++", "g++", "clang++"])
def test_any_usual_compiler_will_do(tools: Path, name: str) -> None:
    expected = program(tools, name)
    program(tools, "make")
    assert compiler() == str(expected)
    assert not [lack for lack in missing_for_messages() if "compiler" in lack or "make" in lack]


def test_the_users_compiler_goes_first(tools: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tools, "g++")
    mine = program(tools, "my-c++")
    monkeypatch.setenv("CXX", str(mine))
    assert compiler() == str(mine)


@pytest.mark.parametrize(
    ("said", "usable"),
    [("cmake version 3.19.8", False), ("cmake version 3.20.0", True), ("cmake version 4.0.1", True), ("?", False)],
)
def test_an_old_cmake_counts_as_none(tools: Path, said: str, usable: bool) -> None:
    path = program(tools, "cmake", f"echo {said}")
    assert cmake() == (str(path) if usable else None)


def test_this_machine_can_hold_an_environment(tmp_path: Path) -> None:
    assert [lack for lack in missing_for_packages(tmp_path) if "GB free" not in lack] == []


def test_a_full_disk_is_named_with_its_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lingbot_ros.environment.machine.CPU_SPACE_GB", 10**9)
    monkeypatch.setattr("lingbot_ros.environment.machine.CUDA_SPACE_GB", 10**9)
    (lack,) = missing_for_packages(tmp_path)
    assert "1000000000 GB needed: free some space" in lack
    assert str(tmp_path) in lack


@pytest.mark.parametrize("name", ["Wörld", "it's", 'a"b', "a:b", "a$b", "a;b", "a\\b", "日本"])
def test_a_path_that_cannot_be_built_is_refused_before_anything_is_downloaded(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name
    folder.mkdir()
    assert any("clone below a path of ASCII letters" in lack for lack in missing_for_packages(folder))


def test_ordinary_paths_are_not_refused(tmp_path: Path) -> None:
    folder = tmp_path / "my own ws_1.0-rc+2"
    folder.mkdir()
    assert not any("ASCII" in lack for lack in missing_for_packages(folder))
