"""A Wan-style block-causal video transformer: the same classes for 3 M and 14 B parameters.

Parameter names are those of the released LingBot-World checkpoints (model_spec 1.4): these load without renaming.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lingbot_ros.model.attention import Attend, CrossAttention, SelfAttention
from lingbot_ros.model.config import ActionControlConfig, RayControlConfig, TransformerConfig
from lingbot_ros.model.embedding import ActionEmbedding, sinusoid
from lingbot_ros.model.float32 import linear_float32
from lingbot_ros.model.pixel import PixelHead, PixelStem, move_and_correct
from lingbot_ros.model.rigid_layers.rigid_layers import LayeredPrediction, RigidLayers
from lingbot_ros.model.token_share import TokenShare


@dataclass(frozen=True)
class ControlEmbedding:
    """What drives a chunk, computed once per chunk and reused by each of its forwards.

    Action models: `frame` [B, f, d] joins the time embedding, `tokens` [B, N, d] the patch embedding.
    Ray models: `scale[i]`, `shift[i]` [B, N, d] modulate block i.
    """

    frame: Tensor | None = None
    tokens: Tensor | None = None
    scale: Sequence[Tensor] = ()
    shift: Sequence[Tensor] = ()


@dataclass(frozen=True)
class TimeModulation:
    """Diffusion time, and with it what drives each latent frame: `e` [B, f, d] and `e0` [B, f, 6, d], float32."""

    e: Tensor
    e0: Tensor


@dataclass(frozen=True)
class StepInputs:
    """What one forward over f latent frames reads besides the past.

    `latent` float32 [B, C, f, h, w], noisy, of models that predict a velocity; `condition` [B, Cc, f, h, w]; rotary
    tables `cos`, `sin` [N, D/2], or [B, 1, N, D/2] where every row of a batch has a time of its own; `text` keys and
    values [B, H, L, D] of every block.
    """

    latent: Tensor | None
    condition: Tensor | None
    time: TimeModulation
    cos: Tensor
    sin: Tensor
    control: ControlEmbedding = field(default_factory=ControlEmbedding)
    text: Sequence[tuple[Tensor, Tensor]] = ()


class Block(nn.Module):
    """Self-attention, camera modulation, cross-attention and FFN, modulated per latent frame (model_spec 3.6)."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        dim, eps = config.dim, config.eps
        self.eps = eps
        self.self_attn = SelfAttention(dim, config.num_heads, eps)
        if config.text is not None:
            self.norm3 = nn.LayerNorm(dim, eps=eps)
            self.cross_attn = CrossAttention(dim, config.num_heads, eps)
        self.ffn = nn.Sequential(nn.Linear(dim, config.ffn_dim), nn.GELU("tanh"), nn.Linear(config.ffn_dim, dim))
        self.modulation = _random_modulation(6, dim)
        if isinstance(config.control, RayControlConfig):
            self.cam_injector_layer1, self.cam_injector_layer2 = nn.Linear(dim, dim), nn.Linear(dim, dim)
            self.cam_scale_layer, self.cam_shift_layer = nn.Linear(dim, dim), nn.Linear(dim, dim)

    def camera_modulation(self, camera: Tensor) -> tuple[Tensor, Tensor]:
        """Camera tokens [B, N, d] -> scale and shift [B, N, d]; depends on the camera only."""
        g = self.cam_injector_layer2(F.silu(self.cam_injector_layer1(camera))) + camera
        return self.cam_scale_layer(g), self.cam_shift_layer(g)

    def forward(
        self,
        x: Tensor,
        e0: Tensor,
        cos: Tensor,
        sin: Tensor,
        attend: Attend,
        camera: tuple[Tensor, Tensor] | None,
        text: tuple[Tensor, Tensor] | None,
    ) -> Tensor:
        """x [B, N, d], e0 float32 [B, f, 6, d] -> float32 [B, N, d]."""
        dtype = self.self_attn.norm_q.weight.dtype  # of the arithmetic: a linear may be stored in 8 bits
        shift1, scale1, gate1, shift2, scale2, gate2 = add_modulation(self.modulation, e0)
        u = modulated_norm(x, self.eps, scale1, shift1).to(dtype)
        x = x.float() + per_frame(self.self_attn(u, cos, sin, attend).float(), gate1)
        if camera is not None:
            scale, shift = camera
            x = (1 + scale.float()) * x + shift.float()
        if text is not None:
            u = F.layer_norm(x, x.shape[-1:], self.norm3.weight.float(), self.norm3.bias.float(), self.eps)
            x = x + self.cross_attn(u.to(dtype), *text).float()
        u = modulated_norm(x, self.eps, scale2, shift2).to(dtype)
        return x + per_frame(self.ffn(u).float(), gate2)


class Head(nn.Module):
    """Final modulated norm and projection to latent patches; pixel models project elsewhere and pass no features."""

    def __init__(self, dim: int, eps: float, out_features: int | None = None) -> None:
        super().__init__()
        if out_features is not None:
            self.head = nn.Linear(dim, out_features)
        self.modulation = _random_modulation(2, dim)
        self.eps = eps

    def norm(self, x: Tensor, e: Tensor) -> Tensor:
        """x [B, N, d], e float32 [B, f, d] -> modulated float32 [B, N, d]."""
        shift, scale = add_modulation(self.modulation, e[:, :, None])
        return modulated_norm(x, self.eps, scale, shift)

    def forward(self, x: Tensor, e: Tensor) -> Tensor:
        return F.linear(self.norm(x, e), self.head.weight.float(), self.head.bias.float())


class CausalWorldTransformer(nn.Module):
    """Noisy latents, condition, time and control -> prediction, seeing the past through `attend`.

    Split as engines need it: `encode_text` once per prompt, `encode_actions` / `encode_rays` once per chunk,
    `predict` for every forward. `share` is set where other processes compute parts of each: control embeddings,
    rotary tables and caches are then those of this process.
    """

    share: TokenShare | None = None

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        dim, patch = config.dim, config.patch_size
        in_channels = config.condition_channels + (config.latent_channels if config.prediction == "velocity" else 0)
        if config.pixel is None:
            self.patch_embedding = nn.Conv3d(in_channels, dim, patch, stride=patch)
            self.head = Head(dim, config.eps, config.latent_channels * patch[1] * patch[2])
        else:
            outputs = config.latent_channels + (2 if config.prediction == "motion" else 0)
            if config.prediction == "layers":
                self.layers = RigidLayers(config.moving_layers, config.latent_channels, dim)
                outputs = self.layers.outputs
            self.stem = PixelStem(config.pixel, in_channels, dim, patch[1])
            self.head = Head(dim, config.eps)
            self.pixel_head = PixelHead(config.pixel, outputs, dim, patch[1])
        self.time_embedding = nn.Sequential(nn.Linear(config.freq_dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.time_projection = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))
        if config.text is not None:
            width = config.text.width
            self.text_embedding = nn.Sequential(nn.Linear(width, dim), nn.GELU("tanh"), nn.Linear(dim, dim))
        if isinstance(config.control, RayControlConfig):
            features = config.control.channels * config.control.fold**2 * patch[1] * patch[2]
            self.patch_embedding_wancamctrl = nn.Linear(features, dim)
            self.c2ws_hidden_states_layer1, self.c2ws_hidden_states_layer2 = nn.Linear(dim, dim), nn.Linear(dim, dim)
        elif isinstance(config.control, ActionControlConfig):
            self.action_embedding = ActionEmbedding(config.control, dim)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.num_layers))

    def encode_text(self, features: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Text features [B, L, text width], zero-padded to L -> keys and values [B, H, L, D] of every block."""
        text = self.text_embedding(features.to(next(self.text_embedding.parameters()).dtype))
        return [block.cross_attn.keys_values(text) for block in self.blocks]  # type: ignore[union-attr, operator]

    def encode_rays(self, rays: Tensor) -> ControlEmbedding:
        """Folded rays [B, channels * fold^2, f, h, w] -> scale and shift of every block."""
        _, ph, pw = self.config.patch_size
        cells = rays.unflatten(4, (-1, pw)).unflatten(3, (-1, ph))
        patches = cells.permute(0, 2, 3, 5, 1, 4, 6).flatten(4).flatten(1, 3)  # token features: channel, row, column
        if self.share is not None:
            patches = self.share.own(patches, rays.shape[2])
        embedded = self.patch_embedding_wancamctrl(patches.to(self.patch_embedding_wancamctrl.weight.dtype))
        camera = embedded + self.c2ws_hidden_states_layer2(F.silu(self.c2ws_hidden_states_layer1(embedded)))
        pairs = [block.camera_modulation(camera) for block in self.blocks]  # type: ignore[operator]
        return ControlEmbedding(scale=[scale for scale, _ in pairs], shift=[shift for _, shift in pairs])

    def encode_actions(self, actions: Tensor, rows: int, columns: int) -> ControlEmbedding:
        """Actions [B, f, history, dim] in -1..1, newest first -> per-frame and per-token embeddings."""
        frame, tokens = self.action_embedding(actions, rows, columns)
        return ControlEmbedding(frame=frame, tokens=tokens)

    def embed_time(self, timestep: Tensor, frame: Tensor | None = None) -> TimeModulation:
        """Diffusion times [B, f] in [0, 1000), one per latent frame, joined by `ControlEmbedding.frame` [B, f, d]."""
        e = embed_time(self.time_embedding, timestep, self.config.freq_dim)
        return modulate_by_time(self.time_projection, e if frame is None else e + frame.float())

    def predict(self, inputs: StepInputs, attends: Sequence[Attend]) -> Tensor:
        """One forward, with one `attend` per block.

        Returns float32 [B, C, f, h, w]: the flow, or the clean latent itself of models that predict it.
        """
        return self.predict_layers(inputs, attends)[0]

    def predict_layers(self, inputs: StepInputs, attends: Sequence[Attend]) -> tuple[Tensor, LayeredPrediction | None]:
        """As `predict`, and how `RigidLayers` made it, of B * f frames one after the other; None without such."""
        config = self.config
        condition, control, time = inputs.condition, inputs.control, inputs.time
        # A one-step model starts from pure noise; noise tells it nothing, so it does not read it.
        latent = inputs.latent if config.prediction == "velocity" else None
        x = torch.cat([part for part in (latent, condition) if part is not None], dim=1)
        frames, height, width = x.shape[2:]
        tokens, features = self._embed_patches(x)
        if self.share is not None:
            tokens = self.share.own(tokens, frames)
            attends = [self.share.attend(attend, frames) for attend in attends]
        if control.tokens is not None:
            tokens = tokens + control.tokens.to(tokens.dtype)
        for index, block in enumerate(self.blocks):
            camera = (control.scale[index], control.shift[index]) if control.scale else None
            text = inputs.text[index] if inputs.text else None
            tokens = block(tokens, time.e0, inputs.cos, inputs.sin, attends[index], camera, text)
        if config.pixel is None:
            rows, columns = height // config.patch_size[1], width // config.patch_size[2]
            patches = self.head(tokens, time.e)
            if self.share is not None:
                patches = self.share.gather(patches, frames)
            output = unpatchify(patches, frames, rows, columns, config.patch_size)
            return self._from_previous(output, condition), None
        normed = self.head.norm(tokens, time.e).unflatten(1, (frames, -1)).flatten(0, 1)
        normed = normed.to(self.pixel_head.unpatch.weight.dtype)
        output, layered = self.pixel_head(normed, features).float(), None
        if config.prediction in ("motion", "layers"):
            assert condition is not None
            images = condition.transpose(1, 2).flatten(0, 1)
            previous = images[:, : config.latent_channels]
            if config.prediction == "motion":
                output = move_and_correct(previous, output)
            else:
                before = images[:, config.latent_channels : 2 * config.latent_channels]
                layered = self.layers(previous, output, before, time.e.flatten(0, 1))
                output = layered.image
        return self._from_previous(output.unflatten(0, (-1, frames)).transpose(1, 2), condition), layered

    def _from_previous(self, output: Tensor, condition: Tensor | None) -> Tensor:
        if self.config.prediction != "residual":
            return output
        assert condition is not None
        return condition[:, : self.config.latent_channels].float() + output.float()

    def _embed_patches(self, x: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor] | None]:
        if self.config.pixel is None:
            dtype = self.patch_embedding.weight.dtype
            return self.patch_embedding(x.to(dtype)).flatten(2).transpose(1, 2), None
        frames = x.transpose(1, 2).flatten(0, 1).to(self.stem.to_half.weight.dtype)
        tokens, features = self.stem(frames)
        return tokens.unflatten(0, (x.shape[0], x.shape[2])).flatten(1, 2), features


def add_modulation(modulation: Tensor, e: Tensor) -> Sequence[Tensor]:
    """Learned rows [1, n, d] and what drives each frame [B, f, n or 1, d] -> n factors, float32 [B, f, d].

    In an exported graph of one row and frame they are [d], which takes a third of the operators.
    """
    total = modulation.float() + e
    if torch.onnx.is_in_onnx_export() and e.shape[:2] == (1, 1):
        return total.flatten().split(e.shape[-1])
    return total.unbind(2)


def modulated_norm(x: Tensor, eps: float, scale: Tensor, shift: Tensor) -> Tensor:
    """LayerNorm without affine of x [B, f*S, d], float32, then times 1 + scale plus shift, of `add_modulation`."""
    if scale.dim() == 1:
        return F.layer_norm(x.float(), x.shape[-1:], 1 + scale, shift, eps)
    frames = F.layer_norm(x.float(), x.shape[-1:], eps=eps).unflatten(1, (scale.shape[1], -1))
    return (frames * (1 + scale[:, :, None]) + shift[:, :, None]).flatten(1, 2)


def per_frame(x: Tensor, factor: Tensor) -> Tensor:
    """x [B, f*S, d] times the factor of its frame, of `add_modulation`."""
    if factor.dim() == 1:
        return x * factor
    return (x.unflatten(1, (factor.shape[1], -1)) * factor[:, :, None]).flatten(1, 2)


def mlp_float32(layers: nn.Sequential, x: Tensor) -> Tensor:
    """Apply linears of any stored precision with float32 arithmetic (model_spec 3.5)."""
    for layer in layers:
        x = linear_float32(layer, x) if isinstance(layer, nn.Linear) else layer(x)
    return x


def embed_time(embedding: nn.Sequential, timestep: Tensor, freq_dim: int) -> Tensor:
    """Diffusion times [B, f] -> float32 [B, f, d]: once per latent frame, never expanded to tokens."""
    return mlp_float32(embedding, sinusoid(timestep, freq_dim).float())


def modulate_by_time(projection: nn.Sequential, e: Tensor) -> TimeModulation:
    """What the blocks and the head make of an embedded time `e` [B, f, d]."""
    return TimeModulation(e, mlp_float32(projection, e).unflatten(-1, (6, e.shape[-1])))


def unpatchify(patches: Tensor, frames: int, rows: int, columns: int, patch: tuple[int, int, int]) -> Tensor:
    """[B, N, ph*pw*C] in (row, column, channel) order -> [B, C, f, h, w]."""
    x = patches.unflatten(2, (patch[1], patch[2], -1)).unflatten(1, (frames, rows, columns))
    return x.permute(0, 6, 1, 2, 4, 3, 5).flatten(5, 6).flatten(3, 4)


def _random_modulation(rows: int, dim: int) -> nn.Parameter:
    """[1, rows, dim]. On the meta device only its shape counts; drawing there would import the compiler: seconds."""
    start = torch.empty(1, rows, dim)
    return nn.Parameter(start if start.is_meta else start.normal_(std=dim**-0.5))
