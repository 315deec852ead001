"""Engines and devices: each computes a small product whose result is checked."""

import json
from collections.abc import Iterator

from lingbot_ros.cli.doctor.finding import Finding, note, ok, problem
from lingbot_ros.cli.doctor.probe import ProbeError, run_probe
from lingbot_ros.environment.interpreter import isolated_code
from lingbot_ros.environment.machine import nvidia_driver

_PROBE = """
import json, sys, time, torch
device = sys.argv[1]
if device == "cuda" and not torch.cuda.is_available():
    print(json.dumps({"unavailable": f"torch {torch.__version__} has no usable CUDA device"})); sys.exit()
torch.set_num_threads(1)
matrix = torch.arange(4096, dtype=torch.float32, device=device).reshape(64, 64)
right = bool(torch.equal(matrix @ torch.eye(64, device=device), matrix))
big = torch.rand(512, 512, device=device)
(big @ big).sum().item()
start = time.perf_counter()
for _ in range(8): big = (big @ big).clamp(0, 1)
big.sum().item()
seconds = (time.perf_counter() - start) / 8
name = torch.cuda.get_device_name() if device == "cuda" else "one CPU thread"
print(json.dumps({"right": right, "gflops": 2 * 512**3 / seconds / 1e9, "name": name, "torch": torch.__version__}))
"""
_LIMIT_S = 120


def check_devices() -> Iterator[Finding]:
    """The CPU must work; a GPU is optional."""
    yield _check_torch("cpu")
    version = nvidia_driver()
    if version is None:
        yield note("NVIDIA driver", "not found", "a GPU is optional; install NVIDIA's driver to use one")
        return
    yield ok("NVIDIA driver", f"supports CUDA {version // 1000}.{version % 1000 // 10}")
    yield _check_torch("cuda")


def _check_torch(device: str) -> Finding:
    subject = f"torch on {device}"
    try:
        answer = json.loads(run_probe(isolated_code(_PROBE, device), _LIMIT_S, {"OMP_NUM_THREADS": "1"}))
    except ProbeError as error:
        return _bad(device, subject, str(error))
    if "unavailable" in answer:
        return _bad(device, subject, answer["unavailable"])
    if not answer["right"]:
        return _bad(device, subject, "a matrix product has a wrong result")
    return ok(subject, f"{answer['torch']}, {answer['name']}, {answer['gflops']:.0f} GFLOP/s in float32")


def _bad(device: str, subject: str, found: str) -> Finding:
    if device == "cpu":
        return problem(subject, found, "delete the folder .venv and start ./lingbot again")
    # Without a driver at that time, the environment was created with the CPU build of torch.
    return note(subject, found, "to use the GPU, delete the folder .venv and start ./lingbot again with the driver up")
