"""EDF, EDF+ and BDF recordings with hypnograms, and the data sets that are described by them.

| module | what |
|---|---|
| ``header``, ``signals`` | a file's signals, of the derivations that are wanted |
| ``hypnogram``, ``hypnogram_files`` | stages on the grid of epochs, from annotations or tables |
| ``description``, ``described`` | a folder of recordings, as a small YAML file describes it |
| ``sleep_edf``, ``fetch`` | the Sleep-EDF database: its description, and downloading it |
| ``writing`` | recordings and hypnograms as files |
"""
