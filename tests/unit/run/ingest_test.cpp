// SPDX-License-Identifier: Apache-2.0
#include "run/fixture.hpp"

namespace vdk::run {

TEST_CASE("objects of every kind reach SQLite with inferred types") {
  JobFixture job;
  job.add(
      "10_a.py",
      "import datetime, decimal, uuid\n"
      "def run(job_input):\n"
      "    job_input.send_object_for_ingestion({'i': 1, 'f': 1.5, 'b': b'\\x00\\xff', 't': 'ä\\U0001F600', 'n': None,\n"
      "        'd': datetime.date(2024, 1, 31), 'm': decimal.Decimal('2.5'), 'l': [1], 'y': True,\n"
      "        'nan': float('nan')}, 'T', 'SQLITE')\n");
  const RunResult result = job.run();
  REQUIRE_MESSAGE(result.success, result.details);
  CHECK(job.query("select typeof(i)||typeof(f)||typeof(b)||typeof(t)||typeof(n)||d||m||l||y from T") ==
        "integerrealblobtextnull2024-01-312.5[1]1");
  CHECK(job.query("select hex(b) from T") == "00FF");
  CHECK(job.query("select t from T") == "ä\xF0\x9F\x98\x80");
  CHECK(job.query("select nan from T") == "NULL");
}

TEST_CASE("many rows are all there, in order, and seen by queries of the same step") {
  JobFixture job;
  job.add("10_a.py",
          "def run(job_input):\n"
          "    job_input.send_tabular_data_for_ingestion(((i, str(i), i / 2) for i in range(100000)),\n"
          "        ['a', 'b', 'c'], destination_table='t')\n"
          "    assert job_input.execute_query('select count(*) from t') == [(100000,)]\n"
          "    cursor = job_input.get_managed_connection().cursor()\n"
          "    cursor.execute('select a, b from t')\n"
          "    job_input.send_tabular_data_for_ingestion(cursor, ['a', 'b'], destination_table='copy')\n");
  const RunResult result = job.run();
  REQUIRE_MESSAGE(result.success, result.details);
  CHECK(job.query("select sum(a) || ' ' || count(distinct b) from t") == "4999950000 100000");
  CHECK(job.query("select count(*) from copy") == "100000");
  CHECK(job.query("select count(*) from t where a + 1 <> rowid") == "0");
}

TEST_CASE("bad rows fail the step that sent them, as the user's error, and later steps do not run") {
  JobFixture job;
  job.add("05_t.sql", "create table t (a integer);");
  std::string expected;
  SUBCASE("another column") {
    job.add("10_a.py",
            "def run(j):\n    pass\ndef run(job_input):\n    job_input.send_object_for_ingestion({'z': 1}, 't')\n");
    expected = "only in the rows: 'z'";
  }
  SUBCASE("empty") {
    job.add("10_a.py", "def run(job_input):\n    job_input.send_object_for_ingestion({}, 't')\n");
    expected = "empty dictionary";
  }
  SUBCASE("type") {
    job.add("10_a.py", "def run(job_input):\n    job_input.send_object_for_ingestion({'a': object()}, 't')\n");
    expected = "type object";
  }
  SUBCASE("width") {
    job.add("10_a.py",
            "def run(job_input):\n    job_input.send_tabular_data_for_ingestion([[1], [1, 2]], ['a'], 't')\n");
    expected = "2 values";
  }
  SUBCASE("big integer") {
    job.add("10_a.py", "def run(job_input):\n    job_input.send_object_for_ingestion({'a': 2**70}, 't')\n");
    expected = "64 bits";
  }
  SUBCASE("caught by the step, still its failure") {
    job.add("10_a.py",
            "def run(job_input):\n    job_input.send_object_for_ingestion({'z': 1}, 't')\n    try:\n"
            "        job_input.execute_query('select 1')\n    except Exception:\n        pass\n");
    expected = "only in the rows";
  }
  job.add("20_b.py", "def run(job_input):\n    pass\n");
  const RunResult result = job.run();
  CHECK_FALSE(result.success);
  CHECK(result.blamee == Blamee::user);
  REQUIRE(result.steps.size() == 2);
  CHECK_MESSAGE(result.steps[1].details.find(expected) != std::string::npos, result.steps[1].details);
}

TEST_CASE("an unknown method is a configuration error that names the known ones") {
  JobFixture job;
  job.add("10_a.py", "def run(job_input):\n    job_input.send_object_for_ingestion({'a': 1}, 't', method='kafka')\n");
  const RunResult result = job.run();
  CHECK(result.blamee == Blamee::configuration);
  CHECK(result.details.find("kafka") != std::string::npos);
}

TEST_CASE("the file method appends JSON lines") {
  JobFixture job;
  const std::string target = (job.root() / "out").string();
  job.add("10_a.py",
          "def run(job_input):\n    for i in range(2):\n        job_input.send_object_for_ingestion("
          "{'a': i, 's': 'x\"y'}, 't', 'file', '" +
              target + "')\n");
  REQUIRE(job.run().success);
  CHECK(files::read(target + ".json") == "{\"a\": 0, \"s\": \"x\\\"y\"}\n{\"a\": 1, \"s\": \"x\\\"y\"}\n");
}

TEST_CASE("the http method posts JSON arrays, tries again after a 503 and blames the user for a 400") {
  JobFixture job;
  job.add("10_a.py", R"(
import http.server, json, threading
def run(job_input):
    bodies, answers = [], [503, 200, 400]
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(json.loads(self.rfile.read(int(self.headers['Content-Length']))))
            self.send_response(answers[len(bodies) - 1]); self.end_headers()
        def log_message(self, *args): pass
    server = http.server.HTTPServer(('127.0.0.1', 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = 'http://127.0.0.1:%d/' % server.server_port
    job_input.send_object_for_ingestion({'a': 1}, 't', 'http', url)
    job_input.execute_query('create table seen as select 1')
    assert bodies == [[{'@table': 't', 'a': 1}]] * 2, bodies
    job_input.send_object_for_ingestion({'a': 2}, 't', 'http', url)
)");
  const RunResult result = job.run();
  CHECK(result.blamee == Blamee::user);
  CHECK_MESSAGE(result.details.find("status 400") != std::string::npos, result.details);
  CHECK(job.query("select count(*) from seen") == "1");
}

}  // namespace vdk::run
