"""Python packages: the required ones, and those that add an engine or a family of models."""

import importlib.metadata
import importlib.util
import os
import platform
import sys
from collections.abc import Iterator

from lingbot_ros.cli.doctor.finding import Finding, note, ok, problem
from lingbot_ros.cli.doctor.probe import ProbeError, run_probe
from lingbot_ros.environment.interpreter import isolated_code
from lingbot_ros.tasks.registry import DEFAULT_TASK, all_tasks

_NEEDED = {
    "rclpy": "ROS 2",
    "lingbot_msgs.msg": "this project's messages",
    "numpy": "arrays",
    "cv2": "images",
    "safetensors": "weights",
    "yaml": "model cards and parameters",
    "torch": "the torch engine",
}
_OPTIONAL = {
    "onnxruntime": "the engine onnxruntime: pip install onnxruntime",
    "onnxscript": "exporting models to that engine: pip install onnx onnxscript",
    "tensorrt": "the engine tensorrt, on data-centre GPUs: pip install tensorrt",
    "tensorrt_rtx": "the engine tensorrt_rtx, and compiling for it without a GPU: pip install tensorrt-rtx (95 MB)",
    "diffusers": "the released LingBot-World models: pip install diffusers",
    "transformers": "the text encoder of these models: pip install transformers ftfy",
    "huggingface_hub": "downloading these models: pip install huggingface_hub",
    "pyarrow": "reading LeRobot data sets: pip install pyarrow",
    "launch_ros": "ros2 launch files, which need a full ROS 2 installation",
}
_DISTRIBUTIONS = {
    "cv2": ("opencv-python-headless", "opencv-python"),
    "yaml": ("PyYAML",),
    "lingbot_msgs.msg": ("lingbot_msgs",),
}
_IMPORT_LIMIT_S = 120
_REPAIR = "delete the folder .venv and start ./lingbot again"


def check_software() -> Iterator[Finding]:
    """Import every package in a separate process, so that a broken binary cannot crash the doctor."""
    yield ok("Python", f"{platform.python_version()} ({sys.executable})")
    for module, purpose in _NEEDED.items():
        failure = import_failure(module)
        if failure is None:
            yield ok(module.partition(".")[0], f"{_version(module)} ({purpose})")
        else:
            yield problem(module, f"cannot be imported: {failure}", f"it is needed for {purpose}: {_REPAIR}")
    yield from _check_tasks()
    for module, purpose in _OPTIONAL.items():
        if importlib.util.find_spec(module) is None:
            yield note(module, "not installed", f"only needed for {purpose}")
        elif failure := import_failure(module):
            yield note(module, f"installed but cannot be imported: {failure}", f"only needed for {purpose}")
        else:
            yield ok(module, _version(module))
    yield _check_middleware()


def _check_tasks() -> Iterator[Finding]:
    """A missing package of the default task is a problem; one of another task is a note."""
    for task in all_tasks():
        report = problem if task.name == DEFAULT_TASK else note
        for package in task.packages:
            failure = import_failure(package.module)
            if failure is None:
                yield ok(package.module, f"{_version(package.distribution)} ({package.purpose})")
            else:
                advice = f"it is needed for {package.purpose}: {_REPAIR}"
                yield report(package.module, f"cannot be imported: {failure}", advice)


def import_failure(module: str) -> str | None:
    """The last line of the error when a new interpreter imports the module, or None on success."""
    variables = {"SDL_VIDEODRIVER": "dummy", "PYGAME_HIDE_SUPPORT_PROMPT": "1"}
    try:
        run_probe(isolated_code(f"import {module}"), _IMPORT_LIMIT_S, variables)
    except ProbeError as error:
        return str(error)
    return None


def _version(module: str) -> str:
    for distribution in _DISTRIBUTIONS.get(module, (module,)):
        try:
            return importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            continue
    return "version unknown"


def _check_middleware() -> Finding:
    # In a separate process, because RMW_IMPLEMENTATION may name a library that cannot be loaded.
    code = "import rclpy; print(rclpy.get_rmw_implementation_identifier())"
    try:
        name = run_probe(isolated_code(code), _IMPORT_LIMIT_S).strip()
    except ProbeError:
        asked = os.environ.get("RMW_IMPLEMENTATION", "")
        advice = "unset RMW_IMPLEMENTATION" if asked else _REPAIR
        return problem("ROS middleware", f"cannot be loaded (RMW_IMPLEMENTATION={asked!r})", advice)
    domain = os.environ.get("ROS_DOMAIN_ID", "0")
    reach = os.environ.get("ROS_AUTOMATIC_DISCOVERY_RANGE", "SUBNET")
    return ok("ROS middleware", f"{name}, ROS_DOMAIN_ID {domain}, discovery range {reach}")
