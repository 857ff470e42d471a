from sleepsweep.seeds import numpy_generator, stream


def test_a_stream_depends_on_every_axis_and_not_on_their_order() -> None:
    base = stream("views", split=1, seed=2)
    assert base == stream("views", seed=2, split=1)
    others = [
        stream("batches", split=1, seed=2),
        stream("views", split=2, seed=1),
        stream("views", split=1, seed="2"),
        stream("views", split=1),
    ]
    assert len({base, *others}) == 5
    assert 0 <= base < 2**63


def test_a_stream_is_the_same_on_every_machine() -> None:
    assert stream("views", split=1, seed=2) == 1519677865068704308
    assert numpy_generator("views", split=1).integers(1000, size=3).tolist() == [402, 773, 79]
