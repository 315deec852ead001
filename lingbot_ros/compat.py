"""Optional packages: which are here. The only module that asks."""

from importlib.util import find_spec

# module -> what it adds
OPTIONAL_PACKAGES = {
    "launch_ros": "launch files",
    "cv_bridge": "conversion of exotic image encodings",
    "message_filters": "synchronised inputs",
    "simulation_interfaces": "the standard simulator services",
    "rosbag2_py": "bags through the ROS install",
    "huggingface_hub": "downloading models",
    "miniworld": "rendering houses",
    "av": "frames of films by their time",
    "msgpack": "policies in other processes",
    "websockets": "policies in other processes",
    "pyarrow": "reading LeRobot data sets",
    "uvicorn": "the page of the viewer",
}


def have(module: str) -> bool:
    """Whether an optional package can be imported; it is not imported by asking."""
    return find_spec(module) is not None


def feature_line() -> str:
    """One line for the log: what is here and what is not."""
    present = [name for name in OPTIONAL_PACKAGES if have(name)]
    absent = [name for name in OPTIONAL_PACKAGES if name not in present]
    return f"optional packages: {', '.join(present) or 'none'}; absent: {', '.join(absent) or 'none'}"
