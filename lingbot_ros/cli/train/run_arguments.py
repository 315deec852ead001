"""The arguments that `lingbot train` and `lingbot distill` share."""

import argparse
import sys
from pathlib import Path
from typing import Any


class _Deprecated(argparse.Action):
    """A deprecated name of an option: it still works and prints the new name."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        print(f"{parser.prog}: {option} is deprecated, write --{self.dest.replace('_', '-')}", file=sys.stderr)
        setattr(namespace, self.dest, values)


def add_run_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the files, limits, precision and validation of a run."""
    parser.add_argument("--config", type=Path, required=True, help="training YAML, e.g. config/training/small.yaml")
    parser.add_argument("--data", type=Path, required=True, help="folder of the data set")
    parser.add_argument("--run", type=Path, required=True, help="folder of this run: checkpoint, logs, validation")
    parser.add_argument(
        "--iterations", type=int, default=3000, help="iterations of the complete run (default %(default)s)"
    )
    parser.add_argument("--minutes", type=float, help="save and stop after this many minutes")
    parser.add_argument(
        "--export",
        type=Path,
        metavar="MODEL",
        help="write the averaged weights to this folder; for your own data also a card, if the folder has none",
    )
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default %(default)s)")
    parser.add_argument(
        "--precision",
        choices=("bf16", "f32"),
        help="precision of the forward pass (default: bf16 where the processor computes in it, else f32)",
    )
    parser.add_argument(
        "--compile", action="store_true", help="compile the model first, which takes a minute or more; for GPUs"
    )
    parser.add_argument(
        "--loaders",
        type=int,
        default=0,
        help="threads that prepare clips; 0 = read them between iterations (default 0)",
    )
    parser.add_argument(
        "--eval-every",
        type=int,
        default=500,
        metavar="N",
        help="validate every N iterations; 0 = only at the gate (default %(default)s)",
    )
    parser.add_argument("--look-every", dest="eval_every", type=int, action=_Deprecated, help=argparse.SUPPRESS)
    parser.add_argument(
        "--validation",
        type=Path,
        metavar="DATA",
        help="data set to validate on (default: episodes simulated by the task)",
    )
    parser.add_argument("--no-gate", action="store_true", help="do not stop the run at the gate")
