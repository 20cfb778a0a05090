// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "vdk/control/remote.hpp"

namespace vdk::control {

/// One request to the service. `path` starts behind the base address and is encoded already.
struct Call {
  std::string method = "GET";
  std::string path;
  std::string body = {};
  std::string content_type = "application/json";
  std::string accept = "application/json";
  std::string subject = {};  ///< whom it is about, for answers without a text: "data job 'x' of team 'y'"
};

/// Requests to one control service, and what its answers mean.
class Wire {
 public:
  explicit Wire(RemoteOptions options);

  /// An answer of 200 to 299; any other one is thrown as Error with the service's own texts.
  [[nodiscard]] http::Response send(const Call& call);
  void set_op_id(std::string op_id) { m_options.op_id = std::move(op_id); }
  [[nodiscard]] const std::string& base() const noexcept { return m_base; }
  [[nodiscard]] const RemoteOptions& options() const noexcept { return m_options; }
  /// Error(platform): this is no answer of a control service.
  [[noreturn]] void fail_strange(const Call& call, std::string_view why) const;

 private:
  http::Response transfer(const http::Request& request);

  RemoteOptions m_options;
  std::string m_base;
  std::unique_ptr<http::Client> m_client;
};

}  // namespace vdk::control
