"""The command line's root: which commands there are. Heavy imports stand inside them."""

from __future__ import annotations

import logging
import os
from typing import Annotated

import typer

from bench.cli.catalog import data, models, schema
from bench.cli.checks import claims, verify
from bench.cli.cluster import cluster, submit
from bench.cli.comparing import compare
from bench.cli.engine import engine, recheck
from bench.cli.gpu import gpu, kernels
from bench.cli.insight import architecture, insight
from bench.cli.pictures import figures, page
from bench.cli.reading import explain
from bench.cli.regress import regress
from bench.cli.studies import control, study
from bench.cli.suites import measure, report, run, status
from bench.cli.trials import race, search, simulate, trust
from bench.cli.weights import export, predict, weights
from bench.process import DEBUG

app = typer.Typer(
    name="python -m bench",
    help="Train, measure and compare MedSpectralNet, its ablations and its rivals on MedMNIST.\n\n"
    "A suite (a TOML file in suites/) names models, data sets, seeds and one protocol. "
    "Start with: python -m bench run quick; python -m bench measure quick; "
    "python -m bench report quick.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for _command in (
    run,
    submit,
    measure,
    report,
    figures,
    page,
    architecture,
    insight,
    status,
    compare,
    explain,
    weights,
    predict,
    export,
    models,
    data,
    race,
    search,
    trust,
    simulate,
    engine,
    cluster,
    recheck,
    gpu,
    kernels,
    claims,
    control,
    study,
    verify,
    regress,
    schema,
):
    app.command()(_command)


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    if debug:
        os.environ[DEBUG] = "1"
        logging.basicConfig(level=logging.DEBUG)
