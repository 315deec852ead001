"""A model card -> the files of each of its parts on this machine, or what to download."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lingbot_ros.checkpoints import layout
from lingbot_ros.checkpoints.cards import ModelCard
from lingbot_ros.checkpoints.hub import COMPANION_BYTES, HubWeights, find_repository
from lingbot_ros.checkpoints.tensors import check_digest, check_size
from lingbot_ros.errors import ErrorCode, ModelError


@dataclass(frozen=True)
class ModelFiles:
    """Where each part lies. Models with two experts have `low_noise` beside the (high-noise) `transformer`.

    `digest` identifies the weights: a snapshot can only be restored into a world of the same ones.
    """

    transformer: tuple[Path, ...]
    digest: str
    low_noise: tuple[Path, ...] = ()
    autoencoder: Path | None = None
    text_encoder: Path | None = None
    tokenizer: Path | None = None


def locate(card: ModelCard) -> ModelFiles:
    """The files of a card's model. Raises ModelError when they are damaged, or says what to download to complete them.

    A file beside the card is read to compare its SHA-256; downloads of up to 148 GB only by `lingbot models verify`.
    """
    if not isinstance(card.weights, HubWeights):
        path = card.folder / card.weights.file
        check_digest(path, card.weights.sha256, card.weights.bytes)
        return ModelFiles((path,), card.weights.sha256, (), *_companions(card, card.folder))
    root = find_repository(card.weights.repository, card.weights.revision)
    companions = find_repository(card.weights.companions or card.weights.repository, card.weights.revision)
    if root is None or companions is None:
        advice = download_advice(card)
        raise ModelError(f"{card.name}: its weights are not on this machine. {advice}", ErrorCode.UNKNOWN_MODEL)
    try:
        if card.weights.experts:
            transformer = layout.find_transformer(root, layout.HIGH_NOISE_FOLDERS)
            low_noise = layout.find_transformer(root, layout.LOW_NOISE_FOLDERS)
        else:
            transformer, low_noise = layout.find_transformer(root), ()
        digest = files_digest(transformer + low_noise)
        return ModelFiles(transformer, digest, low_noise, *_companions(card, companions))
    except ModelError as error:
        raise ModelError(f"{card.name}: {error}. {download_advice(card)}", error.code) from error


def _companions(card: ModelCard, root: Path) -> tuple[Path | None, Path | None, Path | None]:
    """Autoencoder, text encoder and tokenizer, as far as the card's model has them."""
    autoencoder = text_encoder = tokenizer = None
    if card.autoencoder == "wan":
        autoencoder = layout.find_part(root, layout.AUTOENCODER_NAMES, "autoencoder")
    if card.architecture.text is not None:
        text_encoder = layout.find_part(root, layout.TEXT_ENCODER_NAMES, "text encoder")
        tokenizer = layout.find_part(root, layout.TOKENIZER_NAMES, "tokenizer")
    return autoencoder, text_encoder, tokenizer


def companions_here(card: ModelCard) -> ModelFiles | None:
    """The autoencoder, text encoder and tokenizer of a card's model; None where they are not on this machine."""
    root: Path | None = card.folder
    if isinstance(card.weights, HubWeights):
        root = find_repository(card.weights.companions or card.weights.repository, card.weights.revision)
    try:
        return None if root is None else ModelFiles((), "", (), *_companions(card, root))
    except ModelError:
        return None


def unavailable_reason(card: ModelCard) -> str:
    """Why a card's model cannot be loaded here, without reading its weights; empty if it can."""
    try:
        if isinstance(card.weights, HubWeights):
            locate(card)
        else:
            check_size(card.folder / card.weights.file, card.weights.bytes)
    except ModelError as error:
        return str(error)
    return ""


def download_advice(card: ModelCard) -> str:
    """What to type, what it fetches and how large that is."""
    weights = card.weights
    assert isinstance(weights, HubWeights)
    size = f"{weights.bytes / 1e9:.1f} GB"
    with_parts = f"text encoder, autoencoder and tokenizer ({COMPANION_BYTES / 1e9:.1f} GB)"
    source = f" of {weights.companions}" if weights.companions else ""
    return (
        f"Run `./lingbot models download {card.name}`: {weights.repository} ({size}) with {with_parts}{source}. "
        f"Licence: {card.licence_note}"
    )


def files_digest(files: Iterable[Path]) -> str:
    """SHA-256 over names, sizes and, in the download cache, the content addresses: cheap, nothing is read."""
    digest = hashlib.sha256()
    for path in files:
        address = path.resolve().name if path.is_symlink() else ""
        digest.update(f"{path.name} {path.stat().st_size} {address}\n".encode())
    return digest.hexdigest()
