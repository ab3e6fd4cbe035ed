"""What pyproject.toml cannot say: a wheel brings the notebooks and the documents that they link to."""

import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).parent))
from mesokit.commands import lab


class WithNotebooks(build_py):
    """Copy notebooks/ and the linked part of docs/ into the package that is built; a checkout is used as it is."""

    def run(self) -> None:
        """Copy the modules, then the notebooks."""
        super().run()
        for place, path in () if self.editable_mode else lab.course(Path("notebooks")):
            to = Path(self.build_lib, "mesokit", place)
            self.mkpath(str(to.parent))
            self.copy_file(str(path), str(to), preserve_mode=False)


setup(cmdclass={"build_py": WithNotebooks})
