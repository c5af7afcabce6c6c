"""llama.cpp needs OpenMP's runtime (libgomp), which a small Debian lacks and its package does not bring."""

import ctypes.util
import importlib.util
from pathlib import Path


def openmp_path(home: Path) -> dict[str, str]:
    """Say in the environment where libgomp is: nothing to say where the system has it.

    Otherwise the copy that CTranslate2's package carries serves, under the name that llama.cpp asks for.
    """
    if ctypes.util.find_library("gomp"):
        return {}
    bundled = _bundled()
    if bundled is None:
        return {}
    folder = home / "lib"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "libgomp.so.1"
    link.unlink(missing_ok=True)
    link.symlink_to(bundled)
    return {"LD_LIBRARY_PATH": str(folder)}


def _bundled() -> Path | None:
    spec = importlib.util.find_spec("ctranslate2")
    if spec is None or spec.origin is None:
        return None
    libraries = Path(spec.origin).parent.parent / "ctranslate2.libs"
    return next(iter(sorted(libraries.glob("libgomp*.so*"))), None)
