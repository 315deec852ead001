"""The private environment that `./lingbot` makes on first use: a `.venv` with real ROS 2 wheels and the built messages.

Everything here runs on a bare Python 3.10 to 3.14 with the standard library alone, because nothing else exists yet.
"""
