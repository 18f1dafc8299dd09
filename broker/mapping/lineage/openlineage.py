"""The lineage of a payload as an OpenLineage run event with the column lineage dataset facet.

https://openlineage.io/docs/spec/facets/dataset-facets/column_lineage_facet (facet 1-2-0, core 2-0-2): a payload leaf
is a field of the output dataset, a source leaf a field of the input dataset.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from broker.mapping.lineage.explain import Explanation
    from broker.mapping.lineage.origins import Origin

PRODUCER = "urn:swb:single-window-broker"
_CORE = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACET = "https://openlineage.io/spec/facets/1-2-0/ColumnLineageDatasetFacet.json#/$defs/ColumnLineageDatasetFacet"


def openlineage(explanation: Explanation, file: str, event_time: str) -> dict[str, Any]:
    """A COMPLETE run event; the run id is derived, so that the same document gives the same event."""
    mapping = explanation.mapping
    run = uuid.uuid5(uuid.NAMESPACE_URL, f"{mapping['id']}@{mapping['version']}+{mapping['sha256']} {file}")
    fields = {origin.target: _field(origin, file) for origin in explanation.lineage if origin.behind}
    return {
        "eventType": "COMPLETE",
        "eventTime": event_time,
        "producer": PRODUCER,
        "schemaURL": _CORE,
        "run": {"runId": str(run)},
        "job": {"namespace": "swb", "name": f"{mapping['id']}@{mapping['version']}"},
        "inputs": [{"namespace": "swb.document", "name": file}],
        "outputs": [
            {
                "namespace": "swb.payload",
                "name": f"{file}.payload",
                "facets": {"columnLineage": {"_producer": PRODUCER, "_schemaURL": _FACET, "fields": fields}},
            }
        ],
    }


def _field(origin: Origin, file: str) -> dict[str, Any]:
    direct = {"type": "DIRECT", "subtype": "TRANSFORMATION" if origin.transform or origin.codes else "IDENTITY"}
    indirect = {"type": "INDIRECT", "subtype": "CONDITIONAL"}
    return {
        "inputFields": [
            {
                "namespace": "swb.document",
                "name": file,
                "field": source.path,
                "transformations": [{**kind, "description": origin.row, "masking": False}],
            }
            for kind, sources in ((direct, origin.sources), (indirect, origin.deciders))
            for source in sources
        ]
    }
