"""In which arithmetic a run computes unless told otherwise."""

from pathlib import Path

import pytest

from lingbot_ros.training.execution import default_precision


@pytest.mark.parametrize(
    ("line", "precision"),
    [
        ("flags\t\t: fpu avx512f avx512_bf16", "bf16"),
        ("flags\t\t: fpu amx_bf16 amx_tile", "bf16"),
        ("Features\t: fp asimd bf16", "bf16"),
        ("flags\t\t: fpu avx512f", "f32"),
        ("", "f32"),
    ],
)
def test_bf16_is_the_default_where_the_processor_computes_in_it(line: str, precision: str, tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    info.write_text(f"processor\t: 0\n{line}\n")
    assert default_precision("cpu", info) == precision
    assert default_precision("cuda", info) == "bf16"
    assert default_precision("cpu", tmp_path / "absent") == "f32"
