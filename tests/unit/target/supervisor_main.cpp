// SPDX-License-Identifier: Apache-2.0
// `target_supervisor __execute DIR`: does what the arguments of the execution say instead of running a data job.
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <iostream>
#include <thread>

#include "vdk/core/clock.hpp"
#include "vdk/target/local.hpp"

int main(int argc, char** argv) {
  if (argc != 3) {
    return 2;
  }
  const std::filesystem::path directory = argv[2];
  const auto execution = vdk::target::begin_local_execution(directory);
  if (!execution) {
    return 0;
  }
  vdk::target::confine_local_execution(*execution);
  const auto start = vdk::SystemClock().now();
  std::cout << "ran " << execution->spec.id << " in " << execution->job_directory.filename().string() << std::endl;
  std::ofstream(directory / "runs", std::ios::app) << "x";
  const std::string& order = execution->spec.arguments_json;
  std::string status = "Success";
  if (order == "sleep" || order == "stubborn") {
    if (order == "stubborn") {
      std::signal(SIGTERM, SIG_IGN);
    }
    std::system("sleep 300 & (setsid sleep 301 &)");  // NOLINT: children in and out of the group
    std::ofstream(directory / "sleeping") << "x";
    std::this_thread::sleep_for(std::chrono::seconds(300));
  } else if (order == "die") {
    std::raise(SIGKILL);
  } else if (order == "memory") {
    try {
      std::string much(512UL * 1024 * 1024, 'x');
      std::cout << much.size() << std::endl;
    } catch (const std::bad_alloc&) {
      std::cout << "std::bad_alloc" << std::endl;
      status = "User error";
    }
  } else if (order == "lines") {
    for (int i = 1; i <= 100000; ++i) {
      std::cout << "line " << i << "\n";
    }
    std::cout.flush();
  } else if (order == "daemon") {
    std::system("(setsid sleep 302 &)");  // NOLINT
  }
  vdk::target::finish_local_execution(directory, status, "", start, vdk::SystemClock().now());
  return 0;
}
