"""What the page shows of a store: examples, augmentations, and what had to be left out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sleepsweep.augment import Augmentation, Placebo, Signal, augmentations
from sleepsweep.augmentpage.examples import Example, examples_of
from sleepsweep.augmentpage.views import Shown, shown
from sleepsweep.data.store import Store
from sleepsweep.errors import UserError


@dataclass(frozen=True)
class Page:
    """Whose epochs (`data`, in words), the views of them, and by name why others are missing."""

    data: str
    signal: Signal
    examples: Sequence[Example]
    shown: Sequence[Shown]
    left_out: Mapping[str, str]


def page_of(store: Store, names: Sequence[str] = (), seed: int = 0) -> Page:
    """Return the page of the named augmentations, or of all.

    Of all, one that refuses these epochs is left out and the page says why; of those named it
    raises the `UserError`.
    """
    signal = Signal(store.sfreq, store.uv_per_unit(store.subjects))
    kinds: list[type[Augmentation]] = [augmentations()[name] for name in dict.fromkeys(names)]
    examples, views, left_out = examples_of(store, seed), [], {}
    for kind in kinds or (kind for kind in augmentations().values() if kind is not Placebo):
        try:
            views.append(shown(kind, examples, signal, seed))
        except UserError as error:
            if kinds:
                raise
            left_out[kind.__name__] = str(error)
    channel, people = store.channels[0], len(store.subjects)
    data = f"{channel} of {people} subject{'s' * (people != 1)}, data hash {store.data_hash}"
    return Page(data, signal, examples, views, left_out)
