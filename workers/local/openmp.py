"""llama.cpp needs OpenMP's runtime (libgomp), which a small Debian lacks and its package does not bring."""

import ctypes.util
import importlib.util
from pathlib import Path


def openmp_path(home: Path) -> dict[str, str]:
    """Return the environment variables by which libgomp is found: none where the system has it, or none does.

    Otherwise the copy that CTranslate2's package carries serves, under the name that llama.cpp asks for.
    """
    spec = importlib.util.find_spec("ctranslate2")
    if ctypes.util.find_library("gomp") or spec is None or spec.origin is None:
        return {}
    bundled = sorted((Path(spec.origin).parent.parent / "ctranslate2.libs").glob("libgomp*.so*"))
    if not bundled:
        return {}
    folder = home / "lib"
    folder.mkdir(parents=True, exist_ok=True)
    link = folder / "libgomp.so.1"
    link.unlink(missing_ok=True)
    link.symlink_to(bundled[0])
    return {"LD_LIBRARY_PATH": str(folder)}
