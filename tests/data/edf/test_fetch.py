"""Fetching Sleep-EDF: MNE's own fetchers against a server on this machine."""

import hashlib
import socket
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pandas as pd
import pytest
from mne.datasets.sleep_physionet import _utils, age, temazepam

from sleepsweep.data.edf.fetch import SUBJECTS, Study, fetch_sleep_edf, parse_subjects
from sleepsweep.errors import UserError


class Server(ThreadingHTTPServer):
    """Serves a folder, and keeps what was asked for."""

    def __init__(self, folder: Path) -> None:
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/"


class Handler(SimpleHTTPRequestHandler):
    server: Server

    def log_message(self, *arguments: object) -> None:
        self.server.asked.append(self.path.lstrip("/"))


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Small files under the genuine names, and MNE told of their hashes."""
    folder = tmp_path / "server"
    folder.mkdir()

    def hashed(name: str) -> str:
        (folder / name).write_bytes(name.encode() * 100)
        return hashlib.sha1((folder / name).read_bytes()).hexdigest()

    cassette = pd.read_csv(age.AGE_SLEEP_RECORDS)
    cassette = cassette[cassette["subject"].isin([0, 13, 36])]
    cassette["sha"] = cassette["fname"].map(hashed)
    cassette.to_csv(tmp_path / "age.csv", index=False)
    monkeypatch.setattr(age, "AGE_SLEEP_RECORDS", str(tmp_path / "age.csv"))
    telemetry = pd.read_csv(temazepam.TEMAZEPAM_SLEEP_RECORDS)
    telemetry = telemetry[telemetry["subject"] == 0]
    for kind in ("PSG", "Hypnogram"):
        telemetry[f"sha_{kind}"] = telemetry[f"fname_{kind}"].map(hashed)
    telemetry.to_csv(tmp_path / "temazepam.csv", index=False)
    monkeypatch.setattr(temazepam, "TEMAZEPAM_SLEEP_RECORDS", str(tmp_path / "temazepam.csv"))
    running = Server(folder)
    Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
    yield running
    running.shutdown()
    running.server_close()


def names(paths: list[Path]) -> list[str]:
    assert all(path.is_file() for path in paths)
    return [path.name for path in paths]


def test_files_arrive_once(
    server: Server, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    told: list[tuple[int, int, str]] = []
    fetched = fetch_sleep_edf(
        [0], tmp_path / "out", base_url=server.url, progress=lambda *what: told.append(what)
    )
    assert names(fetched) == [
        "SC4001E0-PSG.edf", "SC4001EC-Hypnogram.edf", "SC4002E0-PSG.edf", "SC4002EC-Hypnogram.edf",
    ]  # fmt: skip
    assert all((tmp_path / "out") in path.parents for path in fetched)
    assert fetched[0].read_bytes() == b"SC4001E0-PSG.edf" * 100
    assert told == [(0, 2, "subject 0, night 1"), (1, 2, "subject 0, night 2"), (2, 2, "done")]
    assert sorted(server.asked) == sorted(names(fetched))
    assert fetch_sleep_edf([0], tmp_path / "out", base_url=server.url) == fetched
    assert len(server.asked) == 4
    assert capfd.readouterr() == ("", "")


def test_only_the_nights_that_there_are(server: Server, tmp_path: Path) -> None:
    fetched = names(fetch_sleep_edf([36, 13], tmp_path, base_url=server.url))
    assert [name[:6] for name in fetched] == ["SC4131", "SC4131", "SC4362", "SC4362"]
    fetched = names(fetch_sleep_edf([0], tmp_path, nights=[2], base_url=server.url))
    assert [name[:6] for name in fetched] == ["SC4002", "SC4002"]
    with pytest.raises(UserError, match=r"subjects \[13\] have no night of \[2\]"):
        fetch_sleep_edf([13], tmp_path, nights=[2], base_url=server.url)


def test_telemetry(server: Server, tmp_path: Path) -> None:
    fetched = names(fetch_sleep_edf([0], tmp_path, study="telemetry", base_url=server.url))
    assert fetched == ["ST7011J0-PSG.edf", "ST7011JP-Hypnogram.edf"]


def test_a_damaged_download_is_refused_and_not_kept(server: Server, tmp_path: Path) -> None:
    good = tmp_path / "server" / "SC4001EC-Hypnogram.edf"
    contents = good.read_bytes()
    good.write_bytes(contents[:-1])
    with pytest.raises(UserError, match=r"Subject 0, night 1: the download is damaged.*again"):
        fetch_sleep_edf([0], tmp_path / "out", base_url=server.url)
    kept = [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert kept == ["SC4001E0-PSG.edf"]
    good.write_bytes(contents)
    fetch_sleep_edf([0], tmp_path / "out", nights=[1], base_url=server.url)
    assert server.asked.count("SC4001E0-PSG.edf") == 1


@pytest.mark.parametrize("study", ["cassette", "telemetry"])
def test_a_file_that_is_there_is_checked_too(server: Server, tmp_path: Path, study: Study) -> None:
    fetched = fetch_sleep_edf([0], tmp_path / "out", study=study, base_url=server.url)
    fetched[1].write_bytes(b"something else")
    with pytest.raises(UserError, match=rf"{fetched[1].name}: is not the file that PhysioNet"):
        fetch_sleep_edf([0], tmp_path / "out", study=study, base_url=server.url)
    assert fetched[1].read_bytes() == b"something else"


def test_a_server_that_lacks_a_file(server: Server, tmp_path: Path) -> None:
    (tmp_path / "server" / "SC4001E0-PSG.edf").unlink()
    with pytest.raises(UserError, match=r"cannot be fetched .*404.*by other means"):
        fetch_sleep_edf([0], tmp_path / "out", base_url=server.url)


def test_an_unreachable_server(tmp_path: Path) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody answers here
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(UserError, match=r"cannot be fetched .*Check the connection.*import"):
            fetch_sleep_edf([0], tmp_path / "out", base_url=url)


@pytest.mark.parametrize("mirror", ["physionet.org/files", "", "ftp://physionet.org", "https://"])
def test_a_mirror_that_is_no_address(tmp_path: Path, mirror: str) -> None:
    with pytest.raises(UserError, match=f"--mirror {mirror}: is no web address.*https://"):
        fetch_sleep_edf([0], tmp_path / "out", base_url=mirror)


def test_a_mirror_whose_address_cannot_be_one(tmp_path: Path) -> None:
    # An error of requests that is a ValueError besides.
    with pytest.raises(UserError, match=r"cannot be fetched .*Check the connection"):
        fetch_sleep_edf([0], tmp_path / "out", base_url="http://*.example.invalid")


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    with pytest.raises(UserError, match="cannot be fetched into"):
        fetch_sleep_edf([0], tmp_path / "out", base_url="http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("text", "subjects"),
    [("0-3,22", [0, 1, 2, 3, 22]), ("5, 3-4", [3, 4, 5]), ("66-71", [66, 67, 70, 71])],
)
def test_parse_subjects(text: str, subjects: list[int]) -> None:
    assert parse_subjects(text) == subjects


def test_everybody() -> None:
    assert len(parse_subjects("all")) == 78
    assert parse_subjects("all", "telemetry") == list(range(22))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "39",
            "no subject 39 in Sleep-EDF cassette; subjects are 0-82, but for 39, 68, 69, 78, 79",
        ),
        ("0-90", "no subject 0-90"),
        ("9-3", "no subject 9-3"),
        ("", "no number or range, such as 0-19,22"),
        ("1-", "'1-' is no number or range"),
        ("a", "'a' is no number or range"),
    ],
)
def test_subjects_that_cannot_be_read(text: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse_subjects(text)


def test_unknown_subjects(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no subject 39, 78 in Sleep-EDF cassette"):
        fetch_sleep_edf([0, 39, 78], tmp_path)
    with pytest.raises(UserError, match=r"no subject 22 in Sleep-EDF telemetry; .* 0-21\."):
        fetch_sleep_edf([22], tmp_path, study="telemetry")


def test_subjects_and_nights_are_mnes() -> None:
    cassette = pd.read_csv(_utils.AGE_SLEEP_RECORDS)
    assert sorted(cassette["subject"].unique()) == SUBJECTS["cassette"]
    telemetry = pd.read_csv(_utils.TEMAZEPAM_SLEEP_RECORDS)
    assert sorted(telemetry["subject"].unique()) == SUBJECTS["telemetry"]
