// SPDX-License-Identifier: Apache-2.0
#include "vdk/core/s3.hpp"

#include "vdk/core/text.hpp"

namespace vdk::s3 {

std::string amazon_endpoint(const std::string& region) {
  return "https://s3." + region + (region.starts_with("cn-") ? ".amazonaws.com.cn" : ".amazonaws.com");
}

bool bucket_in_path(const std::string& host, const std::string& bucket) {
  // A certificate for *.s3... does not fit a bucket with dots, and a number has no sub-domains.
  const bool number = host.starts_with('[') || host.find_first_not_of("0123456789.:") == std::string::npos;
  return number || host == "localhost" || bucket.find('.') != std::string::npos;
}

std::vector<std::string> elements(const std::string& xml, const std::string& name) {
  const std::string open = "<" + name + ">";
  const std::string close = "</" + name + ">";
  std::vector<std::string> found;
  for (std::size_t at = xml.find(open); at != std::string::npos; at = xml.find(open, at)) {
    at += open.size();
    const std::size_t end = xml.find(close, at);
    if (end == std::string::npos) {
      break;
    }
    std::string text = xml.substr(at, end - at);
    for (const auto& [entity, character] : {std::pair{"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&amp;", "&"}}) {
      text = text::replace_all(std::move(text), entity, character);
    }
    found.push_back(std::move(text));
  }
  return found;
}

std::string explain(const http::Response& response) {
  const std::vector<std::string> codes = elements(response.body, "Code");
  std::string code = codes.empty() ? std::string() : codes.front().substr(0, 80);
  if (const auto region = response.header("x-amz-bucket-region"); region && response.status / 100 == 3) {
    code += (code.empty() ? "" : ", ") + ("the bucket is in the region " + *region);
  }
  return code;
}

}  // namespace vdk::s3
