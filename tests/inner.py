"""What a run of pytest inside a test needs: after it, every module that was first loaded in it is forgotten.

A part of torch that is loaded a second time raises, and a class of derive would be another one.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

import derive

__all__ = ["load_everything"]


def load_everything() -> None:
    """Load all of derive, and what torch loads late."""
    import_module("torch._dynamo")
    for module in pkgutil.walk_packages(derive.__path__, "derive."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
