"""What runs the service elsewhere: the image and the unit."""

import configparser
import shutil
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT


def test_the_dockerfile_is_sound() -> None:
    """A linter of Dockerfiles finds nothing, and the image does not run as root."""
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint is not None
    done = subprocess.run(
        [hadolint, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    text = (ROOT / "Dockerfile").read_text("utf-8")
    assert "USER 10001:10001" in text
    assert "HEALTHCHECK" in text


def test_the_unit_is_shut_in() -> None:
    """The unit runs as a user of its own, on a file system that it cannot write to."""
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(ROOT / "api" / "jobtitle.service", "utf-8")
    own = unit["Service"]
    assert own["ExecStart"].endswith("jobtitle serve")
    assert (own["DynamicUser"], own["ProtectSystem"]) == ("yes", "strict")
    assert own["NoNewPrivileges"] == "yes"
