// SPDX-License-Identifier: Apache-2.0
#include "target/local/deployments.hpp"
#include "target/local/executions.hpp"
#include "vdk/target/local.hpp"

namespace vdk::target {

namespace {

class LocalTarget final : public Target {
 public:
  LocalTarget(const std::filesystem::path& home, const std::filesystem::path& vdk_executable,
              const std::atomic<bool>* stop)
      : m_deployments(home, stop), m_executions(home, vdk_executable) {}

  AppliedDeployment apply(const DeploymentSpec& spec,
                          const std::function<void(const std::filesystem::path&)>& write_sources,
                          const Progress& progress) override {
    return m_deployments.apply(spec, write_sources, progress, hashes_in_use());
  }
  void remove(const std::string& job_name) override { m_deployments.remove(job_name, hashes_in_use()); }
  std::map<std::string, std::string> list() override { return m_deployments.list(); }

  void start(const ExecutionSpec& spec) override {
    m_executions.start(spec, [&] { return m_deployments.read(spec.job_name, spec.version_hash).has_value(); });
  }
  void cancel(const std::string& execution_id) override { m_executions.cancel(execution_id); }
  ExecutionObservation observe(const std::string& execution_id) override { return m_executions.observe(execution_id); }
  std::string logs(const std::string& execution_id, int tail_lines) override {
    return m_executions.logs(execution_id, tail_lines);
  }
  void forget(const std::string& execution_id) override { m_executions.forget(execution_id); }

 private:
  local::Deployments::HashesInUse hashes_in_use() {
    return [this](const std::string& job_name) { return m_executions.hashes_in_use(job_name); };
  }

  local::Deployments m_deployments;
  local::Executions m_executions;
};

}  // namespace

std::unique_ptr<Target> make_local_target(const std::filesystem::path& home,
                                          const std::filesystem::path& vdk_executable, const std::atomic<bool>* stop) {
  return std::make_unique<LocalTarget>(std::filesystem::absolute(home).lexically_normal(), vdk_executable, stop);
}

}  // namespace vdk::target
