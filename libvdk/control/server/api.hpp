// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vdk/control/service.hpp"
#include "vdk/core/error.hpp"

/// What the routes of the REST API work with; knows nothing of sockets or the HTTP library.
namespace vdk::control::rest {

class Webhooks;

/// A request as a route sees it: decoded, and checked to be UTF-8 without NUL.
struct ApiRequest {
  std::string method;
  std::string path;  ///< as it came, without the query
  std::map<std::string, std::string, std::less<>> segments;
  std::multimap<std::string, std::string, std::less<>> query;
  std::string content_type;   ///< lower case, without parameters
  std::string authorization;  ///< never logged
  std::string if_none_match;
  std::string body;
  std::string op_id;
  std::string user;              ///< empty = nobody is logged in
  bool noted = false;            ///< changes who may do what: belongs into the audit log whatever its method
  std::string address;           ///< where the request comes from, without the port
  Webhooks* webhooks = nullptr;  ///< told before jobs are created and removed

  [[nodiscard]] const std::string& team() const { return segments.find("team_name")->second; }
  [[nodiscard]] const std::string& job() const { return segments.find("job_name")->second; }
  /// First value of a query parameter.
  [[nodiscard]] std::optional<std::string> parameter(std::string_view name) const;
};

struct ApiAnswer {
  int status = 200;
  std::string content_type;  ///< empty = no body
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

/// Ends a request with a status that no ErrorKind stands for.
struct Refusal {
  int status;
  ErrorText text;
};

/// The body of a request that must be JSON. Refusal(415) for another media type: besides being wrong, it is what a
/// foreign web page could send without asking.
[[nodiscard]] const std::string& json_body(const ApiRequest& request);
/// The same for an archive.
[[nodiscard]] const std::string& archive_body(const ApiRequest& request);

[[nodiscard]] ApiAnswer json_answer(int status, std::string body);
[[nodiscard]] ApiAnswer empty_answer(int status);
/// The four texts as the body, in the original's order.
[[nodiscard]] ApiAnswer error_answer(int status, const ErrorText& text);
[[nodiscard]] ApiAnswer error_answer(const Error& error);
[[nodiscard]] int http_status(ErrorKind kind) noexcept;

/// Error(usage) as the original words it: `Parameter P is not valid.`
[[nodiscard]] Error bad_parameter(const std::string& parameter, const std::string& rule, const std::string& value);
/// Error(usage) for a body that cannot be used.
[[nodiscard]] Error bad_body(const std::string& why);
/// True when an If-None-Match header names this (quoted) tag.
[[nodiscard]] bool matches_etag(std::string_view if_none_match, std::string_view etag);
/// One segment of a path in an address.
[[nodiscard]] std::string percent_encode(std::string_view s);

}  // namespace vdk::control::rest
