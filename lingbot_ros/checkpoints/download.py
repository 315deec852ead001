"""Fetching a model's files from Hugging Face into the cache that all programs share."""

import errno
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import (
    DryRunError,
    GatedRepoError,
    HTTPError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from lingbot_ros.checkpoints.cards import ModelCard
from lingbot_ros.checkpoints.files import locate
from lingbot_ros.checkpoints.hub import HubWeights, hub_cache
from lingbot_ros.checkpoints.verify import verify_checksums
from lingbot_ros.errors import ErrorCode, InputError, ModelError, ResourceError

Report = Callable[[str], None]


def download_model(card: ModelCard, report: Report) -> None:
    """Fetch what is not here yet, resuming what was interrupted, and compare the SHA-256 of every large file.

    Raises InputError for a model that is shipped, ModelError when the hub cannot be reached or refuses, ResourceError
    when the disk is too small.
    """
    weights = card.weights
    if not isinstance(weights, HubWeights):
        raise InputError("model", card.name, "this model is shipped with the program; there is nothing to download")
    report(f"{card.name}: licence {card.licence_note}")
    for repository, patterns in weights.downloads():
        folder = _fetch(repository, weights.revision, list(patterns), report)
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        compared = verify_checksums(files, lambda path: report(f"  checking {path.name}"))
        report(f"{repository}: {len(files)} files in {folder}, {compared} compared with their SHA-256")
    locate(card)
    report(f"{card.name}: complete")


def _fetch(repository: str, revision: str, patterns: list[str], report: Report) -> Path:
    try:
        planned = snapshot_download(repository, revision=revision, allow_patterns=patterns, dry_run=True)
        missing = [file for file in planned if file.will_download]
        size = sum(file.file_size or 0 for file in missing)
        report(f"{repository} ({revision}): {len(missing)} of {len(planned)} files to fetch, {size / 1e9:.2f} GB")
        _require_disk(repository, size)
        return Path(snapshot_download(repository, revision=revision, allow_patterns=patterns))
    except (DryRunError, LocalEntryNotFoundError, HTTPError) as error:
        # A dry run hides what the hub said behind an error of its own.
        causes = list(_causes(error))
        if any(isinstance(cause, (GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError)) for cause in causes):
            raise ModelError(
                f"download: {repository} (revision {revision}) is not there, or needs a login that accepted its "
                "licence; look at its page on the hub, then `hf auth login`",
                ErrorCode.UNKNOWN_MODEL,
            ) from error
        reason = (str(causes[-1]) or type(causes[-1]).__name__).split("\n", maxsplit=1)[0]
        raise ModelError(
            f"download: cannot reach the hub for {repository} ({reason}); check the network and the proxy, "
            "then run the same command again: what was fetched is kept"
        ) from error
    except OSError as error:
        if error.errno == errno.ENOSPC:
            message = f"download: the disk of {hub_cache()} is full; free some space and run the same command again"
            raise ResourceError(message, ErrorCode.DISK) from error
        raise


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _require_disk(repository: str, size: int) -> None:
    folder = hub_cache()
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if size > free:
        raise ResourceError(
            f"download: {repository} needs {size / 1e9:.1f} GB, {folder} has {free / 1e9:.1f} GB free; free some space "
            "or set HF_HOME to a folder on a larger disk",
            ErrorCode.DISK,
        )
