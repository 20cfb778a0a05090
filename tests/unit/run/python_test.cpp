// SPDX-License-Identifier: Apache-2.0
#include "run/fixture.hpp"

namespace vdk::run {

TEST_CASE("a Python step gets arguments, directory, name and ids") {
  JobFixture job;
  job.add("helper.txt", "");
  job.add("10_a.py",
          "from vdk.api.job_input import IJobInput\n"
          "def run(job_input: IJobInput):\n"
          "    assert isinstance(job_input, IJobInput)\n"
          "    assert job_input.get_name() == 'sample-job'\n"
          "    assert (job_input.get_job_directory() / 'helper.txt').exists()\n"
          "    assert job_input.get_arguments() == {'n': 1}\n"
          "    job_input.get_arguments()['n'] = 2\n"
          "    assert set(job_input.get_execution_properties()) == {'pa__execution_id', 'pa__job_start_unixtime',\n"
          "        'pa__job_start_ts_expr', 'pa__op_id'}\n"
          "    assert job_input.get_temporary_write_directory().is_dir()\n");
  job.add("20_b.py", "def run(job_input):\n    assert job_input.get_arguments() == {'n': 2}\n");
  const RunResult result = job.run(R"({"n": 1})");
  CHECK_MESSAGE(result.success, result.details);
  CHECK(result.steps.size() == 2);
}

TEST_CASE("the step's own run is called, modules are registered, neighbours can be imported") {
  JobFixture job;
  std::filesystem::create_directory(job.job_directory() / "lib");
  job.add("lib/helper.py", "def run(job_input):\n    raise RuntimeError('the wrong one')\n");
  job.add("10_Happy.py",
          "from __future__ import annotations\n"
          "import pickle, dataclasses\n"
          "from lib.helper import run as another\n"
          "@dataclasses.dataclass\n"
          "class D:\n    x: int\n"
          "def run(job_input):\n    assert pickle.loads(pickle.dumps(D(1))) == D(1)\n");
  const RunResult result = job.run();
  CHECK_MESSAGE(result.success, result.details);
}

TEST_CASE("a file without run is not runnable and the job goes on") {
  JobFixture job;
  job.add("10_a.py", "from time import sleep\n");
  job.add("20_b.py", "def run(job_input):\n    pass\n");
  const RunResult result = job.run();
  CHECK(result.success);
  CHECK(result.steps[0].status == StepStatus::not_runnable);
  CHECK(result.steps[1].status == StepStatus::success);
}

TEST_CASE("errors of the user's code are the user's") {
  JobFixture job;
  SUBCASE("exception") { job.add("10_a.py", "def run(job_input):\n    {}['k']\n"); }
  SUBCASE("syntax") { job.add("10_a.py", "def run(job_input:\n"); }
  SUBCASE("import") { job.add("10_a.py", "import no_such_module_anywhere\n"); }
  SUBCASE("no job_input") { job.add("10_a.py", "def run():\n    pass\n"); }
  SUBCASE("library") { job.add("10_a.py", "import json\ndef run(job_input):\n    json.loads('{')\n"); }
  job.add("20_b.py", "def run(job_input):\n    pass\n");
  const RunResult result = job.run();
  CHECK_FALSE(result.success);
  CHECK(result.exit_code == 1);
  CHECK(result.blamee == Blamee::user);
  CHECK(result.steps.size() == 1);
}

TEST_CASE("the details of an exception name file and line, not vdk's own frames") {
  JobFixture job;
  job.add("10_a.py", "def run(job_input):\n    {}['k']\n");
  const RunResult result = job.run();
  CHECK(result.steps[0].exception_name == "KeyError");
  CHECK(result.steps[0].details.find("10_a.py\", line 2, in run") != std::string::npos);
  CHECK(result.steps[0].details.find("sdk/host.py") == std::string::npos);
}

TEST_CASE("sys.exit gives its code, and never success") {
  JobFixture job;
  int expected = 3;
  SUBCASE("3") { job.add("10_a.py", "import sys\ndef run(job_input):\n    sys.exit(3)\n"); }
  SUBCASE("0") {
    job.add("10_a.py", "import sys\ndef run(job_input):\n    sys.exit(0)\n");
    expected = 1;
  }
  SUBCASE("256") {
    job.add("10_a.py", "import sys\ndef run(job_input):\n    sys.exit(256)\n");
    expected = 1;
  }
  const RunResult result = job.run();
  CHECK(result.exit_code == expected);
  CHECK(result.steps[0].status == StepStatus::error);
}

TEST_CASE("a child that dies is a failed step") {
  JobFixture job;
  std::string expected;
  SUBCASE("os._exit") {
    job.add("10_a.py", "import os\ndef run(job_input):\n    os._exit(0)\n");
    expected = "exit code 0";
  }
  SUBCASE("killed") {
    job.add("10_a.py", "import os\ndef run(job_input):\n    os.kill(os.getpid(), 9)\n");
    expected = "out of memory";
  }
  SUBCASE("killed while a forked process lives on") {
    job.add("10_a.py",
            "import os, time\ndef run(job_input):\n    if os.fork() == 0:\n        time.sleep(3)\n        os._exit(0)\n"
            "    os.kill(os.getpid(), 9)\n");
    expected = "out of memory";
  }
  const RunResult result = job.run();
  CHECK(result.exit_code == 1);
  CHECK(result.steps[0].status == StepStatus::error);
  CHECK(result.steps[0].details.find(expected) != std::string::npos);
}

TEST_CASE("skip_remaining_steps ends the job with success") {
  JobFixture job;
  job.add("10_a.py", "def run(job_input):\n    job_input.skip_remaining_steps()\n");
  job.add("20_b.py", "def run(job_input):\n    raise ValueError()\n");
  const RunResult result = job.run();
  CHECK(result.success);
  CHECK(result.exit_code == 0);
  CHECK(result.steps.size() == 1);
  CHECK(result.steps[0].status == StepStatus::skip_requested);
}

TEST_CASE("properties are stored, cached and checked") {
  JobFixture job;
  TestStore store;
  job.properties = &store;
  job.add("10_a.py",
          "def run(job_input):\n"
          "    assert job_input.get_property('a', 5) == 5\n"
          "    job_input.set_all_properties({'a': 1, 'b': [1, 'x'], 'c': None})\n"
          "    assert job_input.get_all_properties() == {'a': 1, 'b': [1, 'x'], 'c': None}\n"
          "    for bad in ({'a': True}, {'a b': 1}, {1: 1}, [1]):\n"
          "        try:\n            job_input.set_all_properties(bad)\n"
          "        except Exception as e:\n            assert 'cannot set properties' in str(e), e\n"
          "        else:\n            raise AssertionError(bad)\n");
  const RunResult result = job.run();
  CHECK_MESSAGE(result.success, result.details);
  CHECK(store.content == R"({"a": 1, "b": [1, "x"], "c": null})");
}

TEST_CASE("a store that fails is the platform's error") {
  JobFixture job;
  TestStore store;
  store.broken = true;
  job.properties = &store;
  job.add("10_a.py", "def run(job_input):\n    job_input.get_all_properties()\n");
  const RunResult result = job.run();
  CHECK(result.blamee == Blamee::platform);
  CHECK(result.termination_status == "Platform error");
}

TEST_CASE("queries and managed connections work on the database of the SQL steps") {
  JobFixture job;
  job.add("10_a.sql", "create table t as select 1 a, 'x' b;");
  job.add("20_b.py",
          "import sqlite3\n"
          "def run(job_input):\n"
          "    assert job_input.execute_query('select * from {table}') == [(1, 'x')]\n"
          "    assert job_input.execute_query('create table u (a)') == []\n"
          "    with job_input.get_managed_connection() as c:\n"
          "        assert isinstance(c, sqlite3.Connection)\n"
          "        c.cursor().execute('insert into u values (7)')\n"
          "    try:\n        job_input.execute_query('select 1', database='oracle')\n"
          "    except Exception as e:\n        assert 'oracle' in str(e)\n"
          "    else:\n        raise AssertionError()\n");
  const RunResult result = job.run(R"({"table": "t"})");
  CHECK_MESSAGE(result.success, result.details);
  CHECK(job.query("select a from u") == "7");
}

TEST_CASE("an unknown template is the user's error and can be caught") {
  JobFixture job;
  job.add("10_a.py",
          "def run(job_input):\n"
          "    try:\n        job_input.execute_template('load/none', {})\n"
          "    except Exception as e:\n        assert 'load/none' in str(e)\n"
          "    job_input.execute_template('../x', {})\n");
  const RunResult result = job.run();
  CHECK(result.blamee == Blamee::user);
  CHECK(result.steps[0].exception.find("../x") != std::string::npos);
}

TEST_CASE("an interpreter that is not there is the platform's error") {
  JobFixture job;
  job.interpreter = "/no/such/python";
  job.add("10_a.py", "def run(job_input):\n    pass\n");
  const RunResult result = job.run();
  CHECK(result.blamee == Blamee::platform);
  CHECK(result.details.find("/no/such/python") != std::string::npos);
}

}  // namespace vdk::run
