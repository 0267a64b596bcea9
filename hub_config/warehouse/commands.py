"""`p4dp-enclave warehouse …`: make, load, check and list snapshots.

Exit codes: 0 done; 1 a check found a snapshot that can't be used; 2 the command was refused or failed, and
kept nothing.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from rich.console import Console
from rich.table import Table

from hub_config.settings import Settings, load_settings
from hub_config.warehouse.engines.commands import publish, unpublish
from hub_config.warehouse.linkage.commands import link_snds
from hub_config.warehouse.progress import progress
from hub_config.warehouse.snapshot_commands import compare, purge

if TYPE_CHECKING:
    from hub_config.warehouse.derived import Observing
    from hub_config.warehouse.loader.load import LandedFiles
    from hub_config.warehouse.loader.mapping import VendorMapping
    from hub_config.warehouse.quality.console import Asked, By
    from hub_config.warehouse.sealing.landed import Sealed
    from hub_config.warehouse.snapshot import Snapshot

SAMPLED: Final = ("cabineo", "meditrame", "meditrame-json", "omop-cdm-v5.4")


@click.group()
def warehouse() -> None:
    """Make, load, check and list snapshots."""


@warehouse.command()
@click.option(
    "--preset",
    type=click.Choice(["A", "B", "C", "D"]),
    required=True,
    help="Which published figures it reproduces; D is the national target (minutes, gigabytes).",
)
@click.option(
    "--scale",
    type=click.FloatRange(min=0, min_open=True),
    default=1.0,
    show_default=True,
    help="Share of the preset's size.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="Equal seeds give equal snapshots.")
def synthesise(preset: str, scale: float, seed: int) -> None:
    """Make a synthetic snapshot, without who objected to its source's. Killed half-way, it leaves none."""
    from functools import partial

    from hub_config.governance.objections.leaving_out import objectors_on_record
    from hub_config.warehouse.synthesis import Preset, PresetUnavailable
    from hub_config.warehouse.synthesis import synthesise as make

    settings = load_settings()
    without = partial(objectors_on_record, settings)
    try:
        with progress(f"Preset {preset}") as report:
            snapshot = make(
                settings.warehouse_dir,
                preset=Preset(preset),
                scale=scale,
                seed=seed,
                objectors=without,
                report=report,
            )
    except PresetUnavailable as unavailable:
        raise click.UsageError(str(unavailable)) from None
    _say_made(snapshot)


@warehouse.command()
@click.option(
    "--mapping",
    "mapping_name",
    required=True,
    metavar="FILE",
    help="A TOML mapping, or the name of a shipped one (nafld).",
)
@click.option(
    "--land-only", is_flag=True, help="Freeze no snapshot: `warehouse snapshot` does when all is landed."
)
@click.option("--afresh", is_flag=True, help="Forget what was landed of this source: DIR holds all of it.")
@click.option("--keep", is_flag=True, help="The mapping changed, but gives no landed row another value.")
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR")
def load(mapping_name: str, directory: Path, land_only: bool, afresh: bool, keep: bool) -> None:
    """Land a vendor's files from DIR, and freeze a snapshot if that changed anything. Killed half-way, it
    goes on where it was. Bad rows are set aside and listed; they stop a load only where they are most of a
    file."""
    from hub_config.governance.objections.leaving_out import objectors_on_record
    from hub_config.isolation import workspaces_have_own_uid
    from hub_config.warehouse.loader.load import History, Places, land
    from hub_config.warehouse.loader.load import load as load_files
    from hub_config.warehouse.manifest import REGISTERED

    if afresh and keep:
        raise click.UsageError("Give either --afresh or --keep.")
    settings = load_settings()
    origin, mapping = _mapping(mapping_name)
    places = Places(directory, settings.warehouse_dir, settings.keys_dir, settings.codes_dir)
    history = History.AFRESH if afresh else History.KEEP if keep else History.REFUSE
    own_uids = workspaces_have_own_uid(settings.home)
    with progress(f"Mapping {mapping.source.name}") as report:
        if land_only:
            landed = land(origin, mapping, places, own_uids=own_uids, history=history, report=report)
        else:
            objectors = objectors_on_record(settings, REGISTERED)
            loaded = load_files(
                *(origin, mapping, places),
                own_uids=own_uids,
                history=history,
                objectors=objectors,
                observing=_observing(settings),
                report=report,
            )
            landed = loaded.landed
    _say_landed(landed)
    _say_sealed(_sealed(settings, mapping, directory))
    if not land_only:
        _say_made(loaded.snapshot) if loaded.fresh else _say_still(loaded.snapshot)
    _say_rejected(landed, None if land_only else loaded.snapshot)


@warehouse.command()
@click.argument("vendor", type=click.Choice(SAMPLED), metavar="VENDOR")
@click.option(
    "--to",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    metavar="DIR",
    help="Where to; empty, or not there yet.",
)
@click.option("--patients", type=click.IntRange(1, 100_000), default=300, show_default=True)
def sample(vendor: str, directory: Path, patients: int) -> None:
    """Write an export of invented patients to try `load` with, and the mapping that loads it.

    VENDOR is cabineo (CSV), meditrame (XML), meditrame-json or omop-cdm-v5.4.
    """
    import shlex

    from hub_config.warehouse.samples.writing import write_sample

    written = write_sample(vendor, directory, patients)
    size = sum(path.stat().st_size for path in written.files)
    click.echo(
        f"{patients:,} invented patients: {len(written.files)} files, {size / 1e6:.1f} MB in {directory}."
    )
    where = shlex.join(["--mapping", str(written.mapping), str(directory)])
    click.echo(f"Load them: p4dp-enclave warehouse load {where}")


@warehouse.group(invoke_without_command=True)
@click.option("--population", metavar="NAME", help="Which; not needed where there is only one.")
@click.option("--force", is_flag=True, help="Even where nothing is new: after a change of settings, say.")
@click.pass_context
def snapshot(context: click.Context, population: str | None, *, force: bool) -> None:
    """Freeze a new snapshot of all that is landed of one population, if there is anything new since the last
    (rows, a linkage, an objection); compare two, or purge old ones."""
    if context.invoked_subcommand is not None:
        return
    from hub_config.governance.objections.leaving_out import objectors_on_record
    from hub_config.warehouse.loader.load import Places, freeze_landed
    from hub_config.warehouse.manifest import REGISTERED

    settings = load_settings()
    places = Places(settings.home, settings.warehouse_dir, settings.keys_dir, settings.codes_dir)
    objectors = objectors_on_record(settings, REGISTERED)
    with progress("Snapshot") as report:
        frozen = freeze_landed(
            *(places, population),
            objectors=objectors,
            observing=_observing(settings),
            report=report,
            force=force,
        )
    if frozen.fresh:
        _say_made(frozen.snapshot)
    else:
        click.echo(f"Nothing new since snapshot {frozen.snapshot.number}. `--force` freezes it again.")


@warehouse.command(name="list")
@click.pass_context
def list_(context: click.Context) -> None:
    """List the snapshots, usable or not."""
    from hub_config.warehouse.snapshot import snapshot_numbers

    settings = load_settings()
    numbers = snapshot_numbers(settings.warehouse_dir)
    if not numbers:
        click.echo("No snapshot yet. Make one: p4dp-enclave warehouse synthesise --preset A")
        return
    table = Table("snapshot", "source", "kind", "made", "patients", "GPs", "rows", box=None, pad_edge=False)
    for number in numbers:
        table.add_row(*_line(settings, number))
    Console().print(table)


@warehouse.command()
@click.argument("number", type=int, required=False, metavar="[N]")
@click.option(
    "--report",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Write the quality as a page with figures into DIR/N.",
)
@click.option(
    "--moved",
    type=click.FloatRange(0, 100),
    default=5.0,
    show_default=True,
    metavar="POINTS",
    help="Tell what moved since the last snapshot by more than POINTS of 100 (rules: a tenth of it).",
)
@click.option(
    "--by",
    type=click.Choice(["centre", "month"]),
    multiple=True,
    help="Print each table by centre or month, too. Give it twice for both.",
)
@click.pass_context
def check(
    context: click.Context, number: int | None, report: Path | None, moved: float, by: tuple[By, ...]
) -> None:
    """Check hashes and row counts of snapshot N, or of all, then show its quality. Reads every byte.

    Quality: how far columns are filled, which rules fired where, and what moved since the last snapshot of
    the same population.
    """
    from hub_config.warehouse.quality.compare import Tolerance
    from hub_config.warehouse.quality.console import Asked
    from hub_config.warehouse.snapshot import snapshot_numbers

    directory = load_settings().warehouse_dir
    numbers = snapshot_numbers(directory) if number is None else [number]
    if not numbers:
        click.echo("No snapshot to check.")
    unsound = [each for each in numbers if not _is_sound(directory, each)]
    for each in numbers:
        if each not in unsound:
            _show_quality(directory, each, Asked(Tolerance.of_points(moved), by, report))
    context.exit(1 if unsound else 0)


def _sealed(settings: Settings, mapping: VendorMapping, directory: Path) -> Sealed:
    """Seal what practices call their patients, for those that have a key: the enclave keeps it in no other
    form."""
    from hub_config.codelists.in_force import site_catalogue
    from hub_config.governance.recontact.on_record import sealing_keys
    from hub_config.warehouse.landing import Landing
    from hub_config.warehouse.manifest import REGISTERED
    from hub_config.warehouse.pseudonyms import Pseudonyms
    from hub_config.warehouse.sealing.landed import seal_landed

    landing = Landing.of(settings.home / "landing", mapping.source.name)
    keys, pseudonyms = sealing_keys(settings, REGISTERED), Pseudonyms.open(settings.keys_dir)
    return seal_landed(mapping, directory, landing, pseudonyms, keys, site_catalogue(settings.codes_dir))


def _observing(settings: Settings) -> Observing:
    """How the site tells silence and absence."""
    from hub_config.warehouse.derived import Observing

    said = settings.warehouse
    return Observing(share=said.silence_share, least=said.silence_least, grace=said.inactive_days)


def _show_quality(directory: Path, number: int, asked: Asked) -> None:
    from hub_config.warehouse.activity import sentence
    from hub_config.warehouse.quality.console import show_quality
    from hub_config.warehouse.snapshot import open_snapshot

    snapshot = open_snapshot(directory, number)
    show_quality(snapshot, directory, asked, Console())
    if said := sentence(snapshot):
        click.echo(said)


def _is_sound(directory: Path, number: int) -> bool:
    from hub_config.warehouse.privacy.scan import Identifying, require_clean
    from hub_config.warehouse.snapshot import SnapshotProblem, check_snapshot, open_snapshot

    try:
        with progress(f"Snapshot {number}") as report:
            opened = open_snapshot(directory, number)
            check_snapshot(opened, report)
            require_clean(opened)
    except (SnapshotProblem, Identifying) as problem:
        click.echo(str(problem), err=True)
        return False
    click.echo(f"Snapshot {number} is as it was built.")
    return True


def _mapping(name: str) -> tuple[str, VendorMapping]:
    from hub_config.warehouse.loader.mapping import read_mapping

    if Path(name).exists():
        return name, read_mapping(Path(name))
    if name not in _shipped():
        raise click.UsageError(f"No mapping file {name}. Shipped mappings: {', '.join(_shipped())}.")
    with as_file(files("hub_config.warehouse") / "mappings" / f"{name}.toml") as path:
        return path.name, read_mapping(path)


def _shipped() -> list[str]:
    mappings = (files("hub_config.warehouse") / "mappings").iterdir()
    return sorted(path.name.removesuffix(".toml") for path in mappings if path.name.endswith(".toml"))


def _line(settings: Settings, number: int) -> tuple[str, ...]:
    from hub_config.warehouse.snapshot import SnapshotProblem, open_snapshot

    try:
        manifest = open_snapshot(settings.warehouse_dir, number).manifest
    except SnapshotProblem as problem:
        return (str(number), f"[red]{problem.kind}[/]: see `warehouse check {number}`", "", "", "", "", "")
    kind = "synthetic" if manifest.synthetic else "public" if manifest.public else "real"
    rows = sum(manifest.rows.values())
    counts = (f"{count:,}" for count in (manifest.patients, manifest.physicians, rows))
    return (str(number), manifest.source, kind, manifest.created_at[:10], *counts)


def _say_made(snapshot: Snapshot) -> None:
    manifest = snapshot.manifest
    click.echo(
        f"Snapshot {manifest.number} ({manifest.source}): "
        f"{manifest.patients:,} patients, {manifest.physicians:,} GPs."
    )
    for name, rows in manifest.rows.items():
        if rows:
            click.echo(f"  {name:<22}{rows:>12,}")
    for code, members in manifest.merged.items():
        together = f"are one, {code}" if code else "stand in no centre"
        click.echo(f"Too few active GPs: {', '.join(members)} {together}.")


def _say_landed(landed: LandedFiles) -> None:
    if landed.load is None:
        click.echo("Nothing new: every file was landed before.")
        click.echo("What an objection took out comes back, once it is lifted, by --afresh with all files.")
        return
    click.echo(f"Load {landed.load}: {landed.work}/report.html")
    for table, change in landed.changes.items():
        if change.any:
            gone = f"{change.removed:>12,} removed (two persons claim them)" if change.removed else ""
            moved = f"{change.moved:>12,} moved (to another person)" if change.moved else ""
            click.echo(f"  {table:<22}{change.added:>12,} added{change.updated:>12,} updated{moved}{gone}")
        if change.older:
            click.echo(f"  {table:<22}{change.older:>12,} older than what is landed: passed over")


def _say_sealed(sealed: Sealed) -> None:
    if sealed.fresh:
        click.echo(f"Sealed {sealed.fresh:,} identifiers for the practices that have a key.")
    if sealed.too_long:
        click.echo(f"{sealed.too_long:,} identifiers are too long to be sealed: never listed for re-contact.")


def _say_still(snapshot: Snapshot) -> None:
    click.echo(f"Snapshot {snapshot.number} holds all that is landed: no new one was made.")


def _say_rejected(landed: LandedFiles, snapshot: Snapshot | None) -> None:
    from hub_config.warehouse.loader.report import LISTING
    from hub_config.warehouse.loader.rules import MEANING

    if not landed.rejected:
        click.echo("No row was set aside.")
        return
    click.echo("Rows set aside, by rule:")
    for rule, count in landed.rejected.items():
        click.echo(f"  {rule:<24}{count:>10,}  {MEANING[rule]}")
    where = landed.work or (snapshot.directory if snapshot else None)
    if where:
        click.echo(f"Each with file and line: {where / LISTING}")


snapshot.add_command(compare)
snapshot.add_command(purge)
warehouse.add_command(link_snds)
warehouse.add_command(publish)
warehouse.add_command(unpublish)
