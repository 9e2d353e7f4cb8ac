import os
import stat
import threading
from pathlib import Path

import pytest

from bayplan import SourceError
from bayplan._cli.files import whole_file


def write(target: Path, text: str) -> None:
    with whole_file(str(target)) as path:
        Path(path).write_text(text)


def test_puts_the_file_in_place_at_the_end(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with whole_file(str(target)) as path:
        Path(path).write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert os.listdir(tmp_path) == ["out"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_leaves_the_old_file_when_the_block_fails(
    tmp_path: Path, failure: type[BaseException]
) -> None:
    target = tmp_path / "out"
    target.write_text("old")
    with pytest.raises(failure), whole_file(str(target)) as path:  # noqa: PT012
        Path(path).write_text("half")
        raise failure
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["out"]


def test_keeps_the_mode_of_a_file_that_was_there(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_text("old")
    target.chmod(0o640)
    write(target, "new")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_file_has_the_mode_that_open_would_give(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    write(tmp_path / "out", "new")
    assert (tmp_path / "out").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_writes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"


def test_writes_into_a_pipe_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    write(pipe, "through")
    reader.join()
    assert got == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.parametrize("target", [".", "missing/out"])
def test_names_the_file_that_cannot_be_made(tmp_path: Path, target: str) -> None:
    with pytest.raises(SourceError) as caught:
        write(tmp_path / target, "x")
    assert caught.value.path == str(tmp_path / target)
    assert caught.value.errno


def test_an_error_of_the_block_is_not_taken_for_the_files(tmp_path: Path) -> None:
    with pytest.raises(BrokenPipeError), whole_file(str(tmp_path / "out")):
        raise BrokenPipeError
