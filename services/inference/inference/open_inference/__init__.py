"""The Open Inference Protocol, version 2, over HTTP, with the binary tensor data extension.

Source: kserve.github.io, "Open Inference Protocol (V2)"; Triton Inference Server, "Binary tensor data extension".
"""
