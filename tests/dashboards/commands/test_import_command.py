"""`sixkeys import` of several files at once."""

from pathlib import Path

from tests.support.command_line import run


def test_several_files_are_taken_one_after_the_other_each_after_its_kind(tmp_path: Path) -> None:
    (tmp_path / "sixkeys.yaml").write_text("organization: acme\n")
    (tmp_path / "components.csv").write_text("name\ncheckout\n")
    (tmp_path / "links.csv").write_text("incident_source,incident_id,reason\na,1,known\n")
    (tmp_path / "bad.csv").write_text("incident_source,incident_id,reason\na,1,\n")
    done = run(tmp_path, "import", "components", "components.csv", "links", "links.csv")
    told = [line.split(" from ")[0] for line in done.stderr.splitlines()]
    assert (done.returncode, told) == (0, ["1 components taken", "1 links taken"])
    done = run(tmp_path, "import", "components", "components.csv", "links", "bad.csv", "links", "links.csv")
    assert done.returncode == 1
    kept, refusal = done.stderr.splitlines()
    assert "(0 new, 0 replaced, 1 unchanged)" in kept
    assert "bad.csv" in refusal
    done = run(tmp_path, "import", "components", "components.csv", "links")
    assert done.returncode == 2
    assert '"links" has no file' in done.stderr
