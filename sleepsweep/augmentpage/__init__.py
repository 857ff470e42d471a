"""The page of ``sleepsweep augment show``: epochs of each stage before and after augmentation."""

from sleepsweep.augmentpage.content import Page, page_of
from sleepsweep.augmentpage.page import html, write

__all__ = ["Page", "html", "page_of", "write"]
