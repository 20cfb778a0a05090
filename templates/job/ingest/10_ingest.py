"""Sends rows to the table `measurements`, which is made from the first ones."""
from vdk.api.job_input import IJobInput


def run(job_input: IJobInput):
    for hour in range(24):
        job_input.send_object_for_ingestion(
            payload={"station": "north" if hour % 2 else "south", "hour": hour, "celsius": 10.0 + hour / 2},
            destination_table="measurements",
        )
