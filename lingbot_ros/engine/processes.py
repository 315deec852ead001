"""Several processes that run one model together, started by `torchrun`: each runs the same program."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import torch
import torch.distributed as dist

from lingbot_ros.engine.interface import EngineOptions
from lingbot_ros.errors import EngineError
from lingbot_ros.model.token_share import TokenShare

_PATIENCE = timedelta(minutes=10)
"""How long an exchange waits for a process that loads or decodes."""

_joined: list[TokenShare] = []


@contextmanager
def together(device: str) -> Iterator[TokenShare]:
    """While this lasts, worlds that are loaded share their work with the other processes of `torchrun`.

    Every process must load the same models and step them with the same controls: each sees the same frames. NCCL
    connects GPUs, of which `cuda` is then the one of this process; gloo connects CPUs. Raises EngineError outside of
    `torchrun`.
    """
    if "LOCAL_RANK" not in os.environ:
        raise EngineError("processes: not started by torchrun; run `torchrun --nproc-per-node N PROGRAM`")
    gpu = device.startswith("cuda")
    if gpu:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    dist.init_process_group("nccl" if gpu else "gloo", timeout=_PATIENCE)
    try:
        share = TokenShare(dist.get_rank(), dist.get_world_size())
        _joined.append(share)
        yield share
    finally:
        _joined.clear()
        dist.destroy_process_group()


def current_share() -> TokenShare | None:
    """What this process computes of the models it loads; None outside of `together`."""
    return _joined[0] if _joined else None


def shared_engine(options: EngineOptions) -> EngineOptions:
    """The options with the only engine that several processes can run a model with; raises EngineError for another."""
    if options.engine not in ("auto", "torch"):
        raise EngineError(f"engine: {options.engine} runs in one process; several processes need engine torch")
    return replace(options, engine="torch")
