"""The benchmark of memory: what it reads of Linux's own account, and its tables."""

from pathlib import Path

from benchmarks import memory

SMAPS = """\
7f00-7f10 r--s 00000000 08:01 42   /data/a store/epochs.npy
Size:               4096 kB
Rss:                2048 kB
Pss:                1024 kB
Pss_Dirty:           512 kB
VmFlags: rd sh mr mw me ms
7f10-7f20 rw-p 00000000 00:00 0
Rss:                 100 kB
7f20-7f30 r--s 00400000 08:01 42   /data/a store/epochs.npy
Rss:                1024 kB
Pss:                 256 kB
7f30-7f40 r-xp 00000000 08:01 43   /lib/epochs.npy
Rss:                9999 kB
"""


def test_the_pages_of_a_file_are_those_of_all_its_mappings_and_of_no_other() -> None:
    found = memory.of_file(Path("/data/a store/epochs.npy"), SMAPS)
    assert found == {"pages": 3.0, "share": 1.25}
    assert memory.of_file(Path("/data/other.npy"), SMAPS) == {"pages": 0.0, "share": 0.0}


def test_every_trial_stands_in_the_tables() -> None:
    own = {"small": {"own": 250.4}, "large": {"own": 251.0}, "plain": {"own": 410.0}}
    shared = {"1": [{"pages": 29.0, "share": 29.0}], "2": [{"pages": 29.0, "share": 14.5}] * 2}
    epochs = {"small": 2500, "large": 25000}
    text = memory.markdown({"epochs": epochs, "trials": {"256": own}, "shared": shared})
    assert "| batch | ours, 2,500 epochs, MiB | ours, 25,000 epochs, MiB |" in text
    assert "| 256 | 250 | 251 | 410 |" in text
    assert "| 2 | 29 | 14 |" in text
