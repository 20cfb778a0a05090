// SPDX-License-Identifier: Apache-2.0
#include "run/ingest/s3_place.hpp"

#include <algorithm>

#include "vdk/core/process.hpp"
#include "vdk/core/s3.hpp"
#include "vdk/core/text.hpp"

namespace vdk::run {

namespace {

constexpr const char* k_lost = "this batch of rows is not stored, and the step that sent it fails";

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

Error target_error(std::string why) {
  return {ErrorKind::configuration,
          {"cannot ingest rows to S3", std::move(why), k_lost,
           "Pass target=\"s3://BUCKET/PREFIX\" with the rows, or set ingest_target_default in config.ini"}};
}

bool is_bucket(const std::string& name) {
  return !name.empty() && name.size() <= 63 && name.front() != '.' && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
}

}  // namespace

S3Place s3_place(const std::string& target) {
  constexpr std::string_view scheme = "s3://";
  if (target.empty()) {
    throw target_error("no target was given");
  }
  if (text::lower(target.substr(0, scheme.size())) != scheme) {
    throw target_error("the target does not begin with s3://");
  }
  const std::string rest = target.substr(scheme.size());
  const std::size_t slash = rest.find('/');
  S3Place place{rest.substr(0, slash), slash == std::string::npos ? "" : rest.substr(slash + 1)};
  if (!is_bucket(place.bucket)) {  // not shown: there may be a login in it
    throw target_error("the target has no name of a bucket between s3:// and the next slash");
  }
  if (place.prefix.ends_with('/')) {
    place.prefix.pop_back();
  }
  if (place.prefix.empty()) {
    return place;
  }
  for (const std::string& part : text::split(place.prefix, '/')) {
    if (part.empty() || part == "." || part == ".." || std::any_of(part.begin(), part.end(), is_control)) {
      throw target_error("the prefix of the target has a part that is empty, '.', '..' or not printable");
    }
  }
  place.prefix += '/';
  return place;
}

std::string S3Endpoint::object(const std::string& bucket, std::string_view key) const {
  const bool in_path = path_style || s3::bucket_in_path(host, bucket);
  std::string url = scheme + "://" + (in_path ? "" : bucket + ".") + origin + path + (in_path ? "/" + bucket : "");
  for (const std::string& part : text::split(key, '/')) {
    url += "/" + http::encode(part);
  }
  return url;
}

S3Endpoint s3_endpoint(const Session& session) {
  std::string url = s3_setting(session, "ingest_s3_endpoint", {"AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"});
  if (url.empty()) {
    const std::string region = s3_setting(session, "ingest_s3_region", {"AWS_REGION", "AWS_DEFAULT_REGION"});
    url = s3::amazon_endpoint(region.empty() ? "us-east-1" : region);
  }
  const std::size_t colon = url.find("://");
  S3Endpoint found;
  found.scheme = colon == std::string::npos ? "" : text::lower(url.substr(0, colon));
  const std::string rest = colon == std::string::npos ? "" : url.substr(colon + 3);
  const std::size_t slash = rest.find('/');
  found.origin = rest.substr(0, slash);
  found.path = slash == std::string::npos ? "" : rest.substr(slash);
  while (found.path.ends_with('/')) {
    found.path.pop_back();
  }
  const std::size_t end = found.origin.starts_with('[') ? found.origin.find(']') + 1 : found.origin.find(':');
  found.host = text::lower(found.origin.substr(0, end));
  const bool strange =
      rest.find_first_of("@?#\\ ") != std::string::npos || std::any_of(rest.begin(), rest.end(), is_control);
  if ((found.scheme != "http" && found.scheme != "https") || found.host.empty() || strange) {
    throw s3_settings_error("ingest_s3_endpoint (or AWS_ENDPOINT_URL) is no address of a server",
                            "Write it like https://storage.example.com:9000, without a login");
  }
  if (found.scheme == "http" && !http::is_loopback(found.host) && !session.flag("ingest_s3_insecure", false)) {
    throw s3_settings_error("the endpoint " + found.origin + " is reached over http, where others can read the rows",
                            "Use https, or set ingest_s3_insecure=true in a network that you trust");
  }
  found.path_style = session.flag("ingest_s3_path_style", false);
  return found;
}

std::string s3_setting(const Session& session, const std::string& name, std::initializer_list<const char*> variables) {
  std::string value = name.empty() ? std::string() : std::string(text::trim(session.setting(name)));
  for (const char* variable : variables) {
    value = value.empty() ? std::string(text::trim(process::environment(variable).value_or(""))) : value;
  }
  return value;
}

std::string key_part(std::string_view name) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  const bool dots = name == "." || name == "..";
  std::string out;
  for (const char c : name) {
    if (c == '/' || c == '%' || c == '\\' || is_control(c) || (dots && c == '.')) {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', digits[byte >> 4U], digits[byte & 15U]};
    } else {
      out += c;
    }
  }
  return out;
}

Error s3_settings_error(std::string why, std::string countermeasures) {
  return {ErrorKind::configuration, {"cannot ingest rows to S3", std::move(why), k_lost, std::move(countermeasures)}};
}

Error s3_no_answer(const std::string& object, std::string why) {
  return {ErrorKind::platform,
          {"cannot store " + object, std::move(why),
           "it is not known whether this batch of rows is stored, and the step that sent it fails",
           "Check that the endpoint works and can be reached; a run that goes on there (--from-failed) replaces the "
           "object"}};
}

Error s3_refusal(const std::string& object, const std::string& bucket, const http::Response& response) {
  const std::string code = s3::explain(response);
  const std::string answer =
      "the storage answered with status " + std::to_string(response.status) + (code.empty() ? "" : " (" + code + ")");
  const std::string what = "cannot store " + object;
  if (response.status == 401 || response.status == 403) {
    return {ErrorKind::configuration,
            {what, answer, k_lost,
             "Check the keys, the clock of this machine, and that the keys may write (s3:PutObject) to this place"}};
  }
  if (response.status == 404) {
    return {ErrorKind::configuration,
            {what, answer + ": there is no bucket '" + bucket + "' at the endpoint", k_lost,
             "Create the bucket, or correct the target, ingest_s3_endpoint or ingest_s3_path_style"}};
  }
  if (response.status == 429 || response.status >= 500) {
    return {ErrorKind::platform,
            {what, answer + ", several times", k_lost, "Try again later; the storage has a problem of its own"}};
  }
  return {ErrorKind::configuration,
          {what, answer, k_lost, "Check the target, ingest_s3_endpoint, ingest_s3_region and ingest_s3_path_style"}};
}

}  // namespace vdk::run
