"""Write the LaTeX of formulas as people write them: fractions, roots, signs."""

# ruff: noqa: RUF001 - the signs of mathematics are meant as they are

import re

_SIGNS = {
    "times": "×",
    "cdot": "·",
    "div": "÷",
    "pm": "±",
    "infty": "∞",
    "degree": "°",
    "circ": "°",
    "leq": "≤",
    "le": "≤",
    "geq": "≥",
    "ge": "≥",
    "neq": "≠",
    "ne": "≠",
    "approx": "≈",
    "lt": "<",
    "gt": ">",
    "rightarrow": "→",
    "to": "→",
    "Rightarrow": "→",
    "implies": "→",
    "ldots": "…",
    "dots": "…",
    "cdots": "…",
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "theta": "θ",
    "lambda": "λ",
    "mu": "μ",
    "pi": "π",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "phi": "φ",
    "omega": "ω",
    "Delta": "Δ",
    "Omega": "Ω",
    "left": "",
    "right": "",
    "quad": " ",
    "qquad": " ",
    "displaystyle": "",
    "boxed": "",
}
_FRACTION = re.compile(r"\\[dt]?frac ?\{([^{}]{1,80})\} ?\{([^{}]{1,80})\}")
_ROOT = re.compile(r"\\sqrt ?\{([^{}]{1,80})\}")
_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mathbf|mathit|operatorname|boxed) ?\{([^{}]{1,200})\}")
_SIGN = re.compile(r"(?<!:)\\(" + "|".join(sorted(_SIGNS, key=len, reverse=True)) + r")(?![A-Za-z])")
_INDEX = re.compile(r"_\{(\w{1,20})\}")
_SPACE = re.compile(r"\\[,;:!](?=[ \d\w\\])")
_DISPLAYED = re.compile(r"\$\$|\\[\[\]]")
_INLINE = re.compile(r"(?<![\w$\\])\$(?=[^\s$])([^$\n]{0,200}[^\s$\\])\$(?![\w$])")
_IS_FORMULA = re.compile(r"[*\\^_=×·÷±≤≥≠≈√π<>]|\A[A-Za-z]\Z")


def without_latex(markdown: str) -> str:
    """Replace commands by signs, and take off the marks around formulas; other text stays."""
    if "\\" not in markdown and "$" not in markdown:
        return markdown
    text = _TEXT.sub(r"\1", markdown)
    text = _FRACTION.sub(_fraction, _FRACTION.sub(_fraction, _ROOT.sub(_root, text)))
    text = _INDEX.sub(r"_\1", text)
    text = _SPACE.sub(" ", _SIGN.sub(lambda match: _SIGNS[match[1]], text))
    text = _INLINE.sub(lambda match: match[1] if _IS_FORMULA.search(match[1]) else match[0], text)
    return _DISPLAYED.sub(" ", text)


def _fraction(match: re.Match[str]) -> str:
    above, below = (part.strip() for part in match.groups())
    if above.isdigit() and below.isdigit():
        return f"{above}/{below}"
    return f"{_bracketed(above)} ÷ {_bracketed(below)}"


def _root(match: re.Match[str]) -> str:
    return f"√{_bracketed(match[1].strip())}"


def _bracketed(part: str) -> str:
    return part if part.isalnum() else f"({part})"
