"""Graphs as ONNX files, for engines that compile them."""
