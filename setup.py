"""The ament_python package. What rosdep knows is named in package.xml; this adds what only the Python index has."""

import os
from pathlib import Path

from setuptools import find_packages, setup

NAME = "lingbot_ros"
SHARE = f"share/{NAME}"
INSTALLED_FOLDERS = ("config", "launch", "models")


def data_files() -> list[tuple[str, list[str]]]:
    """The ament marker, package.xml, and every file of the installed folders at the same place below `share`."""
    found = [
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (SHARE, ["package.xml"]),
    ]
    for folder in INSTALLED_FOLDERS:
        for path, folders, files in os.walk(folder):
            folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
            found.append((f"{SHARE}/{path}", sorted(f"{path}/{name}" for name in files)))
    return found


setup(
    name=NAME,
    version="0.1.0",
    description="A learned video world model as a ROS 2 imagination service",
    long_description=Path("README.md").read_text(encoding="utf-8") if Path("README.md").exists() else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    maintainer="lingbot_ros maintainers",
    maintainer_email="maintainers@lingbot-ros.example",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={NAME: ["py.typed", "environment/requirements/*.txt", "viewer/page/*"]},
    data_files=data_files(),
    zip_safe=False,
    python_requires=">=3.10",
    install_requires=[
        "mcap>=1.2",
        "numba>=0.61",
        "numpy>=1.26",
        "opencv-python-headless>=4.6",
        "PyYAML>=6.0",
        "pydantic>=2.5",
        "rosbags>=0.11",
        "safetensors>=0.4",
        "scipy>=1.15",
        "torch>=2.6",
        "tqdm>=4.60",
        "zstandard>=0.19",
    ],
    extras_require={
        "sim": ["gym-pusht==0.1.8", "gymnasium>=1.0", "pygame>=2.1", "pymunk>=6.6,<7"],
        "train": ["gym-pusht==0.1.8", "matplotlib>=3.7", "tensorboard>=2.15"],
        "rooms": ["miniworld>=2.1", "pyglet>=1.5,<2"],
        "lerobot": ["av>=12", "pyarrow>=15"],
        "policies": ["msgpack>=1.0", "websockets>=13"],
        # Of LeRobot's environment, into which this package can be installed too; its own has another huggingface_hub.
        "lerobot_policies": ["lerobot>=0.6; python_version >= '3.12'"],
        # In an environment of its own: it takes pymunk 7, the extra `sim` pymunk 6.
        "stable_worldmodel": [
            "imageio>=2.30",
            "pygame>=2.1",
            "pymunk>=7",
            "scikit-learn>=1.4",
            "shapely>=2.0",
            "stable-worldmodel==0.1.1",
        ],
        "lingbot": ["diffusers>=0.35", "ftfy>=6.2", "huggingface_hub>=1.1", "transformers>=4.50"],
        "onnx": ["onnx>=1.19", "onnxruntime>=1.25", "onnxscript>=0.5"],
        "tensorrt": ["tensorrt>=10.15"],
        "tensorrt_rtx": ["tensorrt-rtx>=1.7"],
        "docs": ["mkdocstrings>=1.0", "mkdocstrings-python>=2.0", "zensical>=0.0.70"],
        "viewer": ["pillow>=10", "starlette>=1.0", "uvicorn>=0.54", "websockets>=14"],
        "test": [
            "hypothesis>=6.100",
            "mcap-ros2-support>=0.5",
            "mypy>=1.10",
            "pytest>=7.4,<9",
            "pytest-xdist>=3.5",
            "ruff>=0.9",
        ],
    },
    entry_points={
        "console_scripts": [
            "lingbot = lingbot_ros.cli.main:main",
            "imagination = lingbot_ros.nodes.imagination.main:main",
            "viewer = lingbot_ros.nodes.viewer.main:main",
            "evaluator = lingbot_ros.nodes.evaluator.main:main",
            "planner = lingbot_ros.nodes.planner.main:main",
            "agent = lingbot_ros.nodes.agent.main:main",
        ]
    },
)
