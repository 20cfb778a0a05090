// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "vdk/core/http.hpp"

/// What every client of an S3-compatible storage needs to know.
namespace vdk::s3 {

/// Address of Amazon's own service in a region.
[[nodiscard]] std::string amazon_endpoint(const std::string& region);
/// Whether the path has to name the bucket because `BUCKET.HOST` cannot work. An IPv6 host has its brackets or not.
[[nodiscard]] bool bucket_in_path(const std::string& host, const std::string& bucket);
/// Texts of all elements of that name. What S3 answers is flat, and keys in it are percent-encoded on demand.
[[nodiscard]] std::vector<std::string> elements(const std::string& xml, const std::string& name);
/// The error code of an answer, and the bucket's region when the request went to another one; never more of its text.
[[nodiscard]] std::string explain(const http::Response& response);

}  // namespace vdk::s3
