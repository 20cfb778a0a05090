// SPDX-License-Identifier: Apache-2.0
#include "plugin/fetch/s3_credentials.hpp"

#include "plugin/fetch/address.hpp"
#include "plugin/fetch/secret_file.hpp"
#include "vdk/config/ini.hpp"
#include "vdk/core/files.hpp"
#include "vdk/core/process.hpp"

namespace vdk::plugin {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) { return process::environment(name).value_or(""); }

fs::path credentials_file() {
  const std::string named = variable("AWS_SHARED_CREDENTIALS_FILE");
  return named.empty() ? files::home_directory() / ".aws" / "credentials" : fs::path(named);
}

/// Messages about the file's syntax would show its lines.
config::IniFile read_quietly(const fs::path& file, const ProviderConfig& config) {
  const std::string content = read_secret_file(file, "'" + file.string() + "'");
  try {
    return config::IniFile::parse(content, file.string());
  } catch (const Error&) {
    throw provider_error(config, "the credentials file '" + file.string() + "' cannot be read",
                         "Write it as sections [PROFILE] with lines KEY = VALUE.");
  }
}

S3Credentials from_profile(const ProviderConfig& config, const fs::path& file, const std::string& profile) {
  const config::IniFile ini = read_quietly(file, config);
  const auto value = [&](const char* key) { return ini.get(profile, key).value_or(""); };
  S3Credentials found{value("aws_access_key_id"), value("aws_secret_access_key"), value("aws_session_token")};
  if (found.access_key.empty() || found.secret_key.empty()) {
    throw provider_error(config, "'" + file.string() + "' has no keys for the profile '" + profile + "'",
                         "Add aws_access_key_id and aws_secret_access_key to the section, or name another profile.");
  }
  return found;
}

}  // namespace

std::optional<S3Credentials> s3_credentials(const ProviderConfig& config) {
  const Auth& auth = config.auth;
  if (auth.kind == Auth::Kind::none) {
    return std::nullopt;
  }
  if (auth.kind != Auth::Kind::sigv4) {
    throw provider_error(config, "it has auth of a kind that s3 does not know", "Use sigv4, or none.");
  }
  if (!auth.access_key.empty() || !auth.secret_key.empty()) {
    if (auth.access_key.empty() || auth.secret_key.empty()) {
      throw provider_error(config, "one of access_key and secret_key is missing", "Give both of them.");
    }
    return S3Credentials{resolve(auth.access_key), resolve(auth.secret_key),
                         auth.session_token.empty() ? "" : resolve(auth.session_token)};
  }
  const fs::path file = credentials_file();
  if (!auth.name.empty()) {
    return from_profile(config, file, auth.name);
  }
  const std::string key = variable("AWS_ACCESS_KEY_ID");
  const std::string secret = variable("AWS_SECRET_ACCESS_KEY");
  if (!key.empty() && !secret.empty()) {
    return S3Credentials{key, secret, variable("AWS_SESSION_TOKEN")};
  }
  std::error_code error;
  if (!fs::exists(file, error)) {
    throw provider_error(
        config, "there are no keys: none in the configuration, none in the environment, and no '" + file.string() + "'",
        "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or leave auth out for a public bucket.");
  }
  const std::string profile = variable("AWS_PROFILE");
  return from_profile(config, file, profile.empty() ? "default" : profile);
}

}  // namespace vdk::plugin
