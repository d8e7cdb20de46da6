"""An interpreter as ours, but that finds modules in a folder of the test's own first: no variable could tell it so."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path


def preferring(first: Path, folder: Path) -> str:
    """Make an environment in `folder` whose Python looks for modules in `first` and then beside ours."""
    real, python = Path(sys.executable).resolve(), folder / "bin" / "python"
    if python.exists():
        return str(python)
    python.parent.mkdir(parents=True)
    python.symlink_to(real)
    (folder / "pyvenv.cfg").write_text(f"home = {real.parent}\n")
    packages = folder / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    packages.mkdir(parents=True)
    beside_ours = sysconfig.get_path("purelib")
    (packages / "first.pth").write_text(
        f"import sys, site; sys.path.insert(0, {str(first)!r}); site.addsitedir({beside_ours!r})\n"
    )
    return str(python)
