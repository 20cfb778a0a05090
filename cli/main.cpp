// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include "cli/application.hpp"

int main(int argc, char** argv) {
  return vdk::cli::run_application(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
}
