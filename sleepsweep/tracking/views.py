"""How MLflow's pages open on a sweep: the columns of its runs table, and the charts beside it.

MLflow keeps such a view as JSON in a tag of the experiment, and opens it by the name in an address.
What stands in it is what its own pages store.
"""

from typing import Any

from sleepsweep.tracking.names import Pool

VIEW = "sleepsweep"
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"

WIDTHS = {
    "attributes.`Run Name`": 260, "runDateAndNestInfo": 130, "duration": 76, "metrics": 84,
    "params": 62, "tags": 92, "tags.`categories`": 170,
}  # fmt: skip
"""Of columns or kinds of them, in pixels: together as many as a narrow screen has."""

SECTIONS = (
    ("scores", "Scores", {"columns": 2, "cardHeight": 360}),
    ("policies", "What the policies are made of", {"columns": 1, "cardHeight": 420}),
    ("more", "Model metrics", {"columns": 3, "cardHeight": 360}),
    ("system", "System metrics", {"columns": 3, "cardHeight": 360}),
)
"""Of the charts: id, title, grid. MLflow adds its own charts to the last two, by these titles."""


def sweep_view(objective: str, pool: Pool) -> dict[str, Any]:
    """The pages on a sweep: its trials, the best first, and what makes them better or worse."""
    return {**_table(objective), **_charts(objective, pool)}


def _table(objective: str) -> dict[str, Any]:
    score = f"metrics.`{objective}`"
    other = "metrics.`accuracy`" if objective == "kappa" else "metrics.`kappa`"
    shown = [
        score, other, "params.`size`", "params.`block`", "tags.`categories`", "tags.`kind`",
        "tags.`decision`",
    ]  # fmt: skip
    order = ["attributes.`Run Name`", "runDateAndNestInfo", "duration", *shown]
    return {
        "searchFilter": "",
        "orderByKey": score,
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": shown,
        "columnOrder": order,
        "columnWidths": {name: _width(name) for name in order},
        "groupBy": None,
    }


def _width(column: str) -> int:
    return WIDTHS[column if column in WIDTHS else column.partition(".")[0]]


def _charts(objective: str, pool: Pool) -> dict[str, Any]:
    """Charts of the twenty best trials; those that are over parameters are of all."""
    by_category = ["size", *pool.flags]
    charts = [
        _chart("LINE", "scores", f"{objective} by step", metricKey=objective,
               selectedMetricKeys=[objective], xAxisKey="step", lineSmoothness=0,
               useGlobalXaxisKey=True, useGlobalLineSmoothing=True),
        _chart("SCATTER", "scores", f"{objective} by size", runsCountToCompare=100,
               xaxis={"key": "size", "type": "PARAM"},
               yaxis={"key": objective, "type": "METRIC"}),
        _parallel(f"{objective} by size and category", by_category, objective),
        _parallel(f"{objective} by severity (0: left out)", pool.dials, objective),
    ]  # fmt: skip
    sections = [
        {"uuid": key, "name": name, "display": True, "isReordered": key == "scores", **grid}
        for key, name, grid in SECTIONS
    ]
    return {
        "compareRunCharts": charts,
        "compareRunSections": sections,
        "isAccordionReordered": True,
        "runsHiddenMode": "FIRST_20_RUNS",
        "hideEmptyCharts": True,
    }


def _parallel(title: str, params: list[str], metric: str) -> dict[str, Any]:
    return _chart("PARALLEL", "policies", title, selectedParams=params,
                  selectedMetrics=[metric], showAllRuns=True)  # fmt: skip


def _chart(kind: str, section: str, title: str, **what: Any) -> dict[str, Any]:
    return {
        "uuid": title, "type": kind, "metricSectionId": section, "displayName": title,
        "deleted": False, "isGenerated": False, **what,
    }  # fmt: skip
