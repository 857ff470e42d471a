"""Whole simulated nights: a hypnogram, its band powers, waveforms, and what recording adds."""

import numpy as np

from sleepsweep.data.recording import Recording
from sleepsweep.data.simulation import calibration as calibrated
from sleepsweep.data.simulation.calibration import Calibration
from sleepsweep.data.simulation.events import draw_events
from sleepsweep.data.simulation.layout import BANDS, CHANNELS, SAMPLES, SFREQ
from sleepsweep.data.simulation.nuisances import disturbed
from sleepsweep.data.simulation.spectrum import synthesise
from sleepsweep.seeds import numpy_generator

# The calibration's recordings were z-scored, so the absolute scale is not an estimate but an
# ordinary choice: the sd of a night's signal, in µV, and of the logarithm of people's gains.
SD_UV = (25.0, 16.0, 35.0)
PERSON_GAIN_SD = 0.3


def simulate(
    seed: int, subject: int, night: int, channels: tuple[str, ...] = CHANNELS,
    calibration: Calibration | None = None,
) -> Recording:  # fmt: skip
    """Simulate one night at 100 Hz in µV, of subject ``SIM000`` for 0, ``SIM001`` for 1, ….

    Draws depend on the axes seed and subject (who it is), on the night, and on the channel: a
    channel is the same whichever others are asked for. Without a `calibration` the committed one
    is used.
    """
    model = calibration or calibrated.committed()
    axes = {"seed": seed, "subject": subject}
    who = numpy_generator("simulated person", **axes)
    person, offsets = model.hypnogram.person(who), model.powers.draw_person(who)
    gain = np.exp(who.normal(0.0, PERSON_GAIN_SD))
    generator = numpy_generator("simulated night", **axes, night=night)
    stages = model.hypnogram.draw(person, generator)
    powers = np.exp(model.powers.draw(stages, offsets, generator))
    waves = draw_events(stages, seed, subject, night)
    signals = []
    for channel in channels:
        place = CHANNELS.index(channel)
        own = powers[:, place * len(BANDS) : (place + 1) * len(BANDS)] * (SD_UV[place] * gain) ** 2
        noise = numpy_generator("simulated channel", **axes, night=night, channel=channel)
        signals.append(disturbed(synthesise(own, waves[place], noise), noise))
    epochs = np.stack(signals).reshape(len(channels), len(stages), SAMPLES)
    return Recording(
        subject=f"SIM{subject:03d}",
        night=night,
        epochs=np.ascontiguousarray(epochs.transpose(1, 0, 2)),
        stages=stages,
        positions=np.arange(len(stages), dtype=np.int32),
        sfreq=float(SFREQ),
        channels=channels,
        unit="uV",
        source=f"simulated subject {subject}, night {night}, seed {seed}",
    )
