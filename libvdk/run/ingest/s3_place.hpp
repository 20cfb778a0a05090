// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "run/session.hpp"
#include "vdk/core/http.hpp"

namespace vdk::run {

/// What s3://BUCKET/PREFIX means.
struct S3Place {
  std::string bucket;
  std::string prefix;  ///< empty, or with a slash at its end
};
/// Throws Error(configuration) when the target is no such address.
[[nodiscard]] S3Place s3_place(const std::string& target);

/// Where the storage is.
struct S3Endpoint {
  std::string scheme;
  std::string origin;  ///< HOST[:PORT]
  std::string host;    ///< lower case; an IPv6 address with its brackets
  std::string path;    ///< without a slash at its end
  bool path_style = false;
  /// Address of an object.
  [[nodiscard]] std::string object(const std::string& bucket, std::string_view key) const;
};
/// From settings and environment. Throws Error(configuration), for http to other machines too.
[[nodiscard]] S3Endpoint s3_endpoint(const Session& session);

/// The setting (none when its name is empty), else the first of the environment's variables that is not empty.
[[nodiscard]] std::string s3_setting(const Session& session, const std::string& name,
                                     std::initializer_list<const char*> variables);

/// A name as one part of a key: different names stay different, none is a path.
[[nodiscard]] std::string key_part(std::string_view name);

[[nodiscard]] Error s3_settings_error(std::string why, std::string countermeasures);
[[nodiscard]] Error s3_no_answer(const std::string& object, std::string why);
/// The storage does not take an object. Tells its error code and nothing else of its answer.
[[nodiscard]] Error s3_refusal(const std::string& object, const std::string& bucket, const http::Response& response);

}  // namespace vdk::run
