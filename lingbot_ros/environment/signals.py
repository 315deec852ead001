"""Signals that ask a program to end: Ctrl-C, kill, and a terminal that is closed."""

import signal

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
