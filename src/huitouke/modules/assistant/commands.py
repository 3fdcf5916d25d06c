"""Commands of the assistant: `huitouke eval FOLDER`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from huitouke.kernel.modules import Command, CommandError
from huitouke.kernel.settings import Settings
from huitouke.modules.assistant.retrieval.evaluate import EvaluationReport, UnreadableFolderError, evaluate
from huitouke.modules.assistant.retrieval.terms import CONTEXT_MESSAGES

_HEADER = ("", "recall@1", "recall@5", "MRR@10", "95 % right", "held out", "right there")
_WAYS = {"huitouke": "Huitouke", "words": "BM25 words", "bigrams": "BM25 bigrams"}


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    """What `huitouke eval` takes."""
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER", help="holds knowledge.jsonl, queries.jsonl")
    parser.add_argument(
        "--messages",
        type=int,
        default=CONTEXT_MESSAGES,
        help=f"how many messages before a question count at most ({CONTEXT_MESSAGES}, as in a conversation)",
    )


def _run(options: argparse.Namespace, settings: Settings) -> None:
    """Measures how well questions are answered from a knowledge, beside plain word search. Needs no database.

    Raises:
        CommandError: a folder can't be read.
    """
    for folder in options.folders:
        try:
            report = evaluate(folder, messages=max(0, options.messages), progress=_progress)
        except UnreadableFolderError as error:
            raise CommandError(str(error)) from error
        finally:
            _clear_progress()
        print("\n".join(table(report)), flush=True)


def table(report: EvaluationReport) -> list[str]:
    """The report as lines of text."""
    rows: list[tuple[str, ...]] = [_HEADER]
    for way, figures in report.ways.items():
        shares = (
            figures.recall_at_1,
            figures.recall_at_5,
            figures.mrr_at_10,
            figures.right_at_95,
            figures.held_out_answered,
            figures.held_out_right,
        )
        rows.append((_WAYS[way], *map(_share, shares)))
    missing = report.queries - report.with_answer
    return [
        f"{report.folder}: {report.entries:,} entries, {report.queries:,} queries, {missing:,} without an answer",
        *("  " + " ".join(cell.ljust(13) if not at else cell.rjust(11) for at, cell in enumerate(row)) for row in rows),
        f"  At its own threshold Huitouke answers {_share(report.answered)} of the queries,"
        f" {_share(report.right_of_answered)} of these answers are right;"
        f" of the queries without an answer it refuses {_share(report.refused_rightly)}.",
        "",
    ]


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done:,} of {of:,} queries")
        sys.stderr.flush()


def _clear_progress() -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
        sys.stderr.flush()


EVAL = Command(
    "eval", "measure how well questions are answered from a knowledge, on folders of your own", _add_arguments, _run
)
