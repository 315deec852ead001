"""The engines `tensorrt` and `tensorrt_rtx`: one adapter over two libraries with the same interface."""
