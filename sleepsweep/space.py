"""From a search space to trials: policies drawn size first, designs, blocks and slots.

One function, `draw_policy`, says what a policy of the space is. It draws from anything with the
shape of an Optuna trial: Optuna itself when a search suggests, `Draws` when a design does.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal

from sleepsweep.baselines import BASELINES
from sleepsweep.data.split import Split, draw_fresh_split, draw_split
from sleepsweep.seeds import Axis, numpy_generator
from sleepsweep.spec.pool import AugmentationsSpec, shared_out
from sleepsweep.spec.ranges import Draws, Scalar, Suggest
from sleepsweep.spec.searched import draw_values
from sleepsweep.spec.studyspec import StudySpec
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.trial import MemberSpec, Parts, TrialSpec

Kind = Literal["design", "anchor", "search", "confirmation", "baseline"]


@dataclass(frozen=True)
class Block:
    """One (subject split, seed) pair: what trials share when they are compared.

    `labelled` are the training subjects whose labels probes are fitted on.
    """

    index: int
    split_index: int
    seed: int
    split: Split
    labelled: tuple[str, ...]


@dataclass(frozen=True)
class Slot:
    """A place in the sweep's order of trials; its trial is None until a search suggests it."""

    order: int
    kind: Kind
    design: str
    block: int
    trial: TrialSpec | None = None


@dataclass(frozen=True)
class Recorded:
    """Values that were drawn before, by name: turns a flat configuration back into a policy."""

    values: Mapping[str, Any]

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Return the recorded value of `name`."""
        return float(self.values[name])

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """Return the recorded value of `name`."""
        return int(self.values[name])

    def suggest_categorical(self, name: str, choices: Sequence[Scalar]) -> Any:
        """Return the recorded value of `name`."""
        return self.values[name]


@dataclass(frozen=True)
class Completed:
    """Recorded values where there are any, draws where not; `asked` keeps what was suggested."""

    recorded: Recorded
    draws: Draws
    asked: dict[str, Any] = field(default_factory=dict)

    def suggest_float(self, name: str, low: float, high: float, *, log: bool = False) -> float:
        """Return the recorded value of `name`, or draw one."""
        self.asked[name] = self._source(name).suggest_float(name, low, high, log=log)
        return float(self.asked[name])

    def suggest_int(self, name: str, low: int, high: int) -> int:
        """Return the recorded value of `name`, or draw one."""
        self.asked[name] = self._source(name).suggest_int(name, low, high)
        return int(self.asked[name])

    def suggest_categorical(self, name: str, choices: Sequence[Scalar]) -> Any:
        """Return the recorded value of `name`, or draw one."""
        self.asked[name] = self._source(name).suggest_categorical(name, choices)
        return self.asked[name]

    def _source(self, name: str) -> Suggest:
        return self.recorded if name in self.recorded.values else self.draws


def draw_policy(space: AugmentationsSpec, source: Suggest) -> tuple[MemberSpec, ...]:
    """Draw the size first, then a subset of that size, then severities and p of its members.

    Thirteen independent switches would start any sampler at sets of six or seven. The subset is
    the `size` augmentations with the largest of independent uniform priorities, so that it is
    uniform when the source is, and so that a sampler that learns can learn single augmentations.
    """
    size = source.suggest_int("size", *space.size)
    if size == 0:
        return ()
    priority = {name: source.suggest_float(f"pick.{name}", 0.0, 1.0) for name in space.members}
    chosen = set(sorted(priority, key=lambda name: priority[name], reverse=True)[:size])
    drawn = tuple(
        entry.draw(name, source) for name, entry in space.members.items() if name in chosen
    )
    return drawn if space.p_sum is None else shared_out(drawn, space.p_sum)


def suggest_everything(space: AugmentationsSpec, source: Suggest) -> None:
    """Suggest every value that some policy of the space needs.

    For a source that learns only from values that all its trials have. What `draw_policy` then
    asks for by the same names is the same.
    """
    source.suggest_int("size", *space.size)
    for name, entry in space.members.items():
        source.suggest_float(f"pick.{name}", 0.0, 1.0)
        entry.draw(name, source)


def make_blocks(spec: StudySpec, nights: Mapping[str, int], test: tuple[str, ...]) -> list[Block]:
    """Return the blocks of a study: train and validation drawn anew for each, test set aside.

    `nights` maps each subject to its number of nights. The study's seed enters neither the splits
    nor who is labelled.
    """

    def block(index: int) -> Block:
        place = index if spec.split.resplit else 0
        return _block(spec, index, place, draw_split(nights, test, spec.split, index))

    return [block(index) for index in range(spec.split.blocks)]


def fresh_blocks(
    spec: SweepSpec, nights: Mapping[str, int], test: tuple[str, ...], count: int
) -> list[Block]:
    """Return so many blocks beyond those of `make_blocks`: other splits and other seeds."""

    def block(index: int) -> Block:
        return _block(spec, index, index, draw_fresh_split(nights, test, spec.split, index))

    return [block(spec.split.blocks + place) for place in range(count)]


def _block(spec: StudySpec, index: int, place: int, split: Split) -> Block:
    labelled = spec.probe.labelled(split.train, split=place, seed=spec.split.seed)
    return Block(index, place, spec.seed + index, split, labelled)


@dataclass(frozen=True)
class Space:
    """A sweep's space bound to its data: makes trials, and the slots in which they are run."""

    spec: SweepSpec
    blocks: Sequence[Block]
    data_hash: str

    @property
    def members(self) -> list[str]:
        """Names of the augmentations that policies are drawn from, the placebo included."""
        return list(self.spec.augmentations.members)

    def trial(
        self, policy: tuple[MemberSpec, ...], block: int, parts: Parts | None = None
    ) -> TrialSpec:
        """Return the trial of `policy` in block number `block`, made of `parts`.

        Without them its searched scalars are drawn, from streams that name block and policy.
        """
        shared = self.blocks[block]
        if parts is None:
            parts = self._drawn_parts(block=block, policy=" + ".join(map(str, policy)))
        return TrialSpec(
            policy=policy,
            mix_partner=self.spec.augmentations.mix_partner,
            choose=self.spec.augmentations.offered_of(policy),
            block=shared.index,
            split=shared.split_index,
            seed=shared.seed,
            train=shared.split.train,
            labelled=shared.labelled,
            validation=shared.split.validation,
            selects_on_test=self.spec.split.selects_on_test,
            encoder=parts.encoder,
            pretrain=parts.pretrain,
            probe=parts.probe,
            rungs=self.spec.rungs,
            data_hash=self.data_hash,
        )

    def parts(self, source: Suggest) -> Parts:
        """Draw what a trial is made of besides its policy: the spec's parts, ranges drawn."""
        return self.spec.parts.with_values(draw_values(self.spec.searched, source))

    def _drawn_parts(self, **axes: Axis) -> Parts:
        values: dict[str, Scalar] = {}
        for path, drawn in self.spec.searched.items():
            # A stream of its own: another range in the YAML changes no value of this one.
            generator = numpy_generator("searched", seed=self.spec.seed, path=path, **axes)
            values |= draw_values({path: drawn}, Draws(generator))
        return self.spec.parts.with_values(values)

    def slots(self) -> list[Slot]:
        """Return every trial's place: designs, anchors spread among searched trials, baselines.

        Anchors and searched trials are dealt out to the blocks separately, so that neither kind
        gathers in one block. No trial occurs twice: a repeated draw is drawn again.
        """
        known: set[str] = set()
        pool, blocks, seed = self.spec.augmentations, len(self.blocks), self.spec.seed
        designed = [
            (item.name, self.trial(policy, block))
            for item in self.spec.search.designs
            for block, policy in item.lay_out(pool, blocks, seed)
        ]
        slots = [
            Slot(order, "design", design, trial.block, trial)
            for order, (design, trial) in enumerate(_distinct(designed, known))
        ]
        return [*slots, *self._drawn(len(slots), known), *self._baselines()]

    def _baselines(self) -> Iterator[Slot]:
        # Counted downwards from −1: how many trials there are moves no baseline, and a baseline
        # moves no trial, whose draws may be named by its place.
        for place, (name, block) in enumerate(product(BASELINES, range(len(self.blocks)))):
            if name in self.spec.search.baselines:
                trial = self.trial((), block).changed(baseline=name, rungs=self.spec.rungs[-1:])
                yield Slot(-1 - place, "baseline", "", block, trial)

    def _drawn(self, first: int, known: set[str]) -> Iterator[Slot]:
        share, anchors = self.spec.search.anchors, 0
        for place in range(self.spec.search.trials):
            order = first + place
            if int((place + 1) * share + 1e-9) > anchors:
                block = anchors % len(self.blocks)
                anchors += 1
                trial = self._anchor(order, block, known)
                if trial is not None:
                    yield Slot(order, "anchor", "", block, trial)
            else:
                yield Slot(order, "search", "", (place - anchors) % len(self.blocks))

    def _anchor(self, order: int, block: int, known: set[str]) -> TrialSpec | None:
        for attempt in range(ATTEMPTS):
            draws = Draws(numpy_generator("anchor", seed=self.spec.seed, order=order, n=attempt))
            parts = self._drawn_parts(order=order, n=attempt)
            trial = self.trial(draw_policy(self.spec.augmentations, draws), block, parts)
            if trial.id not in known:
                known.add(trial.id)
                return trial
        return None


# A space of few distinct policies can be exhausted; so many repeated draws say that it is.
ATTEMPTS = 200


def _distinct(
    designed: list[tuple[str, TrialSpec]], known: set[str]
) -> Iterator[tuple[str, TrialSpec]]:
    for design, trial in designed:
        if trial.id not in known:
            known.add(trial.id)
            yield design, trial
