// SPDX-License-Identifier: Apache-2.0
#include "control/server/metrics.hpp"

#include <fmt/format.h>

#include "control/server/metrics_text.hpp"
#include "vdk/control/counters.hpp"

namespace vdk::control::rest {
void Metrics::count_request(std::string_view method, std::string_view route, int status,
                            std::chrono::nanoseconds duration) {
  const double seconds = std::chrono::duration<double>(duration).count();
  const std::lock_guard lock(m_mutex);
  Histogram& histogram = m_requests[{std::string(method), std::string(route), status}];
  for (std::size_t i = 0; i < k_buckets.size(); ++i) {
    histogram.buckets[i] += seconds <= k_buckets[i] ? 1 : 0;
  }
  ++histogram.count;
  histogram.sum += seconds;
}

std::string Metrics::text() const {
  std::string out;
  const std::string_view name = "http_server_requests_seconds";
  prometheus_head(out, name, "histogram", "Duration of requests by method, route and status.");
  {
    const std::lock_guard lock(m_mutex);
    for (const auto& [key, histogram] : m_requests) {
      const auto& [method, route, status] = key;
      const std::string labels = fmt::format("method=\"{}\",uri=\"{}\",status=\"{}\"", prometheus_escape(method),
                                             prometheus_escape(route), status);
      for (std::size_t i = 0; i < k_buckets.size(); ++i) {
        out += fmt::format("{}_bucket{{{},le=\"{}\"}} {}\n", name, labels, k_buckets[i], histogram.buckets[i]);
      }
      out += fmt::format("{}_bucket{{{},le=\"+Inf\"}} {}\n", name, labels, histogram.count);
      out += fmt::format("{}_sum{{{}}} {}\n", name, labels, histogram.sum);
      out += fmt::format("{}_count{{{}}} {}\n", name, labels, histogram.count);
    }
  }
  prometheus_number(out, "http_server_connections", "gauge", "Open connections.", connections);
  prometheus_number(out, "http_server_connections_accepted_total", "counter", "Connections since the start.",
                    connections_accepted);
  prometheus_number(out, "http_server_requests_in_flight", "gauge", "Requests that wait or are being answered.",
                    in_flight);
  prometheus_number(out, "http_server_requests_queued", "gauge", "Requests that wait for a worker.", queued);
  prometheus_number(out, "http_server_workers", "gauge", "Workers.", workers);
  prometheus_number(out, "http_server_workers_busy", "gauge", "Workers that answer a request.", busy_workers);
  prometheus_number(out, "http_server_overload_rejected_total", "counter", "Requests answered 503 for overload.",
                    overload_rejected);
  prometheus_number(out, "http_server_limit_rejected_total", "counter", "Requests refused before work.",
                    limit_rejected);
  prometheus_number(out, "http_server_services", "gauge", "Open service objects.", services);

  const Counters& tasks = counters();
  prometheus_number(out, "vdk_deploy_datajob_synchronizer_successful_invocations_counter_total", "counter",
                    "Synchronizer passes without trouble.", tasks.synchronizer_successful);
  prometheus_number(out, "vdk_deploy_datajob_synchronizer_failed_invocations_counter_total", "counter",
                    "Synchronizer passes with trouble.", tasks.synchronizer_failed);
  prometheus_number(out, "vdk_deploy_datajob_synchronizer_active", "gauge", "1 when this server synchronizes.",
                    tasks.synchronizes ? 1 : 0);
  prometheus_number(out, "vdk_deploy_rollouts_successful_total", "counter", "Deployments rolled out.",
                    tasks.rollouts_successful);
  prometheus_number(out, "vdk_deploy_rollouts_failed_total", "counter", "Deployments that failed.",
                    tasks.rollouts_failed);
  prometheus_number(out, "vdk_execution_started_total", "counter", "Executions started.", tasks.executions_started);
  prometheus_number(out, "taurus_datajob_watch_task_invocations_counter_total", "counter",
                    "Passes of the execution monitor.", tasks.watch_invocations);
  prometheus_number(out, "vdk_execution_cleanup_task_datajob_invocations_counter_total", "counter",
                    "Passes of the clean-up.", tasks.cleanup_invocations);
  prometheus_number(out, "vdk_execution_cleanup_task_datajob_successful_deletions_counter_total", "counter",
                    "Old executions deleted.", tasks.cleanup_deleted);
  prometheus_number(out, "vdk_execution_cleanup_task_datajob_failed_deletions_counter_total", "counter",
                    "Old executions that could not be deleted.", tasks.cleanup_failed);
  prometheus_number(out, "vdk_mails_sent_total", "counter", "Mails sent.", tasks.mails_sent);
  prometheus_number(out, "vdk_mails_failed_total", "counter", "Mails that could not be sent.", tasks.mails_failed);
  return out;
}

std::string SharedText::get(const std::function<std::string()>& make) {
  std::unique_lock making(m_making, std::try_to_lock);
  if (!making) {
    const std::lock_guard lock(m_mutex);
    if (!m_last.empty()) {
      return m_last;
    }
  }
  if (!making) {
    making.lock();
  }
  std::string text = make();
  const std::lock_guard lock(m_mutex);
  return m_last = std::move(text);
}

}  // namespace vdk::control::rest
