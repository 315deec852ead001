"""`lingbot engines`: what can execute a model here, and plans made ahead of time."""

import argparse

from lingbot_ros.cli.engines.build import add_build_arguments, build

HELP = "list the engines and say which run here, and what to install; build TensorRT plans"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Without an action it lists."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    add_build_arguments(actions.add_parser("build", help="compile a model's graphs with TensorRT, for deployment"))


def run(args: argparse.Namespace) -> int:
    """Print a line per engine and device, or build."""
    if args.action == "build":
        return build(args)
    from lingbot_ros.engine.registry import engine_reports

    for report in engine_reports():
        state = f"usable: {report.info}" if report.info else f"not usable: {report.refusal.removeprefix('engine: ')}"
        print(f"{report.engine:<14} {report.device:<5} {state}")
    print("auto: TensorRT where a model's plans were built (lingbot engines build MODEL), else the faster of torch")
    print("      and onnxruntime, where it was exported (lingbot export MODEL --to onnx), measured at loading")
    print("engines other than torch run a model's network, its decoder of frames and exported heads; PyTorch runs the")
    print("      text encoder, the encoder of images and the time graph, and all of models of rigid layers and scenes")
    return 0
