"""LPIPS, version 0.1 with AlexNet: how different two images look, in the features of a classifier."""

from collections.abc import Sequence
from pathlib import Path
from pickle import UnpicklingError

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from lingbot_ros.errors import InputError, ModelError

BACKBONE, WEIGHTS = "alexnet-owt-7be5be79.pth", "alex.pth"
"""The published files: torchvision's AlexNet, and the weights of LPIPS for it."""

_CHANNELS = (64, 192, 384, 256, 256)
_SHIFT, _SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)
_BLURS = (1.0, 3.0)


class Lpips:
    """From a folder with both files. Raises InputError naming the one that is missing, ModelError for a damaged one."""

    def __init__(self, folder: Path) -> None:
        self._features = _alexnet_features()
        self._lins = [nn.Conv2d(channels, 1, 1, bias=False) for channels in _CHANNELS]
        backbone, weights = (_load(folder / name) for name in (BACKBONE, WEIGHTS))
        try:
            ours = {key: value for key, value in backbone.items() if key.startswith("features.")}
            self._features.load_state_dict({key.removeprefix("features."): value for key, value in ours.items()})
            for index, lin in enumerate(self._lins):
                lin.load_state_dict({"weight": weights[f"lin{index}.model.1.weight"]})
        except (KeyError, RuntimeError) as error:
            raise ModelError(f"lpips: the files in {folder} are not AlexNet and LPIPS 0.1 ({error})") from error
        self._features.eval().requires_grad_(False)

    @torch.inference_mode()
    def distances(self, *, imagined: NDArray[np.uint8], reference: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Of images uint8 [n, H, W, 3] RGB of equal size, frame by frame: [n], 0 for equal ones."""
        if imagined.shape != reference.shape:
            raise InputError("imagined, reference", f"shapes {imagined.shape}, {reference.shape}", "give equal ones")
        total = torch.zeros(len(imagined))
        for first, second, lin in zip(self._stages(imagined), self._stages(reference), self._lins, strict=True):
            total += lin((_unit(first) - _unit(second)).square()).mean((1, 2, 3))
        return np.asarray(total.double().numpy())

    def order(self, real: Sequence[NDArray[np.uint8]]) -> float:
        """How far it can be believed here: the share of real images [H, W, 3] that it finds nearer to a slightly
        blurred copy than to a strongly blurred one.
        """
        images = np.stack(real)
        near, far = (
            self.distances(imagined=np.stack([cv2.GaussianBlur(one, (0, 0), blur) for one in images]), reference=images)
            for blur in _BLURS
        )
        return float((near < far).mean())

    def _stages(self, images: NDArray[np.uint8]) -> list[Tensor]:
        x = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2).float() / 127.5 - 1
        x = (x - torch.tensor(_SHIFT)[None, :, None, None]) / torch.tensor(_SCALE)[None, :, None, None]
        found = []
        for layer in self._features:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                found.append(x)
        return found


def _alexnet_features() -> nn.Sequential:
    """The convolutions of torchvision's AlexNet, under its names."""
    a, b, c, d, e = _CHANNELS
    return nn.Sequential(
        nn.Conv2d(3, a, 11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(a, b, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, stride=2),
        nn.Conv2d(b, c, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(c, d, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(d, e, 3, padding=1),
        nn.ReLU(),
    )


def _unit(features: Tensor) -> Tensor:
    return F.normalize(features, dim=1, eps=1e-10)


def _load(path: Path) -> dict[str, Tensor]:
    if not path.is_file():
        raise InputError("lpips", path, f"put the published files {BACKBONE} and {WEIGHTS} into the folder")
    try:
        found: dict[str, Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, UnpicklingError) as error:
        raise ModelError(f"lpips: {path} cannot be loaded ({error})") from error
    return found
