"""Who slept when, as far as is known: every subject in one spelling, every night once."""

from dataclasses import dataclass, field

from sleepsweep.data.names import whose
from sleepsweep.errors import UserError

NAMING = (
    "Subjects and nights are told by file names (`person` in a description file), or by the keys "
    "subject and night of an npz"
)


@dataclass
class People:
    """The nights met so far, and the refusal of one that cannot be beside them in one data set."""

    _spellings: dict[str, tuple[str, str]] = field(default_factory=dict)
    _nights: dict[tuple[str, int], str] = field(default_factory=dict)

    def add(self, subject: str, night: int, source: str) -> None:
        """Take in a night of `subject`, recorded in the file `source`.

        Raises `UserError` for an empty name, for one that may be another one's (`whose`: one
        person would be two subjects, on both sides of a split), and for a night that is there.
        """
        if not subject.strip():
            raise UserError(f"{source}: the name of its subject is empty. {NAMING}.")
        spelt, first = self._spellings.setdefault(whose(subject), (subject, source))
        if spelt != subject:
            raise UserError(
                f"{source} is of subject {subject!r}, {first} of {spelt!r}: these may be one "
                f"person. Spell one person's name one way, whatever the night, and two people's "
                f"not alike. {NAMING}."
            )
        other = self._nights.setdefault((subject, night), source)
        if other != source:
            raise UserError(
                f"{source} and {other} are both night {night} of {subject}. Take one out, or tell "
                f"the nights apart. {NAMING}."
            )
