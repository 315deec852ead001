"""Weights that the user has on disk."""

from pathlib import Path

from lingbot_ros.errors import InputError


def model_folder(what: str, folder: Path) -> Path:
    """A folder as transformers saves one. Raises InputError; nothing is ever downloaded."""
    if not (folder / "config.json").is_file():
        raise InputError(what, folder, "give a folder with config.json and the weights of a transformers model")
    return folder
