import pytest
from pydantic import ValidationError

from sleepsweep.part import PartSpec, later


class Cup(PartSpec):
    size: int = 3
    lid: bool = later(False)
    handles: int | None = later(None)
    colours: tuple[str, ...] = later(())


def test_a_key_that_came_later_is_written_only_where_it_was_changed() -> None:
    assert Cup().model_dump() == Cup.model_validate({"lid": False}).model_dump() == {"size": 3}
    assert Cup(handles=0, colours=("red",)).model_dump(mode="json") == {
        "size": 3, "handles": 0, "colours": ["red"]
    }  # fmt: skip
    assert Cup(lid=True).model_dump_json() == '{"size":3,"lid":true}'


def test_a_key_that_came_later_is_a_key_like_others() -> None:
    assert Cup.model_validate({"size": 3}) == Cup()
    with pytest.raises(ValidationError, match="valid boolean"):
        Cup.model_validate({"lid": "no"})
