"""Whole nights of three channels, calibrated on real ones: for trying things out, and for tests.

| module | what |
|---|---|
| ``layout`` | channels, bands, rate and epochs |
| ``hypnogram``, ``bouts`` | which stage, when and for how long |
| ``powers`` | the log band powers of each epoch |
| ``waveforms``, ``events`` | spindles, K-complexes, eye movements, and where they stand |
| ``spectrum`` | a signal with those powers and those waveforms |
| ``nuisances`` | what recording adds |
| ``nights`` | all of it put together |
| ``calibration``, ``comparison`` | from real nights to the numbers, and how well they fit |
"""
