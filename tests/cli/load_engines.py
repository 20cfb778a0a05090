# SPDX-License-Identifier: Apache-2.0
"""The databases that the load templates are tested on. A test says what differs by {time}, the type of a time column."""
import json
import sqlite3
import sys
import unittest

import original
from harness import ROOT
from harness import VdkTest

sys.path.insert(0, str(ROOT / "tests" / "support"))
import postgres  # noqa: E402

SERVERS = []
NAMES = "'source_view': 's', 'target_table': 't'"


def server():
    """One PostgreSQL for all tests of a file."""
    if not SERVERS:
        SERVERS.append(postgres.running(unittest.addModuleCleanup, password="secret"))
        unittest.addModuleCleanup(SERVERS.clear)
    return SERVERS[0]


class Loads(VdkTest):
    """Runs jobs of one step."""

    in_order = "SELECT * FROM t ORDER BY 1 NULLS FIRST, 2 NULLS FIRST"

    def setUp(self):
        super().setUp()
        self.count = 0

    def run_step(self, body, code=0, before="", more=()):
        """A job whose one step has this body."""
        self.count += 1
        lines = "".join("    " + line + "\n" for line in body.splitlines())
        job = self.job(f"job-{self.count}", {"10_load.py": f"{before}\ndef run(job_input):\n{lines}",
                                             "config.ini": "[owner]\nteam = red\n" + self.config})
        return self.vdk("run", job, *more, code=code, env=self.settings)

    def load(self, template, arguments, code=0, before=""):
        return self.run_step(f"job_input.execute_template({template!r}, {{{arguments}}})", code, before)


class OnSqlite(Loads):
    kind = "sqlite"
    config = ""
    schema = "main"
    number, time = "INTEGER", "TEXT"
    refused = "UNIQUE constraint failed: t.id"

    def setUp(self):
        super().setUp()
        self.file = self.dir / "data.db"
        self.settings = {"VDK_SQLITE_FILE": str(self.file)}

    def sql(self, script):
        connection = sqlite3.connect(self.file)
        connection.executescript(script.replace("{time}", self.time))
        connection.close()

    def table(self, query=Loads.in_order):
        connection = sqlite3.connect(self.file)
        rows = connection.execute(query).fetchall()
        connection.close()
        return rows


class OnPostgres(Loads):
    kind = "postgres"
    schema = "public"
    time = "date"
    refused = 'violates unique constraint "t_id_key": Key (id)=(3) already exists'

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.postgres = server()

    def setUp(self):
        super().setUp()
        self.database = self.postgres.create_database().rsplit("/", 1)[1]
        self.config = (f"[vdk]\ndb_default_type = postgres\ningest_method_default = postgres\npostgres_host = 127.0.0.1\npostgres_port = {self.postgres.port}\n"
                       f"postgres_user = {self.postgres.USER}\npostgres_dbname = {self.database}\n")
        self.settings = {"VDK_POSTGRES_PASSWORD": self.postgres.password}

    def sql(self, script):
        self.postgres.psql(script.replace("{time}", self.time), self.database)

    def table(self, query=Loads.in_order):
        found = self.postgres.psql(f"SELECT coalesce(json_agg(q), '[]') FROM ({query}) q", self.database)
        return [tuple(row.values()) for row in json.loads(found)]


class OnPlugin(OnPostgres):
    """Through vdk-postgres, unmodified."""

    @classmethod
    def setUpClass(cls):
        cls.path = f"{original.plugins()}/bin:{VdkTest.path}"
        super().setUpClass()
