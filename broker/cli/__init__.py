"""The command ``swb``: one module of this package per verb, loaded when it is called."""

from __future__ import annotations

import importlib
import importlib.util
import os
import pkgutil
import sys
from pathlib import Path

import click

from broker import __version__, paths
from broker.harmless import protect_terminal
from broker.model.errors import Misconfigured

_DRAWN = {"demo"}
"""Verbs that draw on the terminal, and show nothing of others."""


class Verbs(click.Group):
    """A group whose commands are the modules beside this one; each has its command as ``command``."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_"))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{cmd_name}").command
        _take_root(command)
        if cmd_name not in _DRAWN:
            protect_terminal()
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the verb; 2 when its reader has seen enough, which click would call 1: something was refused."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 2

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The verbs with the first line of each module's docstring, none of them loaded."""
        with formatter.section("Verbs"):
            formatter.write_dl([(name, _summary(name)) for name in self.list_commands(ctx)])


def _take_root(command: click.Command) -> None:
    """Let a verb, or each that it consists of, take ``--root``: the data folder for what it does."""
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _take_root(inner)
    elif not any(parameter.name == "root" for parameter in command.params):
        command.params.append(
            click.Option(
                ["--root"],
                type=click.Path(exists=True, file_okay=False, path_type=Path),
                expose_value=False,
                is_eager=True,
                callback=_choose_root,
                help=f"The data folder (mappings and xsd) instead of the package's own; or {paths.ROOT}.",
            )
        )


def _choose_root(context: click.Context, _parameter: click.Parameter, folder: Path | None) -> None:
    """The data folder of this process and those it starts, as long as the verb runs."""
    if folder is None:
        return
    try:
        chosen = str(paths.whole(folder.absolute()))
    except Misconfigured as error:
        raise click.BadParameter(str(error), param_hint="--root") from None
    before = os.environ.get(paths.ROOT)
    os.environ[paths.ROOT] = chosen
    context.call_on_close(lambda: _restore(before))


def _restore(before: str | None) -> None:
    if before is None:
        os.environ.pop(paths.ROOT, None)
    else:
        os.environ[paths.ROOT] = before


def _summary(name: str) -> str:
    """The first line of a verb's module, read without importing what the verb needs."""
    spec = importlib.util.find_spec(f"{__name__}.{name}")
    if spec is None or spec.origin is None:
        return ""
    with Path(spec.origin).open(encoding="utf-8") as source:
        return source.readline().strip().strip('"')


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="swb")
def command() -> None:
    """Documents of trade in, WCO payloads out to single windows, every answer brought home."""


def main() -> None:
    """Run ``swb``: exit 0 well, 1 something was refused, 2 it could not run; no traceback for people."""
    try:
        sys.exit(command.main(standalone_mode=False) or 0)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
    except Exception as error:
        if os.environ.get("SWB_DEBUG"):
            raise
        click.echo(f"Error: {_sentence(error)}", err=True)
    sys.exit(2)


def _sentence(error: Exception) -> str:
    """What went wrong, in a sentence: its own, or one that says the fault is ours."""
    from broker.embedded.jars import Unavailable  # noqa: PLC0415
    from broker.model.errors import Failed  # noqa: PLC0415 - looked up only when something went wrong

    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    if isinstance(error, Failed | Misconfigured | Unavailable | OSError):
        return str(error)
    return f"{type(error).__name__}: {error}. This is a fault of the program; SWB_DEBUG=1 shows where."
