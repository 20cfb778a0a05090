// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>

#include "vdk/core/files.hpp"
#include "vdk/target/local.hpp"

/// A local target in a temporary home, with the first Python of the machine.
struct LocalTargetFixture {
  vdk::files::TemporaryDirectory folder;
  std::filesystem::path home = folder.path() / "home";
  std::unique_ptr<vdk::target::Target> target = vdk::target::make_local_target(home, VDK_TEST_SUPERVISOR);
  vdk::target::Interpreter python = first_python();

  static vdk::target::Interpreter first_python() {
    static const auto found = vdk::target::discover_interpreters({});
    return found.at(0);
  }
  vdk::target::DeploymentSpec spec(const std::string& job, const std::string& hash) const {
    vdk::target::DeploymentSpec result;
    result.job_name = job;
    result.team = "team";
    result.python_version = python.version;
    result.interpreter = python.path.string();
    result.version_hash = hash;
    return result;
  }
  using Writer = std::function<void(const std::filesystem::path&)>;
  static Writer sources(const std::string& step, const std::string& requirements = {}) {
    return [=](const std::filesystem::path& directory) {
      std::ofstream(directory / "10_step.py") << step;
      if (!requirements.empty()) {
        std::ofstream(directory / "requirements.txt") << requirements;
      }
    };
  }
  vdk::target::AppliedDeployment deploy(const std::string& job, const std::string& hash,
                                        const std::string& requirements = {}) {
    return target->apply(spec(job, hash), sources("# " + hash, requirements), {});
  }
};
