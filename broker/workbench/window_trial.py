"""Every window tried on its own samples: each is named by the rule that takes it, or by the rule that it breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from broker.model.documents import Message
from broker.model.errors import Misconfigured, Refused
from broker.model.ids import NO_MESSAGE_ID
from broker.windows import decide
from broker.workbench import preview
from broker.workbench.samples import FOLDER, read_sample, sample_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from broker.answers.way_back import WayBack
    from broker.model.outcomes import Catalogue
    from broker.model.participants import Participant
    from broker.workbench.preview import Verdict
    from broker.workbench.samples import Sample


def trial(mappings: Path, way_back: WayBack, now: datetime) -> Iterator[tuple[Path, str]]:
    """What is not as it should be: the sample, or the window's folder, and a sentence."""
    catalogue = way_back.catalogue
    windows = decide.windows(catalogue)
    for window in catalogue.windows():
        folder = mappings / "participants" / window.code
        rules = {rule.id for rule in window.accepts} | {rule.id for rule in window.rules}
        files = {file.stem: file for file in sample_files(folder)}
        files = {stem: file for stem, file in _taken_over(mappings, catalogue, window) if stem in rules} | files
        for missing in sorted(rules - set(files)):
            yield folder, f"the rule {missing} has no sample: {FOLDER}/{missing}.xml, .json or .toml"
        for stem, file in files.items():
            if stem not in rules:
                yield file, f"is named by no rule of {window.code}"
                continue
            try:
                sample = read_sample(file, mappings)
            except (Misconfigured, Refused, OSError) as error:
                yield file, f"cannot be made: {error}"
                continue
            message = Message(NO_MESSAGE_ID, sample.content)
            (verdict,) = preview.ask(message, way_back, windows, now, [window.code])
            yield from ((file, fault) for fault in _faults(sample, verdict, window))


def _taken_over(mappings: Path, catalogue: Catalogue, window: Participant) -> Iterator[tuple[str, Path]]:
    """The samples of the participants that a window extends, the nearest last: its own go before them."""
    if window.extends:
        base = catalogue.participants[window.extends]
        yield from _taken_over(mappings, catalogue, base)
        yield from ((file.stem, file) for file in sample_files(mappings / "participants" / base.code))


def _faults(sample: Sample, verdict: Verdict, window: Participant) -> Iterator[str]:
    """How the verdict differs from what the sample's name says."""
    if verdict.verdict in {"refused", "not_routed"}:
        yield f"does not reach {window.code}: {verdict.findings[0].messages['en']}"
        return
    broken = {o.rule: o for o in verdict.findings}
    if any(rule.id == sample.name for rule in window.accepts):
        if verdict.route != sample.name:
            yield f"must be taken by {sample.name}, is taken by {verdict.route}"
        if broken:
            yield f"must be accepted as it stands, and breaks {', '.join(broken)}"
        return
    if set(broken) != {sample.name}:
        yield f"must break {sample.name} alone, and breaks {', '.join(broken) or 'nothing'}"
    elif sample.points and broken[sample.name].pointer != sample.points:
        yield f"the answer must point at {sample.points}, and points at {broken[sample.name].pointer or 'nothing'}"
