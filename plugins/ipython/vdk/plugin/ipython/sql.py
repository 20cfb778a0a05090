# SPDX-License-Identifier: Apache-2.0
"""%%vdksql"""
import os
import sys

from vdk.plugin.ipython import job
from vdk.sdk import sql_cell

DONE = "Query statement executed successfully."


def vdksql(line, cell):
    """Run SQL as a SQL step of `vdk run` does; the rows of the last statement are the cell's result."""
    try:
        result = sql_cell.run(job.current().get_initialized_job_input(), cell)
    except Exception as error:
        print("Error:\n%s" % error, file=sys.stderr)
        return None
    return DONE if result is None else show(*result)


class Rows(list):
    """Rows where pandas is not installed."""

    def __init__(self, columns, rows):
        super().__init__(rows)
        self.columns = columns

    def __repr__(self):
        table = [[str(name) for name in self.columns]] + [["" if v is None else str(v) for v in row] for row in self]
        widths = [max(len(row[i]) for row in table) for i in range(len(self.columns))]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table)

    def _repr_html_(self):
        from html import escape

        head = "".join("<th>%s</th>" % escape(str(name)) for name in self.columns)
        body = "".join(
            "<tr>%s</tr>" % "".join("<td>%s</td>" % ("" if v is None else escape(str(v))) for v in row) for row in self
        )
        return "<table><thead><tr>%s</tr></thead><tbody>%s</tbody></table>" % (head, body)


def show(columns, rows):
    """A DataFrame, in a grid where ipyaggrid is installed."""
    try:
        import pandas
    except ImportError:
        return Rows(columns, rows)
    frame = pandas.DataFrame([tuple(row) for row in rows], columns=columns)
    if os.environ.get("USE_DEFAULT_CELL_TABLE_OUTPUT", "no").lower() in ("true", "t", "1", "y", "yes"):
        return frame
    try:
        import ipyaggrid

        names = [{"field": name, "headerName": "%s (%s)" % (name, frame[name].dtype)} for name in frame.columns]
        return ipyaggrid.Grid(grid_data=frame, grid_options={"columnDefs": names, "pagination": True})
    except Exception:
        return frame
