"""Names of the same tensors in different packagings, as tables (model_spec 1.6).

A transformer is stored under the released Wan-style names, which our classes use, or under those of SGLang, FastVideo
or diffusers. Autoencoder and text encoder go the other way: their original names become those of the `diffusers` and
`transformers` classes that run them.
"""

import re
from collections.abc import Iterable, Mapping

Table = Mapping[str, str]
"""Module path there -> module path here; block-local paths stand without `blocks.N.`."""

_SGLANG_TOP: Table = {
    "patch_embedding.proj": "patch_embedding",
    "patch_embedding_wancamctrl.proj": "patch_embedding_wancamctrl",
    "condition_embedder.text_embedder.fc_in": "text_embedding.0",
    "condition_embedder.text_embedder.fc_out": "text_embedding.2",
    "condition_embedder.time_embedder.mlp.fc_in": "time_embedding.0",
    "condition_embedder.time_embedder.mlp.fc_out": "time_embedding.2",
    "condition_embedder.time_modulation.linear": "time_projection.1",
    "c2ws_mlp.fc_in": "c2ws_hidden_states_layer1",
    "c2ws_mlp.fc_out": "c2ws_hidden_states_layer2",
    "scale_shift_table": "head.modulation",
    "proj_out": "head.head",
}
_SGLANG_BLOCK: Table = {
    "scale_shift_table": "modulation",
    **{f"to_{part}": f"self_attn.{letter}" for part, letter in zip(("q", "k", "v", "out"), "qkvo", strict=True)},
    "norm_q": "self_attn.norm_q",
    "norm_k": "self_attn.norm_k",
    **{f"attn2.to_{part}": f"cross_attn.{letter}" for part, letter in zip(("q", "k", "v", "out"), "qkvo", strict=True)},
    "attn2.norm_q": "cross_attn.norm_q",
    "attn2.norm_k": "cross_attn.norm_k",
    "self_attn_residual_norm.norm": "norm3",
    "ffn.fc_in": "ffn.0",
    "ffn.fc_out": "ffn.2",
    "cam_conditioner.cam_injector.fc_in": "cam_injector_layer1",
    "cam_conditioner.cam_injector.fc_out": "cam_injector_layer2",
    "cam_conditioner.cam_scale_layer": "cam_scale_layer",
    "cam_conditioner.cam_shift_layer": "cam_shift_layer",
}

_DIFFUSERS_TOP: Table = {
    "patch_embedding": "patch_embedding",
    "condition_embedder.text_embedder.linear_1": "text_embedding.0",
    "condition_embedder.text_embedder.linear_2": "text_embedding.2",
    "condition_embedder.time_embedder.linear_1": "time_embedding.0",
    "condition_embedder.time_embedder.linear_2": "time_embedding.2",
    "condition_embedder.time_proj": "time_projection.1",
    "scale_shift_table": "head.modulation",
    "proj_out": "head.head",
}
_DIFFUSERS_BLOCK: Table = {
    "scale_shift_table": "modulation",
    **{
        f"{attention}.{there}": f"{ours}.{here}"
        for attention, ours in (("attn1", "self_attn"), ("attn2", "cross_attn"))
        for there, here in (
            ("to_q", "q"),
            ("to_k", "k"),
            ("to_v", "v"),
            ("to_out.0", "o"),
            ("norm_q", "norm_q"),
            ("norm_k", "norm_k"),
        )
    },
    "norm2": "norm3",  # diffusers counts the norms in the order of use, the released names do not
    "ffn.net.0.proj": "ffn.0",
    "ffn.net.2": "ffn.2",
}

STYLES: Mapping[str, tuple[Table, Table]] = {
    "sglang": (_SGLANG_TOP, _SGLANG_BLOCK),
    "diffusers": (_DIFFUSERS_TOP, _DIFFUSERS_BLOCK),
}
"""Packagings with other names: their tables outside and inside a block."""

_BLOCK = re.compile(r"(blocks\.\d+\.)(.+)")


def style_of(names: Iterable[str]) -> str:
    """`released`, `sglang` or `diffusers`, detected by the time embedding that every model has."""
    present = set(names)
    if "condition_embedder.time_embedder.mlp.fc_in.weight" in present:
        return "sglang"
    return "diffusers" if "condition_embedder.time_embedder.linear_1.weight" in present else "released"


def released_name(name: str, style: str) -> str:
    """The released name of a tensor of another style; a name that its table does not know is returned as it is."""
    top, block = STYLES[style]
    match = _BLOCK.fullmatch(name)
    return match[1] + _translate(match[2], block) if match else _translate(name, top)


def released_names(names: Iterable[str]) -> dict[str, str]:
    """Stored name -> released name of a whole transformer, whichever style it has."""
    names = list(names)
    style = style_of(names)
    return {name: name if style == "released" else released_name(name, style) for name in names}


def styled_name(name: str, style: str) -> str:
    """The reverse of `released_name`: what the style calls a released tensor."""
    top, block = STYLES[style]
    match = _BLOCK.fullmatch(name)
    return match[1] + _translate(match[2], _reversed(block)) if match else _translate(name, _reversed(top))


def autoencoder_name(name: str) -> str:
    """A tensor of `Wan2.1_VAE.pth` as `AutoencoderKLWan` calls it."""
    half, rest = name.split(".", 1)
    if half in _QUANTIZERS:
        return f"{_QUANTIZERS[half]}.{rest}"
    stage, _, rest = rest.partition(".")
    match stage:
        case "conv1":
            return f"{half}.conv_in.{rest}"
        case "head":
            index, leaf = rest.split(".", 1)
            return f"{half}.{'norm_out' if index == '0' else 'conv_out'}.{leaf}"
        case "middle":
            index, inner = rest.split(".", 1)
            return f"{half}.mid_block.{_MIDDLE[index]}.{_residual(inner)}"
        case "downsamples":
            index, inner = rest.split(".", 1)
            return f"{half}.down_blocks.{index}.{_residual(inner)}"
    index, inner = rest.split(".", 1)
    level, place = divmod(int(index), 4)
    part = "upsamplers.0" if place == 3 else f"resnets.{place}"
    return f"{half}.up_blocks.{level}.{part}.{_residual(inner)}"


def text_encoder_name(name: str) -> str:
    """A tensor of `models_t5_umt5-xxl-enc-bf16.pth` as `UMT5EncoderModel` calls it."""
    match = re.fullmatch(r"blocks\.(\d+)\.(.+)\.weight", name)
    if match:
        return f"encoder.block.{match[1]}.{_UMT5_BLOCK.get(match[2], match[2])}.weight"
    module = name.removesuffix(".weight")
    return f"{_UMT5_TOP.get(module, module)}.weight"


_QUANTIZERS: Table = {"conv1": "quant_conv", "conv2": "post_quant_conv"}
_MIDDLE: Table = {"0": "resnets.0", "1": "attentions.0", "2": "resnets.1"}
_RESIDUAL: Table = {
    "residual.0": "norm1",
    "residual.2": "conv1",
    "residual.3": "norm2",
    "residual.6": "conv2",
    "shortcut": "conv_shortcut",
}
_UMT5_TOP: Table = {"token_embedding": "shared", "norm": "encoder.final_layer_norm"}
_UMT5_BLOCK: Table = {
    "norm1": "layer.0.layer_norm",
    **{f"attn.{letter}": f"layer.0.SelfAttention.{letter}" for letter in "qkvo"},
    "pos_embedding.embedding": "layer.0.SelfAttention.relative_attention_bias",
    "norm2": "layer.1.layer_norm",
    "ffn.gate.0": "layer.1.DenseReluDense.wi_0",
    "ffn.fc1": "layer.1.DenseReluDense.wi_1",
    "ffn.fc2": "layer.1.DenseReluDense.wo",
}


def _residual(name: str) -> str:
    return _translate(name, _RESIDUAL)


def _translate(name: str, table: Table) -> str:
    """Replace the module path in front of the leaf; a parameter may itself be an entry."""
    if name in table:
        return table[name]
    module, _, leaf = name.rpartition(".")
    return f"{table[module]}.{leaf}" if module in table else name


def _reversed(table: Table) -> Table:
    return {here: there for there, here in table.items()}
