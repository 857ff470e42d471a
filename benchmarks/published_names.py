"""What the published study's table calls augmentations and categories, in this project's names."""

from sleepsweep.augment.registry import augmentation, augmentations


def augmentation_name(name: str) -> str:
    """Return the name of an augmentation, which may be given by an alias."""
    return augmentation(name).__name__


def category_name(name: str) -> str:
    """Return the category that a published one, such as ``Masking-Cropping``, begins with."""
    known = dict.fromkeys(cls.category for cls in augmentations().values())
    return next((each for each in known if name.lower().startswith(each)), name)
