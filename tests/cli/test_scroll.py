"""tests/cli/test_scroll.py: what `wetread scroll` prints, and its exit codes."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

Wetread = Callable[..., subprocess.CompletedProcess[str]]


def test_the_page_and_the_series_that_were_not_taken_are_told(
    here: Wetread, archive: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    done = here("scroll", archive, "-o", page, "--workers", "1")
    assert done.returncode == 0
    assert str(page) in done.stdout  # a long path stands on a line of its own
    assert page.stat().st_size > 0
    plain = done.stdout.replace("\n", " ")
    told = json.loads(here("scroll", archive, "-o", page, "--json").stdout)
    assert f"series {told['pages'][0]['series_uid']}: {told['pages'][0]['slices']} slices" in plain
    assert f"{len(told['others'])} other series; choose with --series UID, or --all" in plain
    assert all(other["series_uid"] in plain for other in told["others"][:5])


def test_a_refused_file_is_3_and_wrong_use_is_2_in_one_line(
    here: Wetread, archive: Path, tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    for words, said in (
        (["--series", "1.2.3.9"], "no series 1.2.3.9; there are: "),
        (["--window", "bright"], "no window 'bright'"),
        (["--mask", "m.npy"], "m.npy does not exist"),
        (["--max-mb", "0"], "--max-mb"),
    ):
        done = here("scroll", archive, "-o", page, *words)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
        assert said in done.stderr
    assert not page.exists()
    (archive / "empty.dcm").write_bytes(b"")
    done = here("scroll", archive, "-o", page)
    assert done.returncode == 3
    assert "1 file or series refused" in done.stdout
    assert page.exists()
