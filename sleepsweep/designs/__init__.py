"""Designs: lists of trials that are laid out before anything is run, by name in the YAML.

A design is one class; `registry.DesignSpec` names them all, in one place.
"""

from sleepsweep.designs.registry import DesignSpec

__all__ = ["DesignSpec"]
