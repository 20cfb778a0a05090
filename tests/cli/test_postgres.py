# SPDX-License-Identifier: Apache-2.0
"""The database of a team: a real PostgreSQL, that goes away and comes back."""
import json
import sys
import unittest

from harness import ROOT, VdkTest

sys.path.insert(0, str(ROOT / "tests" / "support"))
import postgres  # noqa: E402


class PostgresTest(VdkTest):
    @classmethod
    def setUpClass(cls):
        cls.postgres = postgres.running(cls.addClassCleanup)

    def team(self, **database):
        """Environment of commands that work on a home of their own and a new database."""
        self.configuration = self.dir / "server.yaml"
        url = self.postgres.create_database()
        address = url.split("@")[1]
        settings = {"url": "postgresql://" + address, "username": self.postgres.USER,
                    "password": self.postgres.password, **database}
        self.configuration.write_text(json.dumps({"database": settings}))
        self.database = url.rsplit("/", 1)[1]
        return {"VDK_SERVER_CONFIG": str(self.configuration), "VDK_CONTROL_SERVICE_HOME": str(self.dir / "team")}

    def deploy_job(self, name, env=None):
        folder = self.job(name, {"config.ini": "[owner]\nteam = some-team\n", "10_step.sql": "SELECT 1"})
        self.vdk("deploy", "-n", name, "-t", "some-team", "-p", folder, "-r", "first", env=env)

    def test_what_grew_on_a_laptop_moves_into_postgresql_and_is_backed_up_from_there(self):
        self.deploy_job("laptop-job")
        self.vdk("properties", "-n", "laptop-job", "-t", "some-team", "--set", "city", "Sofia")
        self.vdk("server", "backup", "first", "--with-key")
        env = self.team()
        self.vdk("server", "restore", "--from", "first", "--config", self.configuration, env=env)
        self.assertIn("Sofia", self.vdk("properties", "-n", "laptop-job", "-t", "some-team", "--list", env=env).out)
        self.assertIn("laptop-job", self.vdk("list", "--all", env=env).out)
        self.assertEqual(self.postgres.psql("SELECT job_name FROM job_properties", self.database), "laptop-job")
        self.vdk("server", "fsck", "--config", self.configuration, env=env)
        self.vdk("server", "backup", "second", "--config", self.configuration, env=env)
        self.vdk("server", "restore", "--from", "second",
                 env={"VDK_CONTROL_SERVICE_HOME": str(self.dir / "laptop-again")})
        # A second time it would be loaded over jobs that are there.
        self.vdk("server", "restore", "--from", "second", "--config", self.configuration, env=env, code=6)

    def test_a_server_outlives_a_restart_of_its_database_and_shows_no_password(self):
        env = self.team()
        address = self.serve("--config", self.configuration, env=env)
        remote = {"VDK_CONTROL_SERVICE_REST_API_URL": address}
        self.vdk("create", "--cloud", "-n", "some-job", "-t", "some-team", env=remote)
        self.deploy_job("some-job", env=remote)
        self.postgres.stop()
        down = self.run_vdk("list", "--all", env=env)
        self.assertEqual(down.code, 8, down)
        self.assertIn("Connection refused", down.err)
        self.postgres.start()
        self.assertIn("some-job", self.vdk("list", "--all", env=remote).out)
        self.vdk("execute", "--start", "-n", "some-job", "-t", "some-team", env=remote)
        self.servers[0].terminate()
        self.servers[0].wait(30)
        log = (self.dir / "server0.log").read_text()
        self.assertNotIn(self.postgres.password, log + down.err)

    def test_a_wrong_password_is_told_with_the_key_that_holds_it(self):
        env = self.team(password="not the password")
        wrong = self.vdk("list", "--all", env=env, code=2)
        self.assertIn("database.password", wrong.err)
        self.assertNotIn("not the password", wrong.err)


if __name__ == "__main__":
    unittest.main()
