"""`lingbot engines`: what can execute a model here."""

import argparse

HELP = "list the engines: version, device, whether each is usable here and what to install"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(args: argparse.Namespace) -> int:
    """Print a line per engine and device."""
    from lingbot_ros.engine.registry import engine_reports

    for report in engine_reports():
        state = f"usable: {report.info}" if report.info else f"not usable: {report.refusal.removeprefix('engine: ')}"
        print(f"{report.engine:<14} {report.device:<5} {state}")
    print("auto: per model, the fastest that was exported for it (lingbot export MODEL --to onnx), measured at loading")
    return 0
