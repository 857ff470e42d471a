"""Torch, imported when something of it is first used: ``from sleepsweep.torchlater import torch``.

For modules that also declare what a YAML may ask for: they are read to check one, and torch alone
takes longer to import than everything else that a check does.
"""

from typing import TYPE_CHECKING, Any

__all__ = ["torch"]

if TYPE_CHECKING:
    import torch
else:

    class _Torch:
        def __getattr__(self, name: str) -> Any:
            import torch

            return getattr(torch, name)

    torch = _Torch()
