"""The include folders in the CMake files of ROS 2 wheels."""

from pathlib import Path

import pytest

from lingbot_ros.environment.cmake_paths import correct_include_paths

PYTHON, NUMPY = Path("/usr/include/python3.11"), Path("/home/me/a b/.venv/numpy/_core/include")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            'INCLUDE "/opt/python/cp311-cp311/include/python3.11;/other"',
            'INCLUDE "/usr/include/python3.11;/other"',
            id="python",
        ),
        pytest.param(
            'INCLUDE "${_P}/x;/opt/python/cp312-cp312/lib/python3.12/site-packages/numpy/_core/include"',
            'INCLUDE "${_P}/x;/home/me/a b/.venv/numpy/_core/include"',
            id="numpy",
        ),
        pytest.param("set(x /opt/python/other)", "set(x /opt/python/other)", id="another folder there"),
    ],
)
def test_paths_of_the_build_machine_become_those_of_this_one(tmp_path: Path, text: str, expected: str) -> None:
    file = tmp_path / "share" / "std_msgs" / "cmake" / "export.cmake"
    file.parent.mkdir(parents=True)
    file.write_text(text)
    file.chmod(0o640)
    changed = correct_include_paths(tmp_path / "share", PYTHON, NUMPY)
    assert file.read_text() == expected
    assert changed == (text != expected)
    assert file.stat().st_mode & 0o777 == 0o640
    assert correct_include_paths(tmp_path / "share", PYTHON, NUMPY) == 0
    assert [path.name for path in file.parent.iterdir()] == ["export.cmake"]
