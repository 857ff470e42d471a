"""A hook of MkDocs: the reference of the YAML, made of the specs that read it.

Keys, kinds of values, ranges and defaults are those of the fields; what a key means stands below
its field.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from itertools import pairwise
from textwrap import dedent
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import AfterValidator
from pydantic.fields import FieldInfo

from sleepsweep.augment import Augmentation, Placebo, augmentations, parameters
from sleepsweep.cluster.slurm.options import SlurmOptions
from sleepsweep.data.edf.description import Description
from sleepsweep.data.split_file import ListedSplits
from sleepsweep.designs.registry import DesignSpec
from sleepsweep.experiment.spec import ExperimentSpec
from sleepsweep.learn.classifiers import CLASSIFIERS
from sleepsweep.learn.encoders import ENCODERS
from sleepsweep.learn.losses import LOSSES
from sleepsweep.learn.registry import Registry
from sleepsweep.part import Only, PartSpec, Shared
from sleepsweep.spec.pool import PoolEntry
from sleepsweep.spec.ranges import Range
from sleepsweep.spec.sweepspec import SweepSpec
from sleepsweep.trial import MemberSpec

MARK = "<!-- reference: yaml -->"

WORDS = {bool: "`true` or `false`", int: "whole number", float: "number", str: "text",
         type(None): "`null`", Any: "any", Range: "value or [range](#ranges)",
         PoolEntry: "[how it is drawn](#augmentations-pool-name)",
         DesignSpec: "[design](#designs)", MemberSpec: "augmentation with its values"}  # fmt: skip
BOUNDS = {"ge": "from", "gt": "above", "le": "to", "lt": "below",
          "min_length": "length from", "max_length": "length to"}  # fmt: skip


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put the reference where a page asks for it."""
    return markdown.replace(MARK, yaml_reference()) if MARK in markdown else markdown


def yaml_reference() -> str:
    """Every key of every YAML that is read, as Markdown."""
    parts = [
        "## A search space\n", *_table(SweepSpec, ""), *_sections(SweepSpec, ""),
        "## An experiment\n", "The keys of a search space that are not searched, and:\n",
        *_table(ExperimentSpec, "", but=set(SweepSpec.model_fields)),
        *_sections(ExperimentSpec, "", but=set(SweepSpec.model_fields)),
        "## Designs\n", "The items of `search.designs`: a name, or `{NAME: {options}}`.\n",
        *_designs(),
        "## Augmentations and their parameters\n", *_augmentations(),
        "## Parts by name\n", *_registered(),
        "## Other files\n", *_section(Description, "A description of recordings"),
        *_sections(Description, ""), *_section(ListedSplits, "A split file"),
        *_sections(ListedSplits, ""), *_section(SlurmOptions, "A profile of Slurm"),
    ]  # fmt: skip
    return "\n".join(parts)


def kind_of(annotation: Any, metadata: Any = ()) -> str:
    """What a key takes, in words, by its type and the constraints on it."""
    known = [words for item in metadata for words in _names(item)]
    if known:
        return ", ".join(f"`{name}`" for name in known)
    origin, inner = get_origin(annotation), get_args(annotation)
    if hasattr(annotation, "__metadata__"):
        return kind_of(inner[0], [*_flat(annotation.__metadata__), *metadata])
    if origin is Literal:
        return ", ".join(f"`{value}`" for value in inner)
    if origin is tuple and inner[-1] is Ellipsis:
        return f"list of: {kind_of(inner[0])}"
    if origin is tuple:
        return f"[{', '.join(kind_of(each) for each in inner)}]"
    if origin is dict:
        return f"mapping of {kind_of(inner[0])} to {kind_of(inner[1])}"
    if inner and (origin is Union or type(None) in inner or not origin or origin is not list):
        return ", or ".join(dict.fromkeys(kind_of(each) for each in inner))
    if annotation in WORDS:
        return ", ".join([WORDS[annotation], *_bounds(metadata)])
    return "keys"


def _flat(metadata: Any) -> list[Any]:
    return [
        each for item in metadata
        for each in (_flat(item.metadata) if isinstance(item, FieldInfo) else [item])
    ]  # fmt: skip


def _names(item: Any) -> tuple[str, ...]:
    """The names that a constraint allows, where it is a list of names."""
    if isinstance(item, Only):
        return tuple("null" if name is None else str(name) for name in item.supported)
    owner = getattr(item.func, "__self__", None) if isinstance(item, AfterValidator) else None
    return tuple(owner.all()) if isinstance(owner, Registry) else ()


def _bounds(metadata: Any) -> list[str]:
    ends = [
        f"{word} {getattr(item, bound):,g}" for item in metadata for bound, word in BOUNDS.items()
        if getattr(item, bound, None) is not None
    ]  # fmt: skip
    return [" ".join(ends).replace(" below", ", below")] if ends else []


def _parts(kind: type[PartSpec]) -> dict[str, tuple[str, type[PartSpec]]]:
    """The keys of a part that are parts themselves: where each is described, and its class."""
    return {
        key: (f"{key}.NAME" if get_origin(entry.annotation) is dict else key, found)
        for key, entry in kind.model_fields.items() if not entry.default_factory
        for found in _within(entry.annotation)
        if issubclass(found, PartSpec) and found not in (Range, DesignSpec, MemberSpec)
    }  # fmt: skip


def _within(annotation: Any) -> Iterator[type]:
    if isinstance(annotation, type) and not get_args(annotation):
        yield annotation
    for inner in get_args(annotation):
        yield from _within(inner)


def _sections(kind: type[PartSpec], above: str, but: Any = ()) -> Iterator[str]:
    for key, (place, part) in _parts(kind).items():
        if key not in but:
            yield from _section(part, f"{above}{place}")
            yield from _sections(part, f"{above}{place}.")


def _section(kind: type[PartSpec], name: str) -> Iterator[str]:
    title = name if " " in name else f"`{name}`"
    yield f"### {title} {{ #{_anchor(name)} }}\n"
    yield f"{inspect.getdoc(kind)}\n"
    yield from _table(kind, "" if " " in name else f"{name}.")


def _anchor(name: str) -> str:
    return re.sub(r"[. _]", "-", name).lower()


def _table(kind: type[PartSpec], above: str, but: Any = ()) -> Iterator[str]:
    own, meanings = _parts(kind), meanings_of(kind)
    yield "| key | takes | default | what |\n|---|---|---|---|"
    for key, entry in kind.model_fields.items():
        if key not in but:
            takes = kind_of(entry.annotation, _flat(entry.metadata))
            if key in own and own[key][1] is not PoolEntry:
                takes = f"[keys](#{_anchor(above + own[key][0])})"
            yield _row(f"`{key}`", takes, _default(entry, key in own), _said(meanings[key], entry))
    yield ""


def meanings_of(kind: type[PartSpec]) -> dict[str, str]:
    """What stands below each field of a part, or of the parts it derives from."""
    found: dict[str, str] = {}
    for cls in kind.__mro__[-1::-1]:
        if issubclass(cls, PartSpec):
            (body,) = (node.body for node in ast.parse(dedent(inspect.getsource(cls))).body
                       if isinstance(node, ast.ClassDef))  # fmt: skip
            for field, below in pairwise(body):
                match field, below:
                    case (
                        ast.AnnAssign(target=ast.Name(id=name)),
                        ast.Expr(value=ast.Constant(value=str(text))),
                    ):
                        found[name] = inspect.cleandoc(text)
    return found


def _said(meaning: str, entry: FieldInfo) -> str:
    shared = [item for item in entry.metadata if isinstance(item, Shared)]
    return " ".join([*meaning.split(), *(f"Not searched: {item.reason}." for item in shared)])


def _default(entry: FieldInfo, is_part: bool) -> str:
    if entry.is_required():
        return "**required**"
    if is_part or entry.default_factory is not None or entry.default == "":
        return ""
    return f"`{_as_yaml(entry.default)}`"


def _as_yaml(value: Any) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(_as_yaml(item) for item in value)}]"
    plain = value.model_dump(mode="json") if isinstance(value, PartSpec) else value
    return yaml.safe_dump(plain, default_flow_style=True).removesuffix("\n...\n").strip()


def _designs() -> Iterator[str]:
    for name, entry in DesignSpec.model_fields.items():
        (design,) = (kind for kind in _within(entry.annotation) if issubclass(kind, PartSpec))
        yield f"### `{name}` {{ #{_anchor(f'design {name}')} }}\n\n{inspect.getdoc(design)}\n"
        if design.model_fields:
            yield from _table(design, "")


def _augmentations() -> Iterator[str]:
    yield "What each does: [augmentations](augmentations.md). A pool or a policy gives a severity, "
    yield "where there is one, or these parameters, and `p`.\n"
    yield "| category | name | severity sets | parameter | takes | default |"
    yield "|---|---|---|---|---|---|"
    for name, kind in augmentations().items():
        if kind is not Placebo:
            yield from _parameters(name, kind)
    yield ""


def _parameters(name: str, kind: type[Augmentation]) -> Iterator[str]:
    first = [kind.category, f"`{name}`", f"`{kind.dial.field}`" if kind.dial else "–"]
    for key, allowed in parameters(kind).items():
        ends = [f"{word} {end:g}" for word, end in (("from", allowed.low), ("to", allowed.high))
                if abs(end) != float("inf")]  # fmt: skip
        takes = ", ".join(filter(None, [WORDS.get(allowed.kind, "number"), " ".join(ends)]))
        default = "–" if allowed.default is None else f"`{_as_yaml(allowed.default)}`"
        yield _row(*first, f"`{key}`", takes, default)
        first = ["", "", ""]
    if first[0]:
        yield _row(*first, "–", "", "")


def _registered() -> Iterator[str]:
    yield "| key | name | what |\n|---|---|---|"
    for key, registry in (
        ("encoder.name", ENCODERS), ("pretrain.loss", LOSSES), ("finetune.classifier", CLASSIFIERS)
    ):  # fmt: skip
        for name, kind in registry.all().items():
            first = (inspect.getdoc(kind) or "").split("\n\n")[0]
            yield _row(f"`{key}`", f"`{name}`", " ".join(first.split()))
    yield ""


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
