"""Where the files of a Hugging Face repository lie on this machine. Nothing here uses the network."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from lingbot_ros.home import cache_home, expanded

WEIGHTS_PATH_VARIABLE = "LINGBOT_WEIGHTS"
"""Extra folders that hold one folder per repository, separated like PATH; they come before the download cache."""

COMPANION_PATTERNS = (
    "models_t5_umt5-xxl-enc-bf16.pth",
    "Wan2.1_VAE.pth",
    "google/umt5-xxl/*",
    "text_encoder/*",
    "vae/*",
    "tokenizer/*",
)
"""Text encoder, autoencoder and tokenizer, in the original and in the diffusers layout (model_spec 1.3)."""

COMPANION_BYTES = 11_870_000_000
"""About what those take: 11.36 GB of text encoder in bf16 and 0.51 GB of autoencoder in f32."""

TRANSFORMER_PATTERNS = ("*.safetensors", "*.json")


@dataclass(frozen=True)
class HubWeights:
    """Weights that are downloaded. `bytes` is the transformer's size, or that of both experts together.

    `companions` is the repository of text encoder, autoencoder and tokenizer when `repository` has none. `revision`
    is a branch, tag or commit of both.
    """

    repository: str
    bytes: int
    revision: str = "main"
    companions: str = ""
    experts: bool = False

    @property
    def name(self) -> str:
        """The repository without its owner."""
        return self.repository.rpartition("/")[2]

    @property
    def sha256(self) -> str:
        """Not known before the download; `ModelFiles.digest` tells what was found."""
        return ""

    def downloads(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Repositories with the patterns of the files needed from each."""
        if not self.companions:
            return ((self.repository, TRANSFORMER_PATTERNS + COMPANION_PATTERNS),)
        return ((self.repository, TRANSFORMER_PATTERNS), (self.companions, COMPANION_PATTERNS))


def hub_cache() -> Path:
    """The download cache that all programs using Hugging Face share: $HF_HUB_CACHE, $HF_HOME/hub, or its default."""
    if cache := os.environ.get("HF_HUB_CACHE"):
        return expanded(cache, "HF_HUB_CACHE")
    home = os.environ.get("HF_HOME")
    return (cache_home() / "huggingface" if home is None else expanded(home, "HF_HOME")) / "hub"


def find_repository(repository: str, revision: str) -> Path | None:
    """The folder with this repository's files, or with those of its `-diffusers` packaging, or None.

    A folder of $LINGBOT_WEIGHTS is taken as it is, whatever its revision.
    """
    packagings = (repository, f"{repository}-diffusers")
    return next((folder for name in packagings for folder in _candidates(name, revision)), None)


def _candidates(repository: str, revision: str) -> Iterator[Path]:
    for root in filter(None, os.environ.get(WEIGHTS_PATH_VARIABLE, "").split(os.pathsep)):
        folder = Path(root) / repository.rpartition("/")[2]
        if folder.is_dir():
            yield folder
    cached = hub_cache() / f"models--{repository.replace('/', '--')}"
    reference = cached / "refs" / revision
    commit = reference.read_text(encoding="utf-8").strip() if reference.is_file() else revision
    if (cached / "snapshots" / commit).is_dir():
        yield cached / "snapshots" / commit
