"""TensorRT where it cannot run: each reason is provoked for real, has its code, and leaves the process alive."""

import ast
import importlib
import logging
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from lingbot_ros.cli.main import main
from lingbot_ros.engine import tensorrt
from lingbot_ros.engine.interface import EngineOptions
from lingbot_ros.engine.registry import engine_reports, new_engine
from lingbot_ros.engine.tensorrt.library import RTX, TENSORRT, Flavour, load_library, require_driver
from lingbot_ros.engine.tensorrt.opening import open_plan, refusal
from lingbot_ros.errors import EngineError, ErrorCode
from lingbot_ros.world import World

HAS_GPU = torch.cuda.is_available()
BOTH = pytest.mark.parametrize("flavour", [TENSORRT, RTX], ids=lambda flavour: flavour.name)


@pytest.fixture
def as_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose packages come first, and an import system that has not seen the real ones."""
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.startswith("tensorrt")]:
        monkeypatch.delitem(sys.modules, name)
    return tmp_path


def install(folder: Path, package: str, code: str) -> None:
    (folder / package).mkdir()
    (folder / package / "__init__.py").write_text(textwrap.dedent(code))
    importlib.invalidate_caches()


@pytest.mark.skipif(HAS_GPU, reason="there is a GPU here")
@BOTH
def test_without_a_driver_it_is_an_error_that_says_what_needs_none(flavour: Flavour, layers: Path) -> None:
    with pytest.raises(EngineError, match="NO_DRIVER: .*libcuda.so.1.*torch and onnxruntime need none"):
        require_driver()
    with pytest.raises(EngineError, match="NO_DRIVER") as caught:
        World.load(layers, engine=flavour.name)
    assert caught.value.code == ErrorCode.ENGINE_UNAVAILABLE
    code = f"from lingbot_ros.world import World; World.load({str(layers)!r}, engine={flavour.name!r})"
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 1 and "EngineError: engine: NO_DRIVER" in done.stderr, "not killed by a signal"


@BOTH
def test_a_missing_package_names_what_to_install(flavour: Flavour, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (flavour.module, f"{flavour.module}_bindings"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(EngineError, match=rf"NOT_INSTALLED: .*pip install lingbot_ros\[{flavour.name}\]"):
        load_library(flavour)


def test_bindings_without_libraries_are_told_from_a_broken_installation(as_installed: Path) -> None:
    """NVIDIA's package on the public index has no libraries in it: it fetches them, and may have failed to."""
    install(as_installed, "tensorrt_bindings", "import ctypes; ctypes.CDLL('libnvonnxparser.so.11')")
    install(as_installed, "tensorrt", "from tensorrt_bindings import *")
    with pytest.raises(EngineError, match=r"NOT_INSTALLED: only the bindings.*libnvonnxparser.so.11.*NVIDIA's index"):
        load_library(TENSORRT)
    install(as_installed, "tensorrt_libs", "")
    with pytest.raises(EngineError, match=r"LIBRARY_LOAD: .*libnvonnxparser.so.11 is missing.*install that library"):
        load_library(TENSORRT)


@pytest.mark.parametrize("version", ["8.6.0", "10.14.1.48", "unknown"])
def test_a_library_that_is_too_old_names_both_versions(as_installed: Path, version: str) -> None:
    install(as_installed, "tensorrt", f"__version__ = {version!r}")
    with pytest.raises(EngineError, match=f"TOO_OLD: tensorrt {version} is installed, 10.15 is needed"):
        load_library(TENSORRT)


@pytest.mark.parametrize("version", ["10.15.0", "11.4.0.106"])
def test_a_library_that_is_new_enough_loads(as_installed: Path, version: str) -> None:
    install(as_installed, "tensorrt", f"__version__ = {version!r}")
    assert load_library(TENSORRT).__version__ == version


@pytest.mark.skipif(HAS_GPU, reason="there is a GPU here")
def test_both_are_listed_and_refused_with_all_that_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    reports = {report.engine: report.refusal for report in engine_reports()}
    assert all("NO_DRIVER" in reports[name] for name in ("tensorrt", "tensorrt_rtx"))
    assert "Also NOT_INSTALLED" in reports["tensorrt"] or "tensorrt" in sys.modules
    assert main(["engines"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert any(line.split()[:5] == ["tensorrt_rtx", "cuda", "not", "usable:", "NO_DRIVER:"] for line in lines)


@pytest.mark.skipif(HAS_GPU, reason="there is a GPU here")
def test_auto_passes_over_it_with_one_line_each(layers: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    assert World.load(layers, threads=1).info.engine.engine in ("torch", "onnxruntime")
    for name in ("tensorrt", "tensorrt_rtx"):
        (line,) = [record.message for record in caplog.records if record.message.startswith(f"auto: not {name}: ")]
        assert "NO_DRIVER" in line


def test_an_unknown_precision_is_refused_before_anything_else() -> None:
    with pytest.raises(Exception, match="precision: got f8"):
        new_engine(EngineOptions("cuda", "f8", engine="tensorrt"))


def test_building_with_tensorrt_needs_its_gpu(layers: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if HAS_GPU:
        pytest.skip("there is a GPU here")
    assert main(["engines", "build", str(layers), "--engine", "tensorrt"]) == 1
    assert "NO_DRIVER" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("logged", "code", "number"),
    [
        ("Serialization assertion plan.header.size == blobSize failed", "STALE_PLAN", ErrorCode.ENGINE_UNAVAILABLE),
        ("(cudaError 35: CUDA driver version is insufficient for CUDA runtime version)", "NO_DRIVER", None),
        ("Using an engine plan file across different models of devices: incompatible device", "UNSUPPORTED_GPU", None),
        ("Error Code 2: OutOfMemory (Requested size was 37580963840 bytes.)", "OUT_OF_MEMORY", ErrorCode.OUT_OF_MEMORY),
        ("something new", "LOAD_FAILED", ErrorCode.ENGINE_UNAVAILABLE),
    ],
)
def test_what_the_runtime_logs_gets_a_code(logged: str, code: str, number: ErrorCode | None) -> None:
    """The library raises nothing. The first two lines were logged here, the others are as NVIDIA documents them."""
    error = refusal(Path("/plans/plan"), ["WARNING: before", f"ERROR: {logged}"])
    assert str(error).startswith(f"engine: {code}: /plans/plan") and logged in str(error)
    assert error.code == (number or ErrorCode.ENGINE_UNAVAILABLE)


@pytest.mark.parametrize(
    ("reason", "code", "number"),
    [
        ("VERSION_MISMATCH", "STALE_PLAN", ErrorCode.ENGINE_UNAVAILABLE),
        ("MALFORMED_ENGINE", "STALE_PLAN", ErrorCode.ENGINE_UNAVAILABLE),
        ("UNSUPPORTED_CC", "UNSUPPORTED_GPU", ErrorCode.ENGINE_UNAVAILABLE),
        ("OLD_CUDA_DRIVER", "TOO_OLD", ErrorCode.ENGINE_UNAVAILABLE),
        ("OLD_CUDA_RUNTIME", "TOO_OLD", ErrorCode.ENGINE_UNAVAILABLE),
        ("INSUFFICIENT_GPU_MEMORY", "OUT_OF_MEMORY", ErrorCode.OUT_OF_MEMORY),
        ("CUDA_ERROR", "NO_DRIVER", ErrorCode.ENGINE_UNAVAILABLE),
    ],
)
def test_what_the_runtime_finds_in_a_header_gets_a_code(
    reason: str, code: str, number: ErrorCode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library's own reasons. Without a driver it names but one of them, a file that is no plan."""
    trt = pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed: pip install tensorrt-rtx (95 MB)")
    (tmp_path / "plan").write_bytes(b"a plan of another kind" * 10)
    said = (trt.EngineValidity.INVALID, getattr(trt.EngineInvalidityDiagnostics, reason).value)

    class Judging(trt.Runtime):  # type: ignore[misc, name-defined]
        def get_engine_validity(self, header: bytes) -> tuple[object, int]:
            assert header == (tmp_path / "plan").read_bytes()[: self.engine_header_size]
            return said

    monkeypatch.setattr(trt, "Runtime", Judging)
    with pytest.raises(EngineError, match=rf"engine: {code}: .*plan cannot be loaded here: .*says {reason}") as caught:
        open_plan(trt, tmp_path / "plan")
    assert caught.value.code == number


OWNERS = {
    "builder": "Builder",
    "network": "INetworkDefinition",
    "config": "IBuilderConfig",
    "parser": "OnnxParser",
    "profile": "IOptimizationProfile",
    "runtime": "Runtime",
    "engine": "ICudaEngine",
    "_engine": "ICudaEngine",
    "execution": "IExecutionContext",
    "_execution": "IExecutionContext",
    "settings": "IRuntimeConfig",
    "attention": "IAttention",
}
"""What a variable of the adapter holds."""


def test_every_name_that_the_adapter_uses_exists_in_the_library() -> None:
    """The part that runs plans cannot run here. TensorRT 11 and TensorRT-RTX have the same classes."""
    trt = pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed: pip install tensorrt-rtx (95 MB)")
    used = set()
    for path in Path(tensorrt.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                holder = node.value
                name = holder.id if isinstance(holder, ast.Name) else getattr(holder, "attr", "")
                if name in OWNERS:
                    used.add((OWNERS[name], node.attr))
                elif name in ("trt", "_trt") and node.attr not in ("__version__", "__name__"):
                    used.add(("", node.attr))
    missing = [
        (owner, name) for owner, name in sorted(used) if not hasattr(getattr(trt, owner) if owner else trt, name)
    ]
    assert not missing
    assert len(used) > 40 and ("IExecutionContext", "execute_async_v3") in used and ("", "Runtime") in used
