"""A table of the report as Markdown and as LaTeX (booktabs), with every name escaped."""

from sleepsweep_analysis.report.section import Table

__all__ = ["latex", "latex_text", "markdown"]

MARKDOWN = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]<>|#~$"} | {"\n": " ", "\r": " "})

LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
        "%": r"\%", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
        "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}", '"': r"\symbol{34}",
        "−": "$-$", "±": r"$\pm$", "×": r"$\times$", "–": "--", "—": "---", "…": r"\dots{}",
        "“": "``", "”": "''", "‘": "`", "’": "'", "\u00a0": "~", "≤": r"$\leq$", "≥": r"$\geq$",
        "·": r"$\cdot$", "Δ": r"$\Delta$", "σ": r"$\sigma$", "ρ": r"$\rho$", "µ": r"$\mu$",
        "μ": r"$\mu$", "²": r"$^2$", "→": r"$\to$",
        "[": "{[}", "]": "{]}",  # after \\ a bracket would be read as a length
    }
)  # fmt: skip

UNSET = "ÐÞðþ"
"""Letters of Latin-1 that LaTeX's default encoding cannot set."""


def markdown(table: Table) -> str:
    """The table in Markdown (pipes), numbers to the right."""
    rule = [":--" if column.style == "text" else "--:" for column in table.columns]
    rows = [[column.title for column in table.columns], rule, *table.cells()]
    lines = [
        "| " + " | ".join(cell if row is rule else cell.translate(MARKDOWN) for cell in row) + " |"
        for row in rows
    ]
    note = f"\n{table.note.translate(MARKDOWN)}\n" if table.note else ""
    return f"**{table.title.translate(MARKDOWN)}**\n\n" + "\n".join(lines) + f"\n{note}"


def latex(table: Table) -> str:
    """A ``tabular`` for ``\\input``; the document needs ``\\usepackage{booktabs}``."""
    shape = "".join("r" if column.style == "n" else "l" for column in table.columns)
    head = " & ".join(latex_text(column.title) for column in table.columns)
    body = "".join(
        " & ".join(latex_text(cell) for cell in row) + " \\\\\n" for row in table.cells()
    )
    comment = f"{table.title}. {table.note}".replace("\n", " ").replace("\r", " ")
    return (
        f"% {comment.encode('ascii', 'replace').decode()}\n% Needs: \\usepackage{{booktabs}}\n"
        f"\\begin{{tabular}}{{{shape}}}\n\\toprule\n{head} \\\\\n\\midrule\n{body}"
        "\\bottomrule\n\\end{tabular}\n"
    )


def latex_text(text: str) -> str:
    """`text` with LaTeX's special characters escaped; a letter that it cannot set as its code."""
    return "".join(_settable(sign) for sign in text).translate(LATEX)


def _settable(sign: str) -> str:
    if sign.isspace() and sign != "\u00a0":
        return " "
    known = sign.isascii() and sign.isprintable()
    latin = "À" <= sign <= "ÿ" and sign not in UNSET and sign != "÷"
    return sign if known or latin or ord(sign) in LATEX else f"[U+{ord(sign):04X}]"
