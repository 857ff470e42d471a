"""What all simulated nights have in common: channels, bands, rate and epochs."""

CHANNELS = ("Fpz-Cz", "Pz-Oz", "horizontal")
BANDS = ("delta", "theta", "alpha", "sigma", "beta")
EDGES_HZ = (0.5, 4.0, 8.0, 12.0, 16.0, 30.0)  # between which the bands lie
SFREQ = 100
EPOCH_S = 30
SAMPLES = EPOCH_S * SFREQ  # of an epoch
