"""What a data set teaches a world of rigid layers: the tensors of its weights file."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from lingbot_ros.model.finite import require_finite
from lingbot_ros.model.rigid_layers.config import RigidLayersConfig
from lingbot_ros.model.rigid_layers.contact import ContactLaw
from lingbot_ros.model.rigid_layers.drive import DriveLaw
from lingbot_ros.model.rigid_layers.palette import Palette


class Constants(nn.Module):
    """Palette, prior background and offsets beside the two laws of motion. Lengths in pixels of the frame.

    colours [P, 3] 0..255 and owners [P]: 0 the background, 1.. the layers; background [3, H, W] 0..255: what the data
    set shows behind the layers; drawn [K, 2]: by how much a layer is drawn beside where it is; margin: how far the
    physical edge lies inside the drawn one; leaning: the centre of turning from the centroid, in units of the
    outline's `skewness`; radius of a driven disc as it is drawn; blur: rms error of a position read from a frame.
    noise, of constants fitted to images: standard deviation of a pixel's colour from frame to frame, grey levels.
    """

    colours: Tensor
    owners: Tensor
    background: Tensor
    drawn: Tensor
    margin: Tensor
    leaning: Tensor
    radius: Tensor
    blur: Tensor
    noise: Tensor

    def __init__(self, config: RigidLayersConfig, height: int, width: int) -> None:
        super().__init__()
        self.config = config
        by_images = config.fitted_to == "images"
        self.drive = DriveLaw(config.substeps, has_aim=by_images)
        self.contact = ContactLaw(config.layers - config.driven if by_images else None)
        self.register_buffer("colours", torch.zeros(config.colours, 3))
        self.register_buffer("owners", torch.zeros(config.colours, dtype=torch.int64))
        self.register_buffer("background", torch.zeros(3, height, width, dtype=torch.uint8))
        self.register_buffer("drawn", torch.zeros(config.layers, 2))
        for name in ("margin", "leaning", "radius", "blur", *(("noise",) if by_images else ())):
            self.register_buffer(name, torch.zeros(()))
        self.requires_grad_(False)

    def settle(self) -> None:
        """Derive what follows from the loaded tensors."""
        self.drive.settle()
        self.palette = Palette(self.colours.double().numpy(), self.owners.numpy())
        if self.config.fitted_to == "images":
            ground = np.moveaxis(self.background.numpy(), 0, -1).astype(np.float64)
            self.palette = self.palette.before(ground, float(self.noise))

    def fill(self, tensors: Mapping[str, Tensor]) -> "Constants":
        """Take the tensors of a weights file; returns itself. Raises RuntimeError where they do not fit."""
        self.load_state_dict(tensors)
        self.settle()
        return self

    def summary(self) -> list[str]:
        """The constants as lines for a terminal."""
        contact = {name: value.mean().item() for name, value in self.contact.named_parameters()}
        gyration = ", ".join(f"{value:.3f}" for value in self.contact.gyration.reshape(-1).tolist())
        drawn = ", ".join(f"({x:+.3f}, {y:+.3f})" for x, y in self.drawn.tolist())
        return [
            f"palette: {len(self.owners)} colours, owners {self.owners.tolist()}",
            f"contact: reach {contact['reach']:.3f} px, gyration {gyration} px, "
            f"slop {contact['slop']:.4f} px, yielding {contact['yielding']:.4f} per substep, "
            f"leaning {float(self.leaning):.4f}",
            f"walls: {', '.join(f'{wall:.2f}' for wall in self.contact.walls.tolist())} px",
            f"drawn: offsets {drawn} px, margin {float(self.margin):.3f} px, disc of {float(self.radius):.3f} px, "
            f"positions read to {float(self.blur):.3f} px",
        ]

    def save(self, path: Path) -> None:
        """Raises ModelError where one of them is not finite."""
        require_finite(self.state_dict(), f"{path.name} was not written", "the data do not determine it; give more")
        save_file({name: tensor.contiguous() for name, tensor in self.state_dict().items()}, path)
