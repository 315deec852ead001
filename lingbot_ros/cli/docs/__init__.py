"""`lingbot docs`: the documentation as pages with search, and the reference of the Python API."""

import argparse
from pathlib import Path

HELP = "show the documentation in your browser, with search and the Python API"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Without arguments: build, then serve on this machine until Ctrl-C."""
    parser.add_argument(
        "--build", type=Path, metavar="DIR", help="write the pages to this new or empty folder, and end"
    )
    parser.add_argument("--port", type=int, default=8421, help="port of the pages; 0 = any free one (default: 8421)")


def run(args: argparse.Namespace) -> int:
    """Returns 0. Raises LingbotError when the generator is missing or finds a broken link."""
    from lingbot_ros.cli.docs.site import build, serve

    if args.build is not None:
        build(args.build)
        print(f"open {args.build / 'index.html'} through a web server: ./lingbot docs is one")
        return 0
    return serve(args.port)
