"""What follows from what was measured of trials at once."""

from dataclasses import replace

from sleepsweep.packing.packing import Packed, Packing


def measured(*speeds: float, device: str = "cuda") -> Packing:
    found = [Packed(2**place, speed, 500.0) for place, speed in enumerate(speeds)]
    return Packing(device, 80_000, tuple(found))


def test_the_fewest_are_best_than_which_more_are_not_worth_it() -> None:
    assert measured(100, 190, 350, 360).best.trials == 4
    assert measured(100).best.trials == 1
    assert measured(100, 80).best.trials == 1


def test_what_the_yaml_is_given_is_the_share_of_a_gpu_or_the_number_at_once() -> None:
    assert measured(100, 190, 350).resources == {"gpus_per_trial": 0.25}
    assert measured(100, 190, device="cpu").resources == {"concurrent": 2}


def test_of_packs_the_yaml_is_given_the_number_of_trials_in_one() -> None:
    assert replace(measured(100, 190, 350), in_one=True).resources == {"pack": 4}
