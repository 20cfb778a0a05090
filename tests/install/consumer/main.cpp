// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <vdk/core/text.hpp>
#include <vdk/job/job.hpp>

int main(int argc, char** argv) {
  if (argc != 2) {
    return 2;
  }
  const auto near = vdk::text::nearest("deplyo", {"create", "deploy", "execute"});
  std::cout << near.value_or("nothing near") << '\n';
  for (const auto& step : vdk::job::find_steps(argv[1])) {
    std::cout << step.name << ' ' << vdk::job::to_string(step.kind) << '\n';
  }
  return 0;
}
