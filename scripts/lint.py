"""`make lint`: ruff, mypy, import contracts, licences; vue-tsc, ESLint and the web unit tests beside them."""

from preparation import python_environment, web
from preparation.steps import ROOT, main, run, side_by_side, step


def lint_python() -> None:
    tools = python_environment.PYTHON.parent
    with step("ruff"):
        run([tools / "ruff", "check", "."], "ruff found something.")
        run([tools / "ruff", "format", "--check", "."], "Some files are not in form; run `make format`.")
    with step("mypy"):
        run([tools / "mypy"], "mypy found something.")
    with step("import contracts"):
        run([tools / "python", ROOT / "scripts" / "contracts.py", "--check"], "The import contracts are stale.")
        run([tools / "lint-imports"], "An import breaks a contract.")
    with step("licences"):
        run([tools / "python", ROOT / "scripts" / "licences.py"], "A licence is not accepted.")


def lint_web() -> None:
    web.ensure_packages()
    with step("web checks"):
        web.npm_run("check", "The web checks found something.")


def work() -> None:
    side_by_side(lambda: python_environment.ensure(development=True), web.ensure_packages)
    side_by_side(lint_python, lint_web)


if __name__ == "__main__":
    main(work)
